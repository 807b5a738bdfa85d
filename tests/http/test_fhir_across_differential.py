"""A search of several types finds what searches of each of them find: drawn at random, on PostgreSQL.

http://hl7.org/fhir/R4/http.html#vsearch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhirstore.parameters import parameters_of
from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, references
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

RECORDS: Final = 60
ICD: Final = ("http://hl7.org/fhir/sid/icd-10", "I10")
DAYS: Final = ("2026-09", "2026-10-01", "2026-10-01T10:00:00+09:00", "2026-10-02", None)
TYPES: Final = (
    "Observation", "MedicationRequest", "Condition", "Procedure", "Appointment", "Provenance", "Device", "Patient",
)  # fmt: skip
SORTS: Final = (
    "",
    "_id",
    "-_id",
    "_lastUpdated",
    "-_lastUpdated",
    "date",
    "-date",
    "code",
    "-status",
    "-date,_id",
)

Asked = tuple[str, str]


@dataclass(frozen=True, repr=False)
class Filled:
    """What was written of two residents, who share a part of it with a physician."""

    callers: tuple[Voice, ...]
    patients: tuple[str, ...]
    ids: tuple[str, ...]
    agent: str


@pytest.fixture(scope="module")
async def filled(town: Town, cast: Cast) -> Filled:
    draw = Random(20261122)
    patients = [await town.resident(name) for name in ("見本 花子", "見本 太郎")]
    for patient in patients:
        await patient.grant(
            permit(cast.hospital, labels=["N"], actions=["access", "collect"]),
            permit(cast.hospital, types=["Provenance", "Patient"]),
        )
    written: list[str] = []
    for _ in range(RECORDS):
        mine, other = draw.sample(patients, 2)
        tree = _drawn(draw, mine.reference)
        written.append(await mine.create(tree))
        if tree["meta"] == made.labelled("N") and draw.random() < 0.5:
            written.append(await cast.a.create(made.provenance(written[-1], agent=cast.role_a)))
        if draw.random() < 0.2:
            written.append(await cast.a.create(_shared(draw, mine.reference, other.reference)))
    people = tuple(one.reference for one in patients)
    ids = tuple(one.partition("/")[2] for one in (*written, *people))
    return Filled((cast.a, cast.b, *patients), people, ids, cast.role_a)


def _drawn(draw: Random, patient: str) -> Json:
    day, meta = draw.choice(DAYS), {"meta": made.labelled(draw.choice(("N", "N", "R")))}
    timed: dict[str, Any] = {} if day is None else {"time": day}
    trees: tuple[Json, ...] = (
        made.weight(patient, **timed),
        made.pressure(patient, **timed),
        made.prescription(patient, made.AMLODIPINE, time=day or "2026-10-02"),
        {**made.condition(patient), **({} if day is None else {"onsetDateTime": day, "recordedDate": day})},
        {
            "resourceType": "Procedure",
            "status": "completed",
            "subject": made.reference(patient),
            "code": concept(ICD),
            **({} if day is None else {"performedDateTime": day}),
        },
        made.device(patient),
    )
    return {**draw.choice(trees), **meta}


def _shared(draw: Random, one: str, other: str) -> Json:
    hour = draw.choice(("08", "09"))
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": f"2026-10-02T{hour}:00:00+09:00",
        "end": f"2026-10-02T{hour}:30:00+09:00",
        "participant": [{"actor": made.reference(who), "status": "accepted"} for who in (one, other)],
        "meta": made.labelled("N"),
    }


@dataclass(frozen=True)
class Question:
    """What is asked, of whom by their place: `{patients[0]}` stands for a patient, `{ids[7]}` for an id."""

    types: tuple[str, ...]
    caller: int
    conditions: tuple[Asked, ...]
    sort: str
    compartment: int | None
    size: int


def _words() -> dict[str, st.SearchStrategy[str]]:
    """What may be asked of most types."""
    patient = st.sampled_from(
        ("{patients[0]}", "{patients[1]}", "{patients[0]},{patients[1]}", "Patient/nobody")
    )
    one = st.integers(0, RECORDS - 1).map(lambda at: f"{{ids[{at}]}}")
    ids = st.lists(one, min_size=1, max_size=8, unique=True).map(",".join)
    code = st.sampled_from(("29463-7", "http://loinc.org|29463-7", "|".join(ICD), "I10,29463-7", "x"))
    return {
        "patient": patient,
        "subject": patient,
        "_id": ids,
        "_id:not": ids,
        "_security": st.sampled_from(("N", "R")),
        "_lastUpdated": st.sampled_from(("gt2020", "lt2020")),
        "code": code,
        "code:not": code,
        "code:missing": st.sampled_from(("true", "false")),
        "status": st.sampled_from(("final", "active", "completed,booked", "x")),
        "status:not": st.sampled_from(("final", "active")),
        "date": st.sampled_from(("2026-10-01", "ge2026-10-01", "lt2026-10-02", "ne2026-09", "sa2026-09-30")),
        "date:missing": st.sampled_from(("true", "false")),
        "category": st.sampled_from(("vital-signs", "x")),
        "identifier:missing": st.sampled_from(("true", "false")),
        "patient.name": st.sampled_from(("見本", "架空")),
        "_has:Provenance:target:agent": st.just("{agent}"),
    }


@st.composite
def questions(draw: st.DrawFn) -> Question:
    words = _words()
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4, unique=True))
    known = sorted(name for name in words if all(_has(each, name) for each in types))
    names = draw(st.lists(st.sampled_from(known), max_size=3))
    sorts = [sort for sort in SORTS if all(_has(each, key) for each in types for key in _keys(sort))]
    return Question(
        types=tuple(types),
        caller=draw(st.integers(0, 3)),
        conditions=tuple((name, draw(words[name])) for name in names),
        sort=draw(st.sampled_from(sorts)),
        compartment=draw(st.sampled_from((None, None, 0, 1))),
        size=draw(st.integers(1, 7)),
    )


def _keys(sort: str) -> list[str]:
    return [key.removeprefix("-") for key in sort.split(",") if key]


def _has(type_name: str, name: str) -> bool:
    bare = name.partition(":")[0].partition(".")[0]
    return bare == "_has" or bare in parameters_of(type_name)


def _of_type(type_name: str, listed: Sequence[str]) -> list[str]:
    return [one for one in listed if one.partition("/")[0] == type_name]


@settings(
    max_examples=max(1, settings().max_examples // 2),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(question=questions())
async def test_several_types_find_what_each_of_them_finds(filled: Filled, question: Question) -> None:
    caller, listed = filled.callers[question.caller], ("_type", ",".join(question.types))
    known = {"patients": filled.patients, "ids": filled.ids, "agent": filled.agent}
    asked = [(name, value.format(**known)) for name, value in question.conditions]
    asked += [("_sort", question.sort)] if question.sort else []
    below = "" if question.compartment is None else f"{filled.patients[question.compartment]}/"
    place = f"{below}*" if below else ""
    all_at_once, total = await _found(caller, place, [listed, *asked])
    apart = {name: await _found(caller, f"{below}{name}", asked) for name in question.types}
    assert sorted(all_at_once) == sorted(chain.from_iterable(found for found, _ in apart.values()))
    assert total == len(all_at_once) == sum(counted for _, counted in apart.values())
    for name, (found, _) in apart.items() if question.sort else ():
        assert _of_type(name, all_at_once) == found
    pages = await caller.walk(place, listed, *asked, ("_count", str(question.size)))
    assert list(chain.from_iterable(pages)) == all_at_once


async def _found(caller: Voice, path: str, asked: Sequence[Asked]) -> tuple[list[str], int]:
    bundle = await caller.search(path, *asked, ("_count", "1000"), ("_total", "accurate"))
    return references(bundle), bundle["total"]
