"""The statements of the identity of patients, each named for what it does.

http://hl7.org/fhir/R4/patient.html#merge
"""

from typing import Final

from passport.sql import Prepared

HOLD: Final = Prepared("SELECT pg_advisory_xact_lock(%(key)s)", {})
"""Let merges and what undoes them come one by one until the transaction ends: each sees what the one before linked."""

REGISTRATIONS: Final = Prepared(
    """
SELECT l.patient_key, l.other_key, p.patient_id
FROM patient_link AS l JOIN patient AS p ON p.patient_key = l.other_key
WHERE l.patient_key = ANY (%(patient_keys)s::bigint[])
    OR l.patient_key IN (SELECT patient_key FROM locator WHERE record_key = ANY (%(record_keys)s::bigint[]))
""",
    {},
)
"""All registrations of the people who are these, or of whom these are the keys of their Patient."""

HOLDERS: Final = Prepared(
    "SELECT record_key, patient_key FROM locator WHERE record_key = ANY (%(record_keys)s::bigint[])", {}
)
"""Whose records these are."""

STANDING_MERGES: Final = Prepared(
    """
SELECT patient_key, survivor_key FROM patient_merge
WHERE patient_key = ANY (%(patient_keys)s::bigint[]) AND undone_at IS NULL
""",
    {},
)
"""Which of these registrations another one replaces now."""

MERGE: Final = Prepared(
    """
INSERT INTO patient_merge (patient_key, merge_id, survivor_key, was_active, merged_at)
VALUES (%(duplicate)s, %(merge_id)s, %(survivor)s, %(was_active)s, %(now)s)
""",
    {},
)
"""Let one registration take another one's place."""

MERGES: Final = Prepared(
    """
SELECT m.merge_id, m.patient_key, m.survivor_key, m.was_active, m.merged_at, m.undone_at,
    d.patient_id AS duplicate_id, s.patient_id AS survivor_id
FROM patient_merge AS m
JOIN patient AS d ON d.patient_key = m.patient_key
JOIN patient AS s ON s.patient_key = m.survivor_key
WHERE %(merge_id)s::uuid IS NULL OR m.merge_id = %(merge_id)s
ORDER BY m.merged_at DESC, m.merge_id
LIMIT %(limit)s
""",
    {},
)
"""One merge, or the newest ones, with what the registrations are called."""

UNDO: Final = Prepared(
    """
UPDATE patient_merge SET undone_at = %(now)s
WHERE merge_id = %(merge_id)s AND undone_at IS NULL
RETURNING patient_key, survivor_key, was_active
""",
    {},
)
"""Separate the two again; nothing comes back where they are separate."""

UNLINK: Final = Prepared(
    """
WITH family AS (
    SELECT unnest(%(patient_keys)s::bigint[]) AS patient_key
    UNION SELECT other_key FROM patient_link WHERE patient_key = ANY (%(patient_keys)s::bigint[])
),
unlinked AS (DELETE FROM patient_link WHERE patient_key IN (SELECT patient_key FROM family))
SELECT array_agg(patient_key) AS patient_keys FROM family
""",
    {},
)
"""Forget what linked these registrations; answers all of which the links have to be drawn again."""

LINK: Final = Prepared(
    """
WITH RECURSIVE pair (here, there) AS (
    SELECT patient_key, survivor_key FROM patient_merge WHERE undone_at IS NULL
    UNION ALL SELECT survivor_key, patient_key FROM patient_merge WHERE undone_at IS NULL
),
reached (patient_key, other_key) AS (
    SELECT here, here FROM pair WHERE here = ANY (%(patient_keys)s::bigint[])
    UNION SELECT reached.patient_key, pair.there FROM reached JOIN pair ON pair.here = reached.other_key
)
INSERT INTO patient_link (patient_key, other_key)
SELECT patient_key, other_key FROM reached
UNION SELECT patient_key, patient_key FROM patient_death WHERE patient_key = ANY (%(patient_keys)s::bigint[])
""",
    {},
)
"""Draw the links again, from the merges that stand; who died is linked with themselves, and so looked at."""

NAMES: Final = Prepared(
    "SELECT patient_key, patient_id FROM patient WHERE patient_key = ANY (%(patient_keys)s::bigint[])", {}
)
"""What registrations are called."""

GIVEN_BY: Final = Prepared(
    """
SELECT r.record_key, r.patient_key, r.source
FROM resource AS r
WHERE r.patient_key = ANY (%(patient_keys)s::bigint[]) AND r.type = %(type)s AND r.status = %(active)s
    AND NOT r.deleted AND r.source = ANY (%(sources)s::bigint[])
    AND EXISTS (
        SELECT FROM consent_grant AS g
        WHERE g.patient_key = r.patient_key AND g.consent_key = r.record_key AND g.effect = %(permit)s
    )
    AND NOT EXISTS (
        SELECT FROM device AS d WHERE d.patient_key = r.patient_key AND d.consent_key = r.record_key
    )
ORDER BY r.record_key
""",
    {},
)
"""The consents of these patients that permit something, not to a device, and that one of these sources wrote last."""

UNSPREAD_DEATHS: Final = Prepared(
    "DELETE FROM patient_death WHERE patient_key = ANY (%(patient_keys)s::bigint[]) AND stated_by <> patient_key",
    {},
)
"""Leave each registration with what its own Patient says."""

SPREAD_DEATHS: Final = Prepared(
    """
INSERT INTO patient_death (patient_key, stated_by, recorded, since)
SELECT l.other_key, d.stated_by, d.recorded, d.since
FROM patient_death AS d JOIN patient_link AS l USING (patient_key)
WHERE d.patient_key = ANY (%(patient_keys)s::bigint[]) AND d.stated_by = d.patient_key AND l.other_key <> d.patient_key
""",
    {},
)
"""Who died has died by each of their registrations."""

STATE_DEATH: Final = Prepared(
    """
WITH looked_at AS (
    INSERT INTO patient_link (patient_key, other_key) VALUES (%(patient_key)s, %(patient_key)s)
    ON CONFLICT DO NOTHING
)
INSERT INTO patient_death AS known (patient_key, stated_by, recorded, since)
SELECT patient_key, %(patient_key)s, %(now)s, %(since)s
FROM (SELECT %(patient_key)s::bigint AS patient_key
    UNION SELECT other_key FROM patient_link WHERE patient_key = %(patient_key)s) AS family
ON CONFLICT (patient_key, stated_by) DO UPDATE SET since = least(excluded.since, known.recorded)
RETURNING patient_key, recorded = %(now)s AS news
""",
    {},
)
"""What a Patient says of a death, for every registration of the person; a correction is no later than the news."""

TAKE_DEATH_BACK: Final = Prepared(
    """
DELETE FROM patient_death
WHERE stated_by = %(patient_key)s AND (patient_key = %(patient_key)s
    OR patient_key IN (SELECT other_key FROM patient_link WHERE patient_key = %(patient_key)s))
RETURNING patient_key, true AS news
""",
    {},
)
"""A Patient says no more that the person died."""

DEAD: Final = Prepared(
    "SELECT FROM patient_death WHERE patient_key = %(patient_key)s AND since <= %(now)s LIMIT 1", {}
)
"""Whether somebody has died."""
