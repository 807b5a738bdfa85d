"""What links could tell of records that the searcher may not see: chains, `_has`, includes, orders, cursors.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#include
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests import resources as made
from tests.attacks.work import work_of
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

UNKNOWN = "Observation/00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Linked:
    """Weights that a clinic may see, linked both ways to blood pressures that it may not see."""

    patient: Voice
    clinic: Voice
    consent: str
    under: str
    over: str
    hidden: str

    @property
    def own(self) -> tuple[str, str]:
        return ("patient", self.patient.reference)


@pytest.fixture
async def linked(hanako: Voice, cast: Cast) -> Linked:
    (consent,) = await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT]))
    await hanako.grant(permit(cast.clinic, types=["Patient"]))
    under = await hanako.create(made.weight(hanako.reference, 61.0))
    hidden = await hanako.create(made.pressure(hanako.reference, derivedFrom=[made.reference(under)]))
    over = await hanako.create(made.weight(hanako.reference, 62.0, derivedFrom=[made.reference(hidden)]))
    return Linked(hanako, cast.a_at_k, consent, under, over, hidden)


async def test_a_chain_through_a_denied_record_leads_nowhere(linked: Linked) -> None:
    for name, value in (
        ("derived-from:Observation.code", "85354-9"),
        ("derived-from:Observation.status", "final"),
        ("derived-from:Observation.status:not", "amended"),
        ("derived-from:Observation.category:missing", "false"),
        ("derived-from:Observation._id", linked.hidden.partition("/")[2]),
        ("derived-from:Observation.derived-from:Observation.code", "29463-7"),
        ("derived-from:Observation.component-value-quantity", "gt1"),
    ):
        assert await linked.clinic.found("Observation", linked.own, (name, value)) == [], name
        assert linked.over in await linked.patient.found("Observation", (name, value)), name


async def test_a_denied_record_gives_nothing_to_have(linked: Linked) -> None:
    for name, value in (
        ("_has:Observation:derived-from:code", "85354-9"),
        ("_has:Observation:derived-from:status", "final"),
        ("_has:Observation:derived-from:code:not", "29463-7"),
        ("_has:Observation:derived-from:_has:Observation:derived-from:code", "29463-7"),
    ):
        assert await linked.clinic.found("Observation", linked.own, (name, value)) == [], name
        assert linked.under in await linked.patient.found("Observation", (name, value)), name
    itself = ("_id", linked.patient.reference.partition("/")[2])
    for code, finds in (("85354-9", False), ("29463-7", True)):
        found = await linked.clinic.found("Patient", itself, ("_has:Observation:patient:code", code))
        assert found == ([linked.patient.reference] if finds else [])


@pytest.mark.parametrize(
    "instruction",
    [
        ("_include", "Observation:derived-from"),
        ("_include", "*"),
        ("_include:iterate", "Observation:derived-from"),
        ("_include:iterate", "*"),
        ("_revinclude", "Observation:derived-from"),
        ("_revinclude", "*"),
        ("_revinclude:iterate", "*"),
    ],
)
async def test_a_denied_record_never_comes_along(linked: Linked, instruction: tuple[str, str]) -> None:
    bundle = await linked.clinic.search("Observation", linked.own, ("code", "29463-7"), instruction)
    shown = {linked.under, linked.over, linked.patient.reference}
    assert {linked.under, linked.over} <= set(references(bundle)) <= shown
    owned = await linked.patient.search("Observation", ("code", "29463-7"), instruction)
    assert linked.hidden in references(owned)


async def test_going_on_does_not_lead_through_a_denied_record(linked: Linked) -> None:
    query = (("_id", linked.over.partition("/")[2]), ("_include:iterate", "Observation:derived-from"))
    assert await linked.clinic.found("Observation", *query) == [linked.over]
    assert await linked.patient.found("Observation", *query) == [linked.over, linked.hidden, linked.under]


async def test_a_link_needs_the_scope_of_its_type(linked: Linked, cast: Cast) -> None:
    narrow = cast.town.as_(cast.role_a_at_k, scope="user/Observation.rs")
    outcome(await narrow.get("Observation", ("subject:Patient._id", "x")), 403)
    bundle = await narrow.search("Observation", linked.own, ("code", "29463-7"), ("_include", "*"))
    assert set(references(bundle)) == {linked.under, linked.over}
    only_patients = cast.town.as_(cast.role_a_at_k, scope="user/Patient.rs")
    outcome(await only_patients.get("Patient", ("_has:Observation:patient:code", "29463-7")), 403)


async def test_a_cursor_of_an_order_by_elements_is_its_callers_alone(linked: Linked, cast: Cast) -> None:
    query = (("patient", linked.patient.reference), ("_sort", "value-quantity"), ("_count", "1"))
    bundle = await linked.clinic.search("Observation", *query)
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    for voice in (linked.patient, cast.a, cast.town.as_(cast.role_a_at_k, "CAREMGT")):
        outcome(await voice.get(further), 400, "invalid")
    assert references((await linked.clinic.get(further)).json()) == [linked.over]
    await linked.patient.remove(linked.consent)
    after = (await linked.clinic.get(further)).json()
    assert "entry" not in after
    assert link(after, "next") is None


async def test_a_chain_to_a_denied_id_costs_what_one_to_an_unknown_id_costs(
    linked: Linked, town: Town, tmp_path: Path
) -> None:
    costs = []
    for reference in (linked.hidden, UNKNOWN):
        id_ = reference.partition("/")[2]
        for query in (f"derived-from:Observation._id={id_}", f"derived-from={reference}"):
            path = f"Observation?{query}&_include=*"
            for _ in range(3):
                await linked.clinic.get(path)
            work = await work_of(town, partial(linked.clinic.get, path), tmp_path / "trace")
            costs.append((query.partition("=")[0], work.statements, work.cryptography))
    # A record that may be seen says itself to what it refers; what the search finds of it is no secret.
    assert costs[0] == costs[2]
