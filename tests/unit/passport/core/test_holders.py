"""Under whom a record is stored, and whom else it names."""

from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from consent.model import Action
from fhirstore import store
from fhirstore.facts import Facts, extract
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.authority import Basis
from passport.holders import Holders, check_held, holders_of, wanted
from passport.outcomes import Invalid, Refused
from passport.records import Owner
from passport.subjects import Bearer
from tests import resources as made
from tests.town import BASE_URL, Town
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

P, Q, UNKNOWN = "Patient/p", "Patient/q", "Patient/unknown"
P_KEY, Q_KEY, NOBODYS_KEY = b"p" * 32, b"q" * 32, b"0" * 32


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    token = await town.token("operator", "HOPERAT")
    request = Request(Action.COLLECT, "create", "POST x", isolation="write")
    async with admitted(town.runtime, Bearer(sha256(token.encode()).digest()), request) as opened:
        yield opened


def holders(desk: Desk) -> Holders:
    """P and Q have passports; an observation of each is there."""
    keys = desk.runtime.keys
    held = {P: (7, P_KEY), Q: (8, Q_KEY), "Observation/of-p": (7, P_KEY), "Observation/of-q": (8, Q_KEY)}
    return Holders({keys.reference(name): holder for name, holder in held.items()}, NOBODYS_KEY)


def facts(desk: Desk, tree: Json) -> Facts:
    return extract(
        {**tree, "id": "x"}, zone=desk.runtime.settings.zone, base_urls=(desk.runtime.settings.fhir_url,)
    )


def owner(desk: Desk, tree: Json, on: Basis = Basis.CONSENT, beside: Owner | None = None) -> Owner:
    check_held(desk, facts(desk, tree), on)
    return holders(desk).owner(desk, facts(desk, tree), on, beside)


async def test_a_record_lies_with_the_first_patient_beside_the_others(desk: Desk) -> None:
    assert owner(desk, made.weight(P)) == Owner(7, P_KEY)
    assert owner(desk, made.weight(f"{BASE_URL}/fhir/{P}")) == Owner(7, P_KEY)
    shared = made.weight(Q, performer=[made.reference(P), made.reference(Q)])
    assert owner(desk, shared) == Owner(8, Q_KEY, (7,))
    assert owner(desk, made.group(P, Q)) == Owner(7, P_KEY, (8,))


async def test_patients_inside_of_a_record_are_among_those_it_names(desk: Desk) -> None:
    inside = {**made.weight(Q), "id": "o"}
    whole = made.pressure(P, contained=[inside], hasMember=[made.reference("#o")])
    assert owner(desk, whole) == Owner(7, P_KEY, (8,))


async def test_a_record_that_names_somebody_unknown_is_refused(desk: Desk) -> None:
    for tree in (made.weight(UNKNOWN), made.group(P, UNKNOWN), made.provenance("Observation/no", agent=P)):
        with pytest.raises(Refused):
            owner(desk, tree)


async def test_a_proposal_to_somebody_unknown_lies_with_nobody(desk: Desk) -> None:
    for patient, expected in ((P, Owner(7, P_KEY)), (UNKNOWN, Owner(NOBODY, NOBODYS_KEY))):
        tree = consent_json(permit("Practitioner/a"), patient, status="proposed")
        assert owner(desk, tree, Basis.PROPOSAL) == expected


async def test_the_directory_and_policies_lie_with_nobody(desk: Desk) -> None:
    for tree in (
        made.organization("x"),
        consent_json(permit("Practitioner/a"), None),
        {"resourceType": "Group"},
    ):
        assert owner(desk, tree, Basis.OFFICE) == Owner(NOBODY, NOBODYS_KEY)


async def test_a_record_of_a_patients_type_names_a_patient(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        owner(desk, {"resourceType": "Observation", "status": "final", "code": {"text": "x"}})
    assert refused.value.status == 422
    assert refused.value.problems[0].expression == "Observation.subject"


async def test_a_provenance_lies_with_its_first_target_beside_its_agents(desk: Desk) -> None:
    of_p = made.provenance("Observation/of-p", agent="Practitioner/a")
    assert owner(desk, of_p) == Owner(7, P_KEY)
    assert owner(desk, made.provenance("Observation/of-p", agent=Q)) == Owner(7, P_KEY, (8,))
    assert owner(desk, made.provenance("Observation/of-p", agent=P)) == Owner(7, P_KEY)


async def test_a_provenance_beside_its_target_lies_with_it_and_its_agents_are_named(desk: Desk) -> None:
    beside = Owner(7, P_KEY, (9,))
    tree = made.provenance("Observation/new", agent=Q)
    assert owner(desk, tree, beside=beside) == Owner(7, P_KEY, (8, 9))
    assert owner(desk, made.provenance("Observation/new", agent="Device/d"), beside=beside) == beside


async def test_a_new_person_holds_themselves_beside_those_they_are_linked_to(desk: Desk) -> None:
    def linked(*others: str) -> Json:
        links = [{"other": made.reference(other), "type": "seealso"} for other in others]
        return {"resourceType": "Patient", **({"link": links} if links else {})}

    known = holders(desk)
    assert known.registered(desk, facts(desk, linked()), 9, b"r" * 32) == Owner(9, b"r" * 32)
    assert known.registered(desk, facts(desk, linked(Q, P)), 9, b"r" * 32) == Owner(9, b"r" * 32, (7, 8))
    with pytest.raises(Refused):
        known.registered(desk, facts(desk, linked(UNKNOWN)), 9, b"r" * 32)


async def test_all_that_records_refer_to_is_looked_up_at_once(desk: Desk) -> None:
    keys = desk.runtime.keys
    asked = wanted(
        desk, [facts(desk, made.group(P, Q)), facts(desk, made.provenance("Observation/of-p", agent=P))]
    )
    assert asked == sorted(map(keys.reference, (P, Q, "Observation/of-p")))


async def test_nobodys_key_is_found_whatever_is_asked(desk: Desk) -> None:
    found = holders_of(desk, await store.owners(desk.connection, []))
    assert found.known == {}
    assert len(found.nobody) == 32
