"""What the database is asked: who the service is there, what it may do, and what of it survives.

https://www.postgresql.org/docs/current/view-pg-roles.html
https://www.postgresql.org/docs/current/runtime-config-wal.html
"""

from typing import Final

APPEND_ONLY: Final = ("audit_event", "resource_version", "opening", "device_message")
"""What the service may add to and never change."""

WALLED: Final = (
    "identifier_index",
    "import_entry",
    "import_job",
    "notification",
    "quarantine",
    "resource",
    "resource_part",
    "resource_token",
    "resource_version",
)
"""What stands behind the wall."""

SERVER: Final = """
SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') = 'on' AS fsync,
    current_setting('full_page_writes') = 'on' AS full_pages, current_setting('synchronous_commit') AS commits,
    coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS near,
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted
"""

ROLE: Final = """
SELECT r.rolname AS name, r.rolsuper AS super, r.rolbypassrls AS bypasses, r.rolcreaterole AS makes_roles,
    EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owns,
    ARRAY (SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname = ANY (%(walled)s) AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        ORDER BY 1) AS open_tables,
    ARRAY (SELECT t FROM unnest(%(append_only)s::text[]) AS t
        WHERE has_table_privilege(t, 'UPDATE') OR has_table_privilege(t, 'DELETE') ORDER BY 1) AS changeable
FROM pg_roles AS r WHERE r.rolname = current_user
"""

REVISION: Final = "SELECT version_num FROM alembic_version"

OPERATORS: Final = """
SELECT count(DISTINCT coalesce(person, subject)) FROM sign_in_code
WHERE kind = 'operator' AND active
"""
"""How many persons sign in as operators."""

LAST_BACKUP: Final = """
SELECT max(recorded) FROM audit_event
WHERE patient_key = 0 AND action = %(backup)s AND recorded > coalesce(
    (SELECT max(recorded) FROM audit_event WHERE patient_key = 0 AND action = %(restore)s), '-infinity')
"""
"""When this installation was backed up: what it was put back from is a backup of another one."""
