"""The trial: worlds decided by the reference and by the SQL, many worlds in one statement.

http://hl7.org/fhir/R4/consent.html

The SQL decides as it does for a search over many patients: whose consents leave a request the same share one
condition. Each patient of each world has a key of their own, so that no world sees into another.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from consent.compile import ACTION_BITS, PURPOSE_BITS, compile_consent
from consent.directory import Actors, expand, resolvable
from consent.grants import Standing, StandingGrant
from consent.model import Action, Request
from consent.reference import decide
from consent.shape import Shape
from consent.sql import FEW_PATIENTS, Sight, whose
from consent.store import grant_rows, membership_rows
from consent.systems import FOLLOWING
from fhirstore.keys import KeyMaker
from fhirstore.parse import Tree
from passport.evaluation.records import Records, Row, read_records, record_rows
from passport.evaluation.store import WORLD_KEYS, Connection, Question, seen, standings
from passport.evaluation.world import Asked, Refusal, World

Verdicts = Mapping[str, bool]
"""Whether each record, by its name, is permitted."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of one world, by either way."""

    reference: Verdicts
    sql: Verdicts
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A world at its place among others, with the keys that its patients have there."""

    at: int
    world: World
    records: Records
    patients: Mapping[str | None, int]
    request: Request

    @property
    def follows(self) -> bool:
        """Whether a record of it needs another one to be visible; the condition is simpler without."""
        return any(facts.type.name in FOLLOWING for _, facts in self.records.reached)

    @property
    def own(self) -> list[int]:
        """The keys of the caller's own registrations."""
        return [self.patients[name] for name in self.request.own if name in self.patients]


