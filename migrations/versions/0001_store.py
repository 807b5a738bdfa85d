"""The store, the consents, identity, audit, devices and the outbox.

Revision ID: 0001
"""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE copatient (
    patient_key BIGINT NOT NULL,
    other_key BIGINT NOT NULL,
    PRIMARY KEY (patient_key, other_key)
);

CREATE TABLE dictionary (
    number SMALLINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    version SMALLINT NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE identifier_index (
    value BIGINT NOT NULL,
    patient_key BIGINT NOT NULL,
    record_key BIGINT NOT NULL,
    PRIMARY KEY (value, patient_key, record_key)
);

CREATE INDEX identifier_index_by_record ON identifier_index (patient_key, record_key);

CREATE TABLE locator (
    record_key BIGINT NOT NULL,
    patient_key BIGINT NOT NULL,
    PRIMARY KEY (record_key)
);

CREATE TABLE patient (
    patient_key BIGSERIAL NOT NULL,
    patient_id TEXT COLLATE "C" NOT NULL,
    wrapped_key BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key),
    UNIQUE (patient_id)
);

CREATE TABLE resource (
    patient_key BIGINT NOT NULL,
    record_key BIGINT NOT NULL,
    last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
    status BIGINT,
    source BIGINT NOT NULL,
    starts TIMESTAMP WITH TIME ZONE,
    ends TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    type SMALLINT NOT NULL,
    confidentiality SMALLINT,
    codec SMALLINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    parts BOOLEAN NOT NULL,
    owned_otherwise BOOLEAN NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    labels BIGINT[],
    codes BIGINT[],
    code_systems BIGINT[],
    categories BIGINT[],
    authors BIGINT[],
    refs BIGINT[] NOT NULL,
    follows BIGINT[],
    others BIGINT[],
    PRIMARY KEY (patient_key, record_key)
);

ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX proposed_consent_by_source ON resource (source, last_updated) WHERE type = 19;

CREATE INDEX resource_by_type ON resource (
    patient_key, type, coalesce(starts, '0001-01-01 00:00:00+00'::timestamptz), record_key
);

CREATE TABLE resource_part (
    patient_key BIGINT NOT NULL,
    record_key BIGINT NOT NULL,
    part_key BIGINT,
    starts TIMESTAMP WITH TIME ZONE,
    ends TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    part SMALLINT NOT NULL,
    type SMALLINT NOT NULL,
    confidentiality SMALLINT,
    labels BIGINT[],
    codes BIGINT[],
    code_systems BIGINT[],
    categories BIGINT[],
    authors BIGINT[],
    refs BIGINT[] NOT NULL,
    PRIMARY KEY (patient_key, record_key, version, part)
);

CREATE TABLE resource_token (
    patient_key BIGINT NOT NULL,
    parameter SMALLINT NOT NULL,
    value BIGINT NOT NULL,
    starts TIMESTAMP WITH TIME ZONE DEFAULT '0001-01-01 00:00:00+00'::timestamptz NOT NULL,
    record_key BIGINT NOT NULL,
    PRIMARY KEY (patient_key, parameter, value, starts, record_key)
);

CREATE TABLE resource_version (
    patient_key BIGINT NOT NULL,
    record_key BIGINT NOT NULL,
    last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
    status BIGINT,
    source BIGINT NOT NULL,
    starts TIMESTAMP WITH TIME ZONE,
    ends TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    type SMALLINT NOT NULL,
    confidentiality SMALLINT,
    codec SMALLINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    parts BOOLEAN NOT NULL,
    owned_otherwise BOOLEAN NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    labels BIGINT[],
    codes BIGINT[],
    code_systems BIGINT[],
    categories BIGINT[],
    authors BIGINT[],
    refs BIGINT[] NOT NULL,
    follows BIGINT[],
    others BIGINT[],
    PRIMARY KEY (patient_key, record_key, version)
);

ALTER TABLE resource_version ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX proposed_version_by_source ON resource_version (source, last_updated) WHERE type = 19;

