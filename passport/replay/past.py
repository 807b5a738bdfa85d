"""The database as a row's transaction saw it: versions of records, opened; consents, registrations and deaths.

http://hl7.org/fhir/R4/http.html#versioning
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.model import Consent
from consent.read import read_consent
from fhirstore.errors import BodyError
from fhirstore.parse import Limits, Tree, parse
from fhirstore.tables import NOBODY
from fhirstore.types import TYPES_BY_NUMBER, TypeNumber
from passport.keys import Unsealable
from passport.patients.death import died
from passport.records import opened_body
from passport.replay import store
from passport.replay.errors import Forgotten
from passport.replay.row import Row
from passport.runtime import Runtime
from passport.sql import Connection, Prepared, fetch

_ANY_DEPTH: Final = 1_024  # what is stored was measured on its way in


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a record. `others` are the further patients whom it names, by their keys."""

    patient_key: int
    record_key: int
    reference: str
    version: int
    written: datetime
    deleted: bool
    source: int
    others: tuple[int, ...]
    tree: Tree

    @property
    def type_name(self) -> str:
        """The name of its type."""
        return self.reference.partition("/")[0]

    @property
    def named(self) -> str:
        """`Type/id/_history/version`."""
        return f"{self.reference}/_history/{self.version}"

    @property
    def homes(self) -> frozenset[int]:
        """Everybody whom it names, by their keys."""
        return frozenset({self.patient_key, *self.others})


@dataclass(frozen=True, slots=True)
class Past:
    """What a row's transaction could see; `zone` is the time zone of then."""

    runtime: Runtime
    connection: Connection
    row: Row
    zone: ZoneInfo

    async def version(self, record_key: int, version: int) -> Stored | None:
        """One version, whenever it was written.

        Raises:
            Forgotten: it was erased.
        """
        asked = {"record_keys": [record_key], "versions": [version]}
        return next(iter(self._opened(await fetch(self.connection, store.VERSIONS, asked))), None)

    async def current(self, references: Collection[str], *, own: bool = False) -> dict[str, Stored]:
        """The versions of then of records, by reference; with `own` also what the row's transaction wrote itself.

        Raises:
            Forgotten: one of them was erased.
        """
        keys = [self.runtime.keys.reference(reference) for reference in references]
        return {one.reference: one for one in await self._there(store.THESE, own=own, record_keys=keys)}

    async def written_by(self, references: Collection[str], instant: datetime) -> dict[str, Stored]:
        """The versions of records as they had been written by an instant.

        Raises:
            Forgotten: one of them was erased.
        """
        keys = [self.runtime.keys.reference(reference) for reference in references]
        by_time = {"recorded": instant, "written_in": None, "seen": None, "cluster": None, "own": False}
        rows = await fetch(self.connection, store.THESE, {**by_time, "record_keys": keys})
        return {one.reference: one for one in self._opened(rows)}

    async def consents(self, patient_keys: Iterable[int]) -> list[Consent]:
        """The consents of these patients and the policies, as far as they counted.

        Raises:
            Forgotten: one of the patients was erased.
        """
        wanted = sorted({NOBODY, *patient_keys})
        await self.registered(wanted)
        found = [self._read(one) for one in await self._there(store.CONSENTS, patient_keys=wanted)]
        return [one for one in found if one is not None and one.counts]

    async def registered(self, patient_keys: Iterable[int]) -> dict[int, str]:
        """The Patients of these keys as references.

        Raises:
            Forgotten: one of them was erased.
        """
        wanted = sorted(set(patient_keys) - {NOBODY})
        rows = await fetch(self.connection, store.REGISTERED, {"patient_keys": wanted})
        known = {row.patient_key: f"Patient/{row.patient_id}" for row in rows}
        if len(known) < len(wanted):
            raise Forgotten
        return known

    async def families(self, patient_keys: Collection[int]) -> dict[int, frozenset[int]]:
        """All registrations of the same person, for each of these; most often that one alone."""
        asked = {**self.row.seen, "own": False, "patient_keys": list(patient_keys)}
        merges = await fetch(self.connection, store.MERGES, asked)
        families = {key: {key} for key in patient_keys}
        for merge in merges:
            pair = (merge.patient_key, merge.survivor_key)
            together = set[int]().union(*(families.get(key, {key}) for key in pair))
            families |= dict.fromkeys(together, together)
        return {key: frozenset(families[key]) for key in patient_keys}

    async def deaths(self, patient_keys: Collection[int]) -> dict[int, tuple[datetime, ...]]:
        """Since when each of these was dead, by what the Patient of each of their registrations said.

        Raises:
            Forgotten: one of the registrations was erased.
        """
        families = await self.families(patient_keys)
        everyone = sorted(frozenset[int]().union(*families.values()))
        told = await self._there(store.PATIENTS, patient_keys=everyone)
        by_registration = groupby(told, key=lambda one: one.patient_key)
        stated = {key: _stated(list(versions), self.zone) for key, versions in by_registration}
        return {
            key: tuple(since for one in sorted(family) if (since := stated.get(one)) is not None)
            for key, family in families.items()
        }

    async def _there(self, statement: Prepared, *, own: bool = False, **asked: Any) -> list[Stored]:
        rows = await fetch(self.connection, statement, {**self.row.seen, "own": own, **asked})
        return self._opened(rows)

    def _opened(self, rows: Sequence[Any]) -> list[Stored]:
        return [self._stored(row) for row in rows]

    def _stored(self, row: Any) -> Stored:
        if row.wrapped_key is None:
            raise Forgotten
        try:
            key = self.runtime.ring.unwrap(row.patient_key, bytes(row.wrapped_key))
            body = opened_body(row, key, row.type)
        except (Unsealable, BodyError):
            raise Forgotten from None
        return Stored(
            patient_key=row.patient_key,
            record_key=row.record_key,
            reference=f"{TYPES_BY_NUMBER[TypeNumber(row.type)].name}/{row.id}",
            version=row.version,
            written=row.last_updated,
            deleted=row.deleted,
            source=row.source,
            others=tuple(row.others or ()),
            tree=parse(body, Limits(size_bytes=len(body), depth=_ANY_DEPTH)),
        )

    def _read(self, one: Stored) -> Consent | None:
        """A consent as it was read then; one that was deleted, or put to somebody unknown, gives nothing."""
        if one.deleted:
            return None
        read = read_consent(one.tree, reference=one.reference, version=one.version, zone=self.zone)
        if not isinstance(read, Consent) or (one.patient_key == NOBODY and read.patient is not None):
            return None
        return read


def _stated(versions: Sequence[Stored], zone: ZoneInfo) -> datetime | None:
    """Since when a Patient says that the person is dead, after all its versions.

    A correction is no later than the news of it, and a version that says nothing of it takes it back. A deletion
    is no version that says anything.
    """
    news: datetime | None = None
    since: datetime | None = None
    for one in versions:
        if one.deleted:
            continue
        said = died(one.tree, one.written, zone)
        if said is None:
            news, since = None, None
        elif news is None:
            news, since = one.written, said
        else:
            since = min(said, news)
    return since


def names(past: Past, references: Iterable[str]) -> Mapping[int, str]:
    """The references by the keys under which rows hold them."""
    return {past.runtime.keys.reference(reference): reference for reference in references}
