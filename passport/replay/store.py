"""The statements of a replay: what was there in the snapshot that a row of the log names, whoever's it is.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

A version was there if the transaction that wrote it had ended in that snapshot. Which transaction that was is said by
the row of the log that tells of the writing: it has the same time and names the version. Where the numbers of two
clusters meet, or of rows from before there were any, their times are compared.
"""

from typing import Final

from fhirstore.types import TYPE_NUMBERS
from passport.sql import Prepared

AUDITED: Final = Prepared(
    """
SELECT a.patient_key, a.audit_id, a.recorded, a.action, a.kind, a.subject, a.role, a.client, a.purpose, a.query,
    a.outcome, a.record_keys, a.versions, a.grants, a.rests, a.written_in::text AS written_in, a.seen::text AS seen,
    r.content AS rules, r.cluster,
    -- A session is removed after its end; a row that was let through names what it was let through by.
    coalesce(s.scopes, CASE WHEN a.outcome <> 'refused' THEN nullif(a.scopes, '{}') END) AS scopes,
    s.opened_patient_key, o.patient_id AS opened, p.patient_id
FROM audit_event AS a
LEFT JOIN rules AS r ON r.number = a.rules
LEFT JOIN session AS s ON s.session_id = a.session_id
LEFT JOIN patient AS o ON o.patient_key = s.opened_patient_key
LEFT JOIN patient AS p ON p.patient_key = a.patient_key
WHERE a.audit_id = %(audit_id)s AND (%(recorded)s::timestamptz IS NULL OR a.recorded = %(recorded)s)
""",
    {},
)
"""One row of the log, with the session and the rules that it names."""

ONE_SNAPSHOT: Final = Prepared("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", {})
"""Read the world of then as it lies in one snapshot of now."""

OPEN_WALL: Final = Prepared("SELECT set_config('passport.everyone', 'on', true)", {})
"""See what lies with anybody until the transaction ends: a replay asks what was there, not who may see it."""

_ENDED: Final = """
    (SELECT CASE WHEN w.written_in = %(written_in)s::xid8 THEN %(own)s::bool
        ELSE pg_visible_in_snapshot(w.written_in, %(seen)s::pg_snapshot) END
    FROM audit_event AS w JOIN rules AS r ON r.number = w.rules
    WHERE w.written_in IS NOT NULL AND r.cluster = %(cluster)s AND {written}
    ORDER BY w.written_in LIMIT 1)
"""
"""Whether the transaction that the first row of `written` tells of had ended; with `own`, the row's own counts too."""

_COLUMNS: Final = (
    "patient_key, record_key, type, id, version, last_updated, deleted, codec, body, status, source, others"
)
_ALL: Final = f"""
    SELECT {_COLUMNS} FROM resource WHERE {{where}}
    UNION ALL SELECT {_COLUMNS} FROM resource_version WHERE {{where}}
"""
_WRITTEN: Final = """
    w.patient_key = stored.patient_key AND w.recorded = stored.last_updated
    AND w.versions[array_position(w.record_keys, stored.record_key)] = stored.version
"""
_THERE: Final = f"""
SELECT {{distinct}} stored.*, p.wrapped_key
FROM ({_ALL}) AS stored LEFT JOIN patient AS p USING (patient_key)
WHERE coalesce({_ENDED.format(written=_WRITTEN)}, stored.last_updated <= %(recorded)s)
ORDER BY stored.patient_key, stored.record_key, stored.version {{order}}
"""
_HELD: Final = """
    patient_key IN (SELECT patient_key FROM locator WHERE record_key = ANY (%(record_keys)s::bigint[]))
    AND record_key = ANY (%(record_keys)s::bigint[])
"""


def _there(where: str, *, latest: bool = True) -> Prepared:
    distinct = "DISTINCT ON (stored.patient_key, stored.record_key)" if latest else ""
    return Prepared(
        _THERE.format(where=where, distinct=distinct, order="DESC" if latest else "ASC"),
        {},
    )


THESE: Final = _there(_HELD)
"""The current versions of some records; one that was deleted is among them."""

CONSENTS: Final = _there(
    f"patient_key = ANY (%(patient_keys)s::bigint[]) AND type = {TYPE_NUMBERS['Consent']}"
)
"""The current versions of some patients' consents, and with patient_key 0 of the policies."""

PATIENTS: Final = _there(
    f"patient_key = ANY (%(patient_keys)s::bigint[]) AND type = {TYPE_NUMBERS['Patient']}", latest=False
)
"""All versions of some Patients, in their order."""

VERSIONS: Final = Prepared(
    f"""
SELECT stored.*, p.wrapped_key
FROM ({_ALL.format(where=_HELD)}) AS stored LEFT JOIN patient AS p USING (patient_key)
WHERE (record_key, version) IN (SELECT * FROM unnest(%(record_keys)s::bigint[], %(versions)s::int[]))
""",
    {},
)
"""These versions, whenever they were written."""

_MERGED: Final = "w.patient_key = m.patient_key AND w.recorded = m.{} AND w.action = '{}'"
MERGES: Final = Prepared(
    f"""
WITH RECURSIVE family (patient_key) AS (
    SELECT unnest(%(patient_keys)s::bigint[])
    UNION SELECT unnest(ARRAY[m.patient_key, m.survivor_key])
    FROM family JOIN patient_merge AS m ON family.patient_key IN (m.patient_key, m.survivor_key)
)
SELECT m.patient_key, m.survivor_key, d.patient_id AS duplicate_id, s.patient_id AS survivor_id
FROM patient_merge AS m
LEFT JOIN patient AS d ON d.patient_key = m.patient_key
LEFT JOIN patient AS s ON s.patient_key = m.survivor_key
WHERE m.patient_key IN (SELECT patient_key FROM family)
    AND coalesce({_ENDED.format(written=_MERGED.format("merged_at", "merge"))}, m.merged_at <= %(recorded)s)
    AND NOT coalesce(
        {_ENDED.format(written=_MERGED.format("undone_at", "unmerge"))}, m.undone_at <= %(recorded)s, false)
""",
    {},
)
"""Which merges of these registrations, and of those that they are merged with, stood."""

REGISTERED: Final = Prepared(
    "SELECT patient_key, patient_id FROM patient WHERE patient_key = ANY (%(patient_keys)s::bigint[])", {}
)
"""Under which id each is registered; one who was erased is not."""
