"""The statements of imports, each named for what it does; who runs them stands behind the patient's wall.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from typing import Final

from passport.sql import Prepared

OWNER: Final = Prepared(
    "SELECT patient_id, wrapped_key FROM patient WHERE patient_key = %(patient_key)s",
    {},
)
"""Whom a file is about, and the key that seals it."""

SAME: Final = Prepared(
    """
SELECT import_id FROM import_job
WHERE patient_key = %(patient_key)s AND source = %(source)s AND digest = %(digest)s AND status <> 'refused'
""",
    {},
)
"""The import of the same bytes by the same source; one that was refused may be tried again."""

HOLD_SOURCE: Final = Prepared("SELECT pg_advisory_xact_lock(%(source_key)s)", {})
"""Take one file of a source after another: what was handed over before is there, and counted."""

HOLD_WRITER: Final = Prepared("SELECT pg_advisory_xact_lock(%(writer_key)s)", {})
"""Write one file of a source about a patient after another: what the one wrote, the next one does not write again."""

WAITING: Final = Prepared(
    """
SELECT count(*) AS files FROM outbox
WHERE done_at IS NULL AND task = 'import' AND arguments ->> 'source' = %(source)s
""",
    {},
)
"""How many files of a source wait for a worker, whomever they are about."""

RECEIVE: Final = Prepared(
    """
INSERT INTO import_job (patient_key, import_id, source, format, digest, status, content, token_hash, created,
    deviations, received_at)
VALUES (%(patient_key)s, %(import_id)s, %(source)s, %(format)s, %(digest)s, 'received', %(content)s,
    %(token_hash)s, '{}', '[]', %(now)s)
ON CONFLICT (patient_key, source, digest) DO UPDATE SET status = 'received', reason = NULL, done_at = NULL,
    token_hash = excluded.token_hash
WHERE import_job.status = 'refused'
RETURNING import_id
""",
    {},
)
"""Take a file, or take a refused one up again."""

LOCATE: Final = Prepared(
    """
INSERT INTO locator (record_key, patient_key) VALUES (%(record_key)s, %(patient_key)s)
ON CONFLICT (record_key) DO NOTHING
""",
    {},
)
"""Let an import be found by its id alone."""

STATUS: Final = Prepared(
    """
SELECT source, status, reason, created, deviations, patient_id FROM import_job JOIN patient USING (patient_key)
WHERE patient_key = %(patient_key)s AND import_id = %(import_id)s
""",
    {},
)
"""What became of an import."""

JOB: Final = Prepared(
    """
SELECT format, source, digest, content, token_hash, patient_id, wrapped_key
FROM import_job JOIN patient USING (patient_key)
WHERE patient_key = %(patient_key)s AND import_id = %(import_id)s AND status = 'received'
""",
    {},
)
"""An import that waits to be carried out."""

PERSON: Final = Prepared(
    """
SELECT patient_key, id, version, codec, body FROM resource
WHERE patient_key = %(patient_key)s AND record_key = %(record_key)s AND NOT deleted
""",
    {},
)
"""The Patient, for comparing the person of a file with; nothing of it is shown to anyone."""

WRITTEN: Final = Prepared(
    """
SELECT identifier, reference FROM import_entry
WHERE patient_key = %(patient_key)s AND source = %(source)s AND identifier = ANY (%(identifiers)s::bigint[])
""",
    {},
)
"""What the source itself has written before; nobody else's records are looked at."""

REMEMBER: Final = Prepared(
    """
INSERT INTO import_entry (patient_key, source, identifier, reference)
SELECT %(patient_key)s, %(source)s, identifier, reference
FROM unnest(%(identifiers)s::bigint[], %(references)s::text[]) AS rows (identifier, reference)
""",
    {},
)
"""Remember what was written now."""

FINISH: Final = Prepared(
    """
UPDATE import_job SET status = %(status)s, reason = %(reason)s, created = %(created)s,
    deviations = %(deviations)s, done_at = %(now)s
WHERE patient_key = %(patient_key)s AND import_id = %(import_id)s AND status = 'received'
""",
    {},
)
"""Say what became of an import."""
