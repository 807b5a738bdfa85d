"""The tables as the code describes them are those that the migrations make."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import MetaData, create_engine

from consent.tables import metadata as consent_tables
from fhirstore.tables import metadata as store_tables
from passport.audit.tables import metadata as audit_tables
from passport.cases.tables import metadata as case_tables
from passport.desk.tables import metadata as desk_tables
from passport.devices.tables import metadata as device_tables
from passport.emergencies.tables import metadata as emergency_tables
from passport.family.tables import metadata as family_tables
from passport.identity.authorization.tables import metadata as authorization_tables
from passport.identity.federation.tables import metadata as federation_tables
from passport.identity.login.tables import metadata as login_tables
from passport.identity.pace.tables import metadata as pace_tables
from passport.identity.passkeys.tables import metadata as passkey_tables
from passport.identity.qualifications.tables import metadata as qualification_tables
from passport.identity.tables import metadata as identity_tables
from passport.imports.tables import metadata as import_tables
from passport.notices.tables import metadata as notice_tables
from passport.outbox.tables import metadata as outbox_tables
from passport.patients.tables import metadata as patient_tables
from passport.policies.tables import metadata as policy_tables
from passport.remembering.tables import metadata as remembering_tables
from passport.sharing.tables import metadata as sharing_tables
from tests.databases import Database

DESCRIBED: Final[tuple[MetaData, ...]] = (
    store_tables, consent_tables, identity_tables, audit_tables, device_tables, import_tables, notice_tables,
    outbox_tables, patient_tables, sharing_tables, policy_tables,
    desk_tables, emergency_tables, family_tables, authorization_tables, login_tables,
    federation_tables, qualification_tables, remembering_tables, case_tables, passkey_tables,
    pace_tables,
)  # fmt: skip
NAMES: Final = sorted(name for metadata in DESCRIBED for name in metadata.tables)

UNDESCRIBED: Final = {"alembic_version", "installation"}
"""What the migrations themselves are kept by, and the mark that they leave."""

_COLUMNS: Final = """
    SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation::text,
        replace(pg_get_expr(adbin, adrelid), 'described.', '')
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
_INDEXES: Final = """
    SELECT replace(replace(pg_get_indexdef(indexrelid), 'described.', ''), 'public.', ''), indisprimary, indisunique
    FROM pg_index WHERE indrelid = %s::regclass
"""
_CONSTRAINTS: Final = """
    SELECT contype::text, replace(replace(pg_get_constraintdef(oid), 'described.', ''), 'public.', '')
    FROM pg_constraint WHERE conrelid = %s::regclass AND contype <> 'n'
"""


@pytest.fixture(scope="module")
def both(module_database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A migrated database in which `described` holds the tables as the code describes them."""
    with psycopg.connect(module_database.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA described")
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(
                module_database.superuser_url, options="-c search_path=described"
            ),
        )
        for metadata in DESCRIBED:
            metadata.create_all(engine)
        engine.dispose()
        yield connection


@pytest.mark.parametrize(
    "statement", [_COLUMNS, _INDEXES, _CONSTRAINTS], ids=["columns", "indexes", "constraints"]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_made_as_it_is_described(both: psycopg.Connection[Any], name: str, statement: str) -> None:
    made, described = (
        sorted(both.execute(statement, (f"{schema}.{name}",)).fetchall(), key=str)
        for schema in ("public", "described")
    )
    assert made == described


def test_every_other_table_is_the_brokers_or_the_installations(both: psycopg.Connection[Any]) -> None:
    made = {name for (name,) in both.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    others = {name for name in made - set(NAMES) if not name.startswith("procrastinate_")}
    assert others == UNDESCRIBED
