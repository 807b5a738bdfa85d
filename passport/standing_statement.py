"""The statement of a standing, in the forms in which it is asked.

http://hl7.org/fhir/R4/consent.html

What it looks up and what it answers is said in `passport.standing`, which reads the answer.
"""

from typing import Final

from consent.model import Purpose
from consent.standing import GRANTS
from consent.store import GRANT_TABLES
from passport.sql import Prepared

_CALLER_OF_SESSION: Final = """
    SELECT kind, subject, role, client, actor_key, client_key, patient_key, opened_patient_key, purpose,
        scopes, session_id, xmin::text AS session_row
    FROM session
    WHERE token_hash = %(token_hash)s AND issued_at <= %(now)s AND expires_at > %(now)s
        AND (ended_at IS NULL OR ended_at > %(now)s)
        -- A token that is bound to a key is none without it, and one that is not is none with it.
        AND confirmation IS NOT DISTINCT FROM %(confirmation)s::bytea
"""
# Who died signs in no more; whoever acts for them is a caller of their own.
_LIVING: Final = """
        AND NOT EXISTS (SELECT FROM patient_death AS d
            WHERE d.patient_key = session.patient_key AND d.since <= %(now)s)
"""
_CALLER_OF_SERVICE: Final = """
    SELECT %(kind)s::text AS kind, %(subject)s::text AS subject, %(role)s::text AS role,
        %(client)s::text AS client, %(actor_key)s::bigint AS actor_key, %(client_key)s::bigint AS client_key,
        %(patient_key)s::bigint AS patient_key, %(opened_patient_key)s::bigint AS opened_patient_key,
        %(purpose)s::text AS purpose, %(scopes)s::text[] AS scopes, %(session_id)s::uuid AS session_id,
        NULL::text AS session_row
"""

# Some patients: whoever holds these records, and those who share a record with them.
_ASKED_OF_RECORD: Final = """
    SELECT patient_key FROM about
    UNION SELECT other_key FROM about JOIN copatient USING (patient_key)
    UNION SELECT 0
"""
# Beside these the other registrations of the same person.
_ASKED_OF_KIN: Final = """
    UNION SELECT unnest(ARRAY[linked.other_key, c.other_key]) FROM linked JOIN about USING (patient_key)
        LEFT JOIN copatient AS c ON c.patient_key = linked.other_key
"""
# Whoever shared: every patient with a permit that names one of these actors, and the caller's own passport with
# what else is registered of them.
_ASKED_OF_ANYONE: Final = """
    SELECT patient_key FROM consent_actor, facets WHERE actor_key = ANY (facets.actors)
    UNION SELECT patient_key FROM caller WHERE patient_key IS NOT NULL
    UNION SELECT opened_patient_key FROM caller WHERE opened_patient_key IS NOT NULL
    UNION SELECT other_key FROM copatient JOIN caller USING (patient_key)
    UNION SELECT unnest(ARRAY[linked.other_key, c.other_key]) FROM linked
        LEFT JOIN copatient AS c ON c.patient_key = linked.other_key
    UNION SELECT patient_key FROM consent_grant, facets WHERE effect = 2 AND facets.everyone
    UNION SELECT 0
"""

# How `walk` came to somebody: steps 1 to 4 are the kinds of `consent.directory.MembershipKind`.
WALK: Final = """
    -- An organization by itself is followed (3) as one that is reached; a role leads on only while it counts.
    SELECT actor_key, CASE WHEN role IS NOT NULL THEN 6 WHEN subject LIKE 'Organization/%%' THEN 3 ELSE 0 END
    FROM caller WHERE role IS NOT NULL OR actor_key IS NOT NULL
    UNION ALL
    SELECT m.container, CASE m.kind WHEN 1 THEN 1 ELSE 5 END
    FROM caller JOIN membership AS m ON m.member = actor_key AND m.kind IN (1, 3)
    WHERE (m.starts IS NULL OR m.starts <= %(now)s) AND (m.ends IS NULL OR m.ends > %(now)s)
    UNION
    -- Whoever is an actor leads to what it is part of; the collectives that list it (4) lead no further.
    SELECT m.container, m.kind::int
    FROM walk JOIN membership AS m ON m.member = walk.actor AND walk.step < 4 AND m.kind IN (2, 3, 4)
    WHERE (m.starts IS NULL OR m.starts <= %(now)s) AND (m.ends IS NULL OR m.ends > %(now)s)
"""

KNOWN: Final = """
    SELECT coalesce(array_agg(actor) FILTER (WHERE step < 5), '{}') AS actors,
        coalesce(bool_or(step IN (3, 5, 6) AND NOT EXISTS (
            SELECT FROM collective WHERE actor_key = actor AND resolvable)), false) AS unresolved
    FROM walk
"""
"""Whom the walk came to, and whether a step of it could not be followed."""

RELEVANT: Final = "CASE effect WHEN 1 THEN mod(t_bits, 2) = 1 ELSE mod(f_bits, 2) = 0 END"
"""A permit whose root asks what is not so, and a block whose root certainly does not apply, say nothing."""

