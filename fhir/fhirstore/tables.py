"""Tables of the store: current records, their versions, and what search and consent read of them.

http://hl7.org/fhir/R4/http.html#versioning

Every patient-owned table leads with `patient_key`, and no constraint crosses patients: that makes the
schema a Citus schema as it stands. `patient_key` 0 is nobody: directory resources and policies.
`locator` and `identifier_index` lead with their own key, since they answer questions that name no patient.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

NOBODY: Final = 0
"""The patient_key of directory resources and of policies."""

metadata = MetaData()

UNDATED: Final = "0001-01-01 00:00:00+00"
"""Where a record without a time stands in an order: finite, because drivers read no infinity."""

_UNDATED = text(f"'{UNDATED}'::timestamptz")


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _keys(name: str) -> Column[object]:
    """A set of keys; NULL where it is empty, since an empty array takes more room than many a fact."""
    return Column(name, ARRAY(BigInteger), nullable=True)


def _times() -> tuple[Column[object], ...]:
    return (_instant("starts", nullable=True), _instant("ends", nullable=True))


def _numbers() -> tuple[Column[object], ...]:
    return (
        Column("type", SmallInteger, nullable=False),
        Column("confidentiality", SmallInteger, nullable=True),
    )


def _key_sets() -> tuple[Column[object], ...]:
    return (
        _keys("labels"),
        _keys("codes"),
        _keys("code_systems"),
        _keys("categories"),
        _keys("authors"),
        Column("refs", ARRAY(BigInteger), nullable=False),
    )


def fact_columns() -> tuple[Column[object], ...]:
    """The facts of a record that consent reads, the same in every table that holds records or parts."""
    return (*_times(), *_numbers(), *_key_sets())


def _record_columns(*, each_version: bool = False) -> tuple[Column[object], ...]:
    """What a record's row holds, the widest columns first, so that none is padded; `each_version` has a row."""
    return (
        _instant("last_updated"),
        Column("status", BigInteger, nullable=True),
        Column("source", BigInteger, nullable=False),
        *_times(),
        Column("version", Integer, primary_key=each_version, nullable=False, autoincrement=False),
        *_numbers(),
        Column("codec", SmallInteger, nullable=False),
        Column("deleted", Boolean, nullable=False),
        Column("parts", Boolean, nullable=False),
        Column("owned_otherwise", Boolean, nullable=False),
        Column("id", Text(collation="C"), nullable=False),
        Column("body", LargeBinary, nullable=False),
        *_key_sets(),
        _keys("follows"),
        _keys("others"),
    )


dictionary = Table(
    "dictionary",
    metadata,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", Text(collation="C"), nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    _instant("created_at"),
)
"""What bodies are compressed with: `number` is their codec, and means the same content for good."""

patient = Table(
    "patient",
    metadata,
    Column("patient_key", BigInteger, primary_key=True),
    Column("patient_id", Text(collation="C"), nullable=False, unique=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    _instant("created_at"),
)

locator = Table(
    "locator",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, nullable=False),
)

resource = Table(
    "resource",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    *_record_columns(),
    Index(
        "resource_by_type",
        "patient_key",
        "type",
        text(f"coalesce(starts, '{UNDATED}'::timestamptz)"),
        "record_key",
    ),
    Index(
        "proposed_consent_by_source",
        "source",
        "last_updated",
        postgresql_where=text("type = 19"),
    ),
)

resource_version = Table(
    "resource_version",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    *_record_columns(each_version=True),
    Index(
        "proposed_version_by_source",
        "source",
        "last_updated",
        postgresql_where=text("type = 19"),
    ),
)

resource_part = Table(
    "resource_part",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("part_key", BigInteger, nullable=True),
    *_times(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    *_numbers(),
    *_key_sets(),
)

resource_token = Table(
    "resource_token",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("parameter", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger, primary_key=True, autoincrement=False),
    Column("starts", TIMESTAMP(timezone=True), primary_key=True, server_default=_UNDATED),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
)

identifier_index = Table(
    "identifier_index",
    metadata,
    Column("value", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Index("identifier_index_by_record", "patient_key", "record_key"),
)

copatient = Table(
    "copatient",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("other_key", BigInteger, primary_key=True, autoincrement=False),
)
