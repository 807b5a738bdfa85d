"""The plainest SQL that does what a request needs: no session, no consent, no wall, no audit row.

https://www.postgresql.org/docs/current/sql-select.html
"""

from typing import Final

from fhirstore.rows import INSERT_RECORDS
from passport.sql import Prepared

BARE_TABLE: Final = "CREATE TABLE bare_resource (LIKE resource INCLUDING ALL)"
"""Where rows are inserted for comparison: the columns and indexes of `resource`, and no row security."""

INSERT: Final = Prepared(INSERT_RECORDS.replace("INTO resource ", "INTO bare_resource "), {})

PAGE: Final = Prepared(
    """
    SELECT r.patient_key, r.id, r.version, r.codec, r.body, p.wrapped_key
    FROM locator AS l
    JOIN patient AS p ON p.patient_key = l.patient_key
    JOIN resource_token AS t ON t.patient_key = l.patient_key
    JOIN resource AS r ON r.patient_key = t.patient_key AND r.record_key = t.record_key
    WHERE l.record_key = %(patient)s AND t.parameter = %(parameter)s AND t.value = %(code)s
        AND r.ends > %(since)s AND NOT r.deleted
    ORDER BY t.starts DESC, t.record_key DESC LIMIT %(limit)s
    """,
    {},
)
"""One page of a patient's Observations of one code, the newest first, and one row more."""

READ: Final = Prepared(
    """
    SELECT r.patient_key, r.id, r.version, r.codec, r.body, p.wrapped_key
    FROM locator AS l
    JOIN patient AS p ON p.patient_key = l.patient_key
    JOIN resource AS r ON r.patient_key = l.patient_key AND r.record_key = l.record_key
    WHERE l.record_key = %(record)s AND NOT r.deleted
    """,
    {},
)
"""One record by its id."""

TOTAL: Final = Prepared(
    """
    SELECT count(*) AS total FROM resource AS r
    JOIN resource_token AS t ON t.patient_key = r.patient_key AND t.record_key = r.record_key
    WHERE t.parameter = %(parameter)s AND t.value = %(code)s AND r.type = %(type)s AND NOT r.deleted
    """,
    {},
)
"""How many Observations of one code there are, of all patients."""


COMPARTMENT: Final = Prepared(
    """
    SELECT r.patient_key, r.id, r.version, r.codec, r.body, p.wrapped_key
    FROM locator AS l
    JOIN patient AS p ON p.patient_key = l.patient_key
    JOIN resource AS r ON r.patient_key = l.patient_key
    WHERE l.record_key = %(patient)s AND r.type = %(type)s AND NOT r.deleted
    ORDER BY coalesce(r.starts, '0001-01-01 00:00:00+00'::timestamptz) DESC, r.record_key DESC LIMIT %(limit)s
    """,
    {},
)
"""One page of a patient's Observations, the newest first, and one row more."""

BARE_JSON: Final = "CREATE TABLE bare_json (id uuid PRIMARY KEY, body jsonb NOT NULL)"
"""The plainest way to keep a resource: no search, no consent, no encryption."""

FILL_JSON: Final = "INSERT INTO bare_json SELECT * FROM unnest(%s::uuid[], %s::jsonb[])"

SIZES: Final = """
    SELECT c.relname AS name, pg_relation_size(i.indexrelid) AS bytes
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = ANY (%(tables)s::regclass[])
    UNION ALL
    SELECT c.relname, pg_table_size(c.oid) FROM pg_class AS c WHERE c.oid = ANY (%(tables)s::regclass[])
    ORDER BY bytes DESC
"""
"""What tables and each of their indexes take on the disk."""
