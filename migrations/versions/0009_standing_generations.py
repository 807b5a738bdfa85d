"""What changed that standings rest on: told by the tables themselves, in the transaction that changes them.

https://www.postgresql.org/docs/current/plpgsql-trigger.html
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

A row of `standing_change` tells which transaction changed something about whom, one of `standing_instant` when time
alone will. `concerns` is a patient_key (0: the policies), the key of an actor, or one of the numbers below. Rows are
only ever added, each of its own transaction, so that nobody who writes waits for another one who does.

Revision ID: 0009
"""

from typing import Final, NamedTuple

from alembic import context, op

revision = "0009"
down_revision = "0013"
branch_labels = None
depends_on = None

DIRECTORY: Final = -1
"""Who is a member of what, and all that no other number stands for."""

BLOCKS: Final = -2
"""What anybody denies."""

TABLES: Final = (
    """
CREATE TABLE standing_change (
    concerns BIGINT NOT NULL,
    written_in XID8 DEFAULT pg_current_xact_id() NOT NULL,
    PRIMARY KEY (concerns, written_in)
)
""",
    """
CREATE TABLE standing_instant (
    concerns BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    written_in XID8 DEFAULT pg_current_xact_id() NOT NULL,
    PRIMARY KEY (concerns, at, written_in)
)
""",
)


class Fed(NamedTuple):
    """Whom a row concerns, in SQL, and at which instants of it time alone changes what it says."""

    concerns: tuple[str, ...]
    instants: tuple[str, ...] = ()


FEEDS: Final = {
    "consent_grant": Fed(("patient_key", f"CASE WHEN effect <> 1 THEN {BLOCKS} ELSE patient_key END")),
    "consent_node": Fed(("patient_key",), ("starts", "ends")),
    "consent_actor": Fed(("patient_key", "actor_key")),
    "copatient": Fed(("patient_key",)),
    "patient_link": Fed(("patient_key",)),
    "patient_death": Fed(("patient_key",)),
    "membership": Fed((str(DIRECTORY),), ("starts", "ends")),
    "collective": Fed((str(DIRECTORY),)),
}

_CHANGED: Final = """
        INSERT INTO public.standing_change (concerns)
        SELECT DISTINCT each.concerns FROM {rows}, LATERAL (VALUES {concerns}) AS each (concerns)
        ON CONFLICT DO NOTHING;
"""
_INSTANTS: Final = """
        INSERT INTO public.standing_instant (concerns, at)
        SELECT DISTINCT {concerns}, each.at FROM after_it, LATERAL (VALUES {instants}) AS each (at)
        WHERE each.at IS NOT NULL
        ON CONFLICT DO NOTHING;
"""
_FUNCTION: Final = """
CREATE FUNCTION {table}_tells_standings() RETURNS trigger LANGUAGE plpgsql AS $told$
BEGIN
    IF TG_OP <> 'INSERT' THEN{before}    END IF;
    IF TG_OP <> 'DELETE' THEN{after}    END IF;
    RETURN NULL;
END $told$
"""
# Of what happened to a table as a whole everybody is told.
_OTHERWISE: Final = f"""
CREATE FUNCTION all_tells_standings() RETURNS trigger LANGUAGE plpgsql AS $told$
BEGIN
    INSERT INTO public.standing_change (concerns) VALUES ({DIRECTORY}) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $told$
"""
_ROWS: Final = {
    "insert": "REFERENCING NEW TABLE AS after_it",
    "update": "REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it",
    "delete": "REFERENCING OLD TABLE AS before_it",
}


def _function(table: str, fed: Fed) -> str:
    concerns = ", ".join(f"({each})" for each in fed.concerns)
    instants = ", ".join(f"({each})" for each in fed.instants)
    before = _CHANGED.format(rows="before_it", concerns=concerns)
    after = _CHANGED.format(rows="after_it", concerns=concerns)
    if instants:
        after += _INSTANTS.format(concerns=fed.concerns[0], instants=instants)
    return _FUNCTION.format(table=table, before=before, after=after)


def _told(table: str, event: str, how: str) -> None:
    """Add a trigger that no copying of rows leaves out."""
    name = f"standing_on_{event.partition(' ')[0]}"
    op.execute(f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} {how}()")
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def upgrade() -> None:
    """Carry the database from the revision before to this one; the service adds rows, and never takes one back."""
    service = context.config.attributes["service_role"]
    for statement in (*TABLES, _OTHERWISE):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT ON standing_change, standing_instant TO "{service}"')
    for table, fed in FEEDS.items():
        op.execute(_function(table, fed))
        for event, rows in _ROWS.items():
            _told(table, event, f"{rows} FOR EACH STATEMENT EXECUTE FUNCTION {table}_tells_standings")
        _told(table, "truncate", "FOR EACH STATEMENT EXECUTE FUNCTION all_tells_standings")
        for instant in fed.instants:
            op.execute(
                "INSERT INTO standing_instant (concerns, at) "
                f"SELECT DISTINCT {fed.concerns[0]}, {instant} FROM {table} "
                f"WHERE {instant} IS NOT NULL ON CONFLICT DO NOTHING"
            )
    # A Patient keeps its id for good.
    _told("patient", "update of patient_id", "FOR EACH STATEMENT EXECUTE FUNCTION all_tells_standings")
    for event in ("delete", "truncate"):
        _told("patient", event, "FOR EACH STATEMENT EXECUTE FUNCTION all_tells_standings")


def downgrade() -> None:
    """Take it back; a service of before reads every standing anew."""
    for table in (*FEEDS, "patient"):
        for event in (*_ROWS, "truncate"):
            op.execute(f"DROP TRIGGER IF EXISTS standing_on_{event} ON {table}")
    for table in FEEDS:
        op.execute(f"DROP FUNCTION {table}_tells_standings")
    op.execute("DROP FUNCTION all_tells_standings")
    op.execute("DROP TABLE standing_change, standing_instant")