_STATEMENT: Final = """
WITH RECURSIVE {supposed}caller AS MATERIALIZED ({caller}),
about AS MATERIALIZED (
    SELECT DISTINCT patient_key FROM locator WHERE record_key = ANY (%(about_keys)s::bigint[])),
{linked}walk (actor, step) AS ({walk}),
known AS MATERIALIZED ({known}),
facets AS MATERIALIZED (
    SELECT known.actors, caller.client_key AS client, known.unresolved,
        coalesce((1 << (array_position('{{{purposes}}}'::text[], caller.purpose) - 1)), 0) AS purpose,
        %(action_bit)s::int AS action, %(now)s::timestamptz AS at,
        opened_patient_key IS NULL AND caller.purpose <> 'BTG' AND EXISTS (
            SELECT FROM consent_actor WHERE patient_key = 0 AND actor_key = ANY (known.actors)) AS everyone
    FROM caller, known
),
asked AS MATERIALIZED (
    SELECT found.patient_key FROM ({asked}) AS found, caller
    WHERE {open}
),
{ended}standing_grant AS MATERIALIZED ({grants}),
relevant AS (
    SELECT array_agg(patient_key) AS grant_patients, array_agg(effect) AS grant_effects,
        array_agg(shape_key) AS grant_shapes, array_agg(t_bits::text) AS grant_trues,
        array_agg(f_bits::text) AS grant_falses, array_agg(consent_ref) AS grant_refs
    FROM standing_grant
    WHERE {relevant}{unended}
),
wall AS (
    SELECT array_agg(asked.patient_key) FILTER (WHERE asked.patient_key <> 0) AS asked,
        coalesce(array_agg(asked.patient_key) FILTER (WHERE
            asked.patient_key = 0 OR asked.patient_key = caller.patient_key OR facets.everyone
            OR asked.patient_key = caller.opened_patient_key
{owned}            OR EXISTS (SELECT FROM consent_actor AS shared
                WHERE shared.patient_key = asked.patient_key AND shared.actor_key = ANY (facets.actors))
        ), '{{}}') AS patients
    FROM asked, caller, facets
)
SELECT found.*,{beside}
    -- The log names what was seen when it was decided: a write is recorded later, and sees more by then.
    set_config('passport.seen', pg_current_snapshot()::text, true) AS seen
FROM (
    SELECT caller.*, facets.everyone, wall.asked,
        (SELECT array_agg(patient_key ORDER BY patient_key) FROM about) AS about_patients, relevant.*, {kin}
        set_config('passport.patients', wall.patients::text, true) AS wall,
        set_config('passport.everyone', CASE WHEN facets.everyone AND %(anyone)s THEN 'on' ELSE 'off' END, true)
            AS all_patients,
        set_config('passport.requester', coalesce(caller.actor_key::text, ''), true) AS requester
    FROM caller, facets, wall, relevant{of_kin}
) AS found
"""


# What there is to ask where somebody was registered more than once, or died. `patient_link` has a row for both.
_CLOSER: Final = {
    "linked": """linked AS MATERIALIZED (
    SELECT l.patient_key, l.other_key, p.patient_id
    FROM (SELECT patient_key FROM about UNION SELECT patient_key FROM caller) AS whose
    JOIN patient_link AS l USING (patient_key) JOIN patient AS p ON p.patient_key = l.other_key
),
kin AS (
    SELECT array_agg(patient_key ORDER BY patient_key, other_key) AS kin_of,
        array_agg(other_key ORDER BY patient_key, other_key) AS kin,
        array_agg(patient_id ORDER BY patient_key, other_key) AS kin_ids
    FROM linked
),
""",
    "open": """found.patient_key IS NOT NULL AND (caller.purpose <> 'BTG' OR found.patient_key = 0
        OR found.patient_key = caller.opened_patient_key AND NOT EXISTS (SELECT FROM patient_death AS d
            WHERE d.patient_key = found.patient_key AND d.since <= %(now)s))""",
    "ended": """ended AS MATERIALIZED (
    -- Whose permits end by the law of the place because they died; where they stay there is no interval.
    SELECT d.patient_key FROM patient_death AS d, caller
    WHERE d.patient_key IN (SELECT patient_key FROM asked) AND d.since + CASE caller.kind
        WHEN 'proxy' THEN %(proxies_linger)s::interval ELSE %(grants_linger)s::interval END <= %(now)s
),
""",
    "unended": " AND (effect <> 1 OR patient_key NOT IN (SELECT patient_key FROM ended))",
    "owned": """\
            OR (asked.patient_key, caller.patient_key) IN (SELECT other_key, patient_key FROM linked)
""",
    "kin": """kin.*, false AS closer,
        (SELECT min(at) FROM patient_death AS d, LATERAL (VALUES (d.since),
                (d.since + %(proxies_linger)s::interval), (d.since + %(grants_linger)s::interval)) AS each (at)
            WHERE at > %(now)s AND d.patient_key IN (
                SELECT patient_key FROM asked UNION ALL SELECT patient_key FROM caller)) AS until,""",
    "of_kin": ", kin",
}
# Nearly nobody: one look-up tells whether it has to be asked at all.
_ONCE: Final = {
    "linked": "",
    "open": "caller.purpose <> 'BTG' OR found.patient_key IN (0, caller.opened_patient_key)",
    "ended": "",
    "unended": "",
    "owned": "",
    "kin": """NULL AS kin_of, NULL AS kin, NULL AS kin_ids,
        EXISTS (SELECT FROM patient_link AS l WHERE l.patient_key IN (
            SELECT patient_key FROM asked UNION ALL SELECT patient_key FROM caller)) AS closer,
        NULL::timestamptz AS until,""",
    "of_kin": "",
}