CREATE TABLE collective (
    actor_key BIGINT NOT NULL,
    resolvable BOOLEAN NOT NULL,
    PRIMARY KEY (actor_key)
);

CREATE TABLE consent_actor (
    patient_key BIGINT NOT NULL,
    actor_key BIGINT NOT NULL,
    consent_key BIGINT NOT NULL,
    ordinal SMALLINT NOT NULL,
    PRIMARY KEY (patient_key, actor_key, consent_key, ordinal)
);

CREATE INDEX consent_actor_by_actor ON consent_actor (actor_key, patient_key);

CREATE TABLE consent_grant (
    patient_key BIGINT NOT NULL,
    consent_key BIGINT NOT NULL,
    ordinal SMALLINT NOT NULL,
    consent_ref TEXT COLLATE "C" NOT NULL,
    effect SMALLINT NOT NULL,
    shape_key BIGINT NOT NULL,
    PRIMARY KEY (patient_key, consent_key, ordinal)
);

CREATE INDEX consent_grant_that_blocks ON consent_grant (patient_key) WHERE effect <> 1;

CREATE TABLE consent_node (
    patient_key BIGINT NOT NULL,
    consent_key BIGINT NOT NULL,
    ordinal SMALLINT NOT NULL,
    node SMALLINT NOT NULL,
    granting BOOLEAN NOT NULL,
    actors BIGINT[],
    collectives BIGINT[] NOT NULL,
    chained BOOLEAN NOT NULL,
    purposes INTEGER,
    actions INTEGER,
    starts TIMESTAMP WITH TIME ZONE,
    ends TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (patient_key, consent_key, ordinal, node)
);

CREATE TABLE consent_shape (
    shape_key BIGINT NOT NULL,
    content JSONB NOT NULL,
    PRIMARY KEY (shape_key)
);

CREATE TABLE membership (
    member BIGINT NOT NULL,
    container BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    ordinal SMALLINT NOT NULL,
    kind SMALLINT NOT NULL,
    starts TIMESTAMP WITH TIME ZONE,
    ends TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (member, container, origin, ordinal)
);

CREATE INDEX membership_by_origin ON membership (origin);

CREATE TABLE client (
    client_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    jwks JSONB NOT NULL,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (client_id)
);

CREATE TABLE client_assertion (
    client_id TEXT COLLATE "C" NOT NULL,
    jti TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (client_id, jti)
);

CREATE TABLE opening (
    patient_key BIGINT NOT NULL,
    opening_id UUID NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    reason BYTEA NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, opening_id)
);

CREATE INDEX opening_by_time ON opening (patient_key, expires_at);

CREATE TABLE session (
    token_hash BYTEA NOT NULL,
    session_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    client TEXT COLLATE "C",
    actor_key BIGINT,
    client_key BIGINT,
    patient_key BIGINT,
    opened_patient_key BIGINT,
    purpose TEXT COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (token_hash),
    UNIQUE (session_id)
);

CREATE TABLE sign_in_code (
    login TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (login)
);

CREATE TABLE sign_in_failure (
    caller BIGINT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (caller, window_start)
);

CREATE TABLE audit_event (
    patient_key BIGINT NOT NULL,
    audit_id UUID NOT NULL,
    recorded TIMESTAMP WITH TIME ZONE NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C",
    role TEXT COLLATE "C",
    client TEXT COLLATE "C",
    behalf_of TEXT COLLATE "C",
    purpose TEXT COLLATE "C",
    query TEXT COLLATE "C" NOT NULL,
    record_keys BIGINT[] NOT NULL,
    versions INTEGER[] NOT NULL,
    grants TEXT[] COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (patient_key, audit_id)
);

CREATE INDEX audit_event_all_by_time ON audit_event (recorded, audit_id);

CREATE INDEX audit_event_by_time ON audit_event (patient_key, recorded, audit_id);

CREATE TABLE device (
    patient_key BIGINT NOT NULL,
    device_key BIGINT NOT NULL,
    device_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    kid TEXT COLLATE "C" NOT NULL,
    jwk JSONB NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    consent_id TEXT COLLATE "C",
    consent_key BIGINT,
    enrolled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, device_key)
);

