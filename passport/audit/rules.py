"""By which rules a process decides: its software, and what the installation sets of time zone and death.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA

Each process writes its rules down once, and its connections name them in every row of the audit log. Transactions
are numbered by the cluster: what was restored into another one is not compared by their numbers.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final, Self

import orjson
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from passport.settings import Settings

DISTRIBUTION: Final = "healthcare-passport"
DIGEST_BYTES: Final = 16

ENGINE: Final = "consent"
"""The package that decides; it is read here, and not called."""

_CLUSTER: Final = "SELECT system_identifier::text FROM pg_control_system()"
_KNOWN: Final = "SELECT number FROM rules WHERE digest = %s"
_WRITE_DOWN: Final = """
INSERT INTO rules (digest, content, cluster, since) VALUES (%s, %s::jsonb, %s, %s) ON CONFLICT (digest) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a decision depends on beside the database.

    `engine` is a digest of the package that decides. Of `grants_linger` and `proxies_linger`, in seconds, None is
    that a person's grants outlive them for good.
    """

    software: str
    engine: str
    zone: str
    grants_linger: float | None
    proxies_linger: float | None
    sandbox: bool
    fhir_url: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules of a process with these settings."""
        return cls(
            software=version(DISTRIBUTION),
            engine=engine_digest(),
            zone=settings.zone.key,
            grants_linger=_seconds(settings.grants_linger),
            proxies_linger=_seconds(settings.proxies_linger),
            sandbox=settings.sandbox,
            fhir_url=settings.fhir_url,
        )

    @classmethod
    def read(cls, content: dict[str, Any]) -> Self:
        """The rules as they were written down."""
        return cls(**content)

    @property
    def written(self) -> bytes:
        """The rules as they are written down."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)


@cache
def engine_digest() -> str:
    """A digest of the sources that decide: two processes with the same one decide alike."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for source in sorted(files(ENGINE).iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py"):
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


async def written_down(database_url: str, settings: Settings, now: datetime) -> int:
    """The number of this process's rules, which are written down if nobody with the same ones came before.

    Raises:
        psycopg.Error: the database does not answer, or is not migrated.
    """
    rules = Rules.of(settings)
    async with await AsyncConnection[TupleRow].connect(database_url, autocommit=True) as connection:
        (cluster,) = await _one(connection, _CLUSTER)
        digest = blake2b(cluster.encode() + rules.written, digest_size=DIGEST_BYTES).digest()
        known = await _row(connection, _KNOWN, digest)
        if known is None:
            await connection.execute(_WRITE_DOWN, (digest, rules.written.decode(), cluster, now))
            known = await _one(connection, _KNOWN, digest)
    return int(known[0])


async def _row(connection: AsyncConnection[TupleRow], statement: str, *values: object) -> TupleRow | None:
    return await (await connection.execute(statement, values)).fetchone()


async def _one(connection: AsyncConnection[TupleRow], statement: str, *values: object) -> TupleRow:
    row = await _row(connection, statement, *values)
    if row is None:
        raise LookupError(statement)
    return row


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