def _statement(*, bearer: bool, anyone: bool, closer: bool = True) -> Prepared:
    caller = _CALLER_OF_SESSION + (_LIVING if closer else "") if bearer else _CALLER_OF_SERVICE
    # Whom a caller acts for is part of what a standing towards whoever shared rests on.
    beside = " (SELECT actors FROM known) AS actors," if anyone else ""
    return Prepared(_text(caller, anyone=anyone, closer=closer, beside=beside), {})


def _text(caller: str, *, anyone: bool, closer: bool, beside: str = "", supposed: str = "") -> str:
    purposes = ",".join(purpose.value for purpose in Purpose)  # in the order of their bits
    of_record = _ASKED_OF_RECORD + (_ASKED_OF_KIN if closer else "")
    text = _STATEMENT.format(
        supposed=supposed,
        caller=caller,
        walk=WALK,
        known=KNOWN,
        relevant=RELEVANT,
        asked=_ASKED_OF_ANYONE if anyone else of_record,
        grants=GRANTS,
        purposes=purposes,
        beside=beside,
        **(_CLOSER if closer else _ONCE),
    )
    return text.replace("%(anyone)s", "true" if anyone else "false")


STATEMENTS: Final = {
    (bearer, anyone): _statement(bearer=bearer, anyone=anyone, closer=anyone)
    for bearer in (True, False)
    for anyone in (True, False)
}

CLOSER: Final = {bearer: _statement(bearer=bearer, anyone=False) for bearer in (True, False)}
"""The same about patients of whom one was registered more than once, or died."""

# All that is kept of the patients in question, with what is drafted; and in front of the tables of the same names what
# of both counts in a case.
_KEPT: Final = ",".join(
    f"""
{table}_or_draft AS MATERIALIZED (
    SELECT *, false AS drafted FROM {table} WHERE patient_key = ANY (%(patient_keys)s::bigint[])
    UNION ALL SELECT *, true FROM jsonb_populate_recordset(NULL::{table}, %({table})s::jsonb))"""
    for table in GRANT_TABLES
)
_SUPPOSED: Final = "".join(
    f"""{table} AS NOT MATERIALIZED (
    SELECT * FROM {table}_or_draft
    WHERE CASE WHEN drafted THEN consent_key = ANY (one.including) ELSE consent_key <> ALL (one.without) END),
"""
    for table in GRANT_TABLES
)
# Whom another person's CareTeam lists is theirs to tell: in a case it lists nobody.
_TOLD: Final = """
told_membership AS NOT MATERIALIZED (
    SELECT m.* FROM membership AS m
    WHERE m.kind <> 4 OR EXISTS (SELECT FROM locator AS l
        WHERE l.record_key = m.container AND l.patient_key = ANY (0 || %(patient_keys)s::bigint[])))"""
_MEMBERSHIP: Final = "membership AS NOT MATERIALIZED (SELECT * FROM told_membership),\n"
_SUPPOSED_CALLER: Final = """
    SELECT one.kind, one.subject, one.role, one.client, one.actor_key, one.client_key, NULL::bigint AS patient_key,
        one.opened_patient_key, one.purpose, one.scopes, NULL::uuid AS session_id,
        NULL::text AS session_row
"""


def _supposed() -> Prepared:
    beside = " (SELECT actors FROM known), (SELECT unresolved FROM known),"
    text = _text(_SUPPOSED_CALLER, anyone=False, closer=True, beside=beside, supposed=_SUPPOSED + _MEMBERSHIP)
    return Prepared(
        f"""
WITH {_KEPT},{_TOLD}
SELECT one.place, stood.*
FROM jsonb_to_recordset(%(cases)s::jsonb) AS one (place int, kind text, subject text, role text, client text,
    actor_key bigint, client_key bigint, opened_patient_key bigint, purpose text, scopes text[], action_bit int,
    without bigint[], including bigint[])
CROSS JOIN LATERAL ({text.replace("%(action_bit)s", "one.action_bit")}) AS stood
ORDER BY one.place
""",
        {},
    )


SUPPOSED: Final = _supposed()
"""The same for any number of callers who are not here, each under the consents that are supposed in their case.

It is the statement above with its caller taken from a row, and reads nothing but the consents from elsewhere.
"""

WIDEN: Final = Prepared(
    """
    SELECT set_config('passport.patients',
        (current_setting('passport.patients')::bigint[] || %(patient_keys)s::bigint[])::text, true)
    """,
    {},
)
"""Let the wall stand open for more patients until the transaction ends."""