CREATE TABLE device_message (
    patient_key BIGINT NOT NULL,
    device_key BIGINT NOT NULL,
    counter BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, device_key, counter)
);

CREATE TABLE device_model (
    model TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    display TEXT COLLATE "C" NOT NULL,
    readings TEXT[] COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (model)
);

CREATE TABLE device_reading (
    patient_key BIGINT NOT NULL,
    reading UUID NOT NULL,
    observation_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (patient_key, reading)
);

CREATE TABLE quarantine (
    patient_key BIGINT NOT NULL,
    quarantine_id UUID NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, quarantine_id)
);

CREATE INDEX quarantine_by_time ON quarantine (patient_key, received_at);

CREATE TABLE notification (
    patient_key BIGINT NOT NULL,
    notification_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    about JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, notification_id)
);

CREATE INDEX notification_by_time ON notification (patient_key, created_at DESC, notification_id DESC);

CREATE TABLE outbox (
    patient_key BIGINT NOT NULL,
    outbox_id UUID NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    arguments JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT 0 NOT NULL,
    failure TEXT COLLATE "C",
    PRIMARY KEY (patient_key, outbox_id)
);

CREATE INDEX outbox_due ON outbox (due_at) WHERE done_at IS NULL;

CREATE TABLE import_job (
    patient_key BIGINT NOT NULL,
    import_id UUID NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    format TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    content BYTEA NOT NULL,
    token_hash BYTEA NOT NULL,
    created TEXT[] COLLATE "C" NOT NULL,
    deviations JSONB NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (patient_key, import_id)
);

CREATE UNIQUE INDEX import_once ON import_job (patient_key, source, digest);

CREATE TABLE import_entry (
    patient_key BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    identifier BIGINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (patient_key, source, identifier)
);


CREATE TABLE installation (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
"""

# The second wall: a forgotten consent clause cannot show a patient outside of `passport.patients`. The setting
# lives for one transaction; without it nothing is visible, the directory (patient_key 0) included.
WALLED = (
    "resource",
    "resource_version",
    "resource_part",
    "resource_token",
    "identifier_index",
    "quarantine",
    "import_job",
    "import_entry",
    "notification",
)
# A requester reads the proposals that it wrote itself, whoever they were put to.
OWN_PROPOSALS = """
CREATE POLICY own_proposals ON {table} USING (
    type = 19 AND source = (SELECT nullif(current_setting('passport.requester', true), '')::bigint)
)
"""
# Written as IN over rows it is looked up in a hash; ANY over an array is searched from end to end for every row.
WALL = """
CREATE POLICY wall ON {table} USING (
    patient_key IN (SELECT unnest(nullif(current_setting('passport.patients', true), '')::bigint[]))
    OR (SELECT current_setting('passport.everyone', true)) = 'on'
)
"""

# What is only ever added to: the service may write it and read it, and never change it.
APPEND_ONLY = (
    "audit_event",
    "resource_version",
    "dictionary",
    "consent_shape",
    "client_assertion",
    "device_message",
    "opening",
)


def upgrade() -> None:
    """Create every table, the wall, and the rights of the service's role."""
    service = context.config.attributes["service_role"]
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(WALL.format(table=table))
    for table in ("resource", "resource_version"):
        op.execute(OWN_PROPOSALS.format(table=table))
    op.execute(f'GRANT USAGE ON SCHEMA public TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{service}"')
    op.execute(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{service}"')
    for table in APPEND_ONLY:
        op.execute(f'REVOKE UPDATE, DELETE ON {table} FROM "{service}"')
    op.execute(f'REVOKE ALL ON alembic_version FROM "{service}"')
    op.execute(f'GRANT SELECT ON alembic_version TO "{service}"')


def downgrade() -> None:
    """Refuse: health records are not dropped by a migration."""
    message = "the first migration has no way back: drop the database on purpose instead"
    raise RuntimeError(message)