class Trial:
    """Decides worlds on one connection, to any PostgreSQL server; it reads and writes none of its tables."""

    def __init__(self, connection: Connection, secret: bytes, zone: ZoneInfo) -> None:
        """Prepare a trial.

        Args:
            connection: as `passport.evaluation.store.connected` opens it.
            secret: 16 or more random bytes, of which the keys of references and codes are made.
            zone: the passport's time zone.
        """
        self._connection = connection
        self._keys = KeyMaker(secret)
        self._zone = zone

    def decided(self, worlds: Sequence[World]) -> list[Decided]:
        """Decide the worlds, in their order.

        Raises:
            psycopg.Error: the server could not answer.
        """
        placed = [one for at, world in enumerate(worlds) if (one := self._placed(at, world)) is not None]
        shown = self._enforced(placed)
        referred = {one.at: _referred(one) for one in placed}
        return [
            Decided(
                _verdicts(world, referred.get(at, ())), _verdicts(world, shown.get(at, ())), world.refused
            )
            for at, world in enumerate(worlds)
        ]

    def _placed(self, at: int, world: World) -> _Placed | None:
        asked = world.asked
        if asked.purpose is None or asked.action is None:
            return None
        records = read_records(world.records, world.directory, self._zone)
        named = sorted(frozenset[str]().union(*(records.patients(facts) for _, facts in records.reached)))
        first = (at + 1) * WORLD_KEYS
        patients: dict[str | None, int] = {name: key for key, name in enumerate(named, first + 1)}
        actors = _expanded(world.directory, asked, self._zone)
        request = Request(
            actors=actors.references,
            purpose=asked.purpose,
            action=asked.action,
            at=asked.at,
            client=asked.client,
            unresolved=actors.unresolved,
            resolvable=actors.resolvable,
            own=frozenset(name for name in asked.starts if name.startswith("Patient/")),
            # Whoever asks so has opened what is asked for.
            opened=frozenset({None, *named}),
        )
        return _Placed(at, world, records, {None: first, **patients}, request)

    def _enforced(self, placed: Sequence[_Placed]) -> dict[int, set[str]]:
        """The names of the records that the SQL shows, by the place of their world."""
        shown: dict[int, set[str]] = {}
        alike: dict[tuple[bool, bool], list[_Placed]] = {}
        for one in placed:
            alike.setdefault((one.request.action is Action.ACCESS, one.follows), []).append(one)
        for (access, _), these in alike.items():
            for at, name in self._seen(these, access=access):
                shown.setdefault(at, set()).add(name)
        return shown

    def _seen(self, these: Sequence[_Placed], *, access: bool) -> Iterator[tuple[int, str]]:
        groups = self._groups(these)
        many = sum(map(len, groups.values())) > FEW_PATIENTS
        sight = Sight(list(groups), owns=any(one.own for one in these), directory=access, many=many)
        bound: dict[str, object] = {**whose([*groups.values()], many=many)}
        bound["own_patients"] = [key for one in these for key in one.own]
        whole: list[Row] = []
        parts: list[Row] = []
        names: dict[tuple[int, int], tuple[int, str]] = {}
        for one in these:
            rows = record_rows(one.records, self._keys, one.patients.__getitem__)
            whole += rows.whole
            parts += rows.parts
            names |= {(one.patients[None], key): (one.at, name) for key, name in rows.names.items()}
        within = frozenset(facts.type.name for one in these for _, facts in one.records.reached)
        for patient_key, record_key in seen(self._connection, sight, bound, whole, parts, within):
            yield names[patient_key - patient_key % WORLD_KEYS, record_key]

    def _groups(self, these: Sequence[_Placed]) -> dict[Standing, list[int]]:
        """The patients by what their consents and the policies leave to the request."""
        shapes: dict[int, Shape] = {}
        found = standings(self._connection, [self._question(one, shapes) for one in these])
        groups: dict[Standing, list[int]] = {}
        for one, rows in zip(these, found, strict=True):
            held: dict[int, list[StandingGrant]] = {}
            for patient, effect, shape, trues, falses in sorted(rows):
                held.setdefault(patient, []).append(
                    StandingGrant(effect, shapes[shape], int(trues), int(falses))
                )
            policies = held.get(one.patients[None], [])
            for name, key in one.patients.items():
                own = held.get(key, []) if name is not None else []
                groups.setdefault((*own, *policies), []).append(key)
        return groups

    def _question(self, one: _Placed, shapes: dict[int, Shape]) -> Question:
        q, keys = one.request, self._keys
        rows: dict[str, list[Mapping[str, object]]] = {}
        counted = [each for each in one.world.consents if each.counts and each.patient in one.patients]
        for number, consent in enumerate(counted):
            compiled = compile_consent(consent, keys)
            shapes.update({grant.shape_key: grant.shape for grant in compiled.grants})
            for table, found in grant_rows(compiled, one.patients[consent.patient], number).items():
                rows.setdefault(table, []).extend(found)
        for name, resource in one.world.directory.items():
            rows.setdefault("membership", []).extend(membership_rows(name, resource, keys, zone=self._zone))
            known = {"actor_key": keys.reference(name), "resolvable": resolvable(resource, self._zone)}
            rows.setdefault("collective", []).append(known)
        return Question(
            rows,
            starts=[(name.partition("/")[0], keys.reference(name)) for name in one.world.asked.starts],
            client=None if q.client is None else keys.reference(q.client),
            purpose=PURPOSE_BITS[q.purpose],
            action=ACTION_BITS[q.action],
            at=q.at,
            patients=list(one.patients.values()),
        )


def _referred(one: _Placed) -> list[str]:
    """The names of the records that the reference permits."""
    records = one.records
    return [
        name
        for name, facts in records.asked.items()
        if decide(one.world.consents, records.record(facts), one.request)
    ]


def _expanded(directory: Mapping[str, Tree], asked: Asked, zone: ZoneInfo) -> Actors:
    """What the directory makes of all that a caller acts as."""
    found = [expand(directory, start, at=asked.at, zone=zone) for start in asked.starts]
    return Actors(
        references=frozenset[str]().union(*(one.references for one in found)),
        unresolved=any(one.unresolved for one in found),
        resolvable=found[0].resolvable,
    )


def _verdicts(world: World, permitted: Collection[str]) -> Verdicts:
    return {name: name in permitted for name in world.records}
