"""What records inside of records could tell: contained ones, stored Bundles, documents and what they refer to.

http://hl7.org/fhir/R4/documents.html
"""

import pytest

from consent.systems import LOINC
from tests import resources as made
from tests.attacks.twins import Twins, twins_of
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

STAMP = "2026-10-01T09:00:00+09:00"


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


def composition(patient: str, *entries: str) -> Json:
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": concept((LOINC, "18842-5")),
        "subject": made.reference(patient),
        "date": "2026-10-01",
        "author": [{"display": "例示病院（架空）"}],
        "title": "架空の記録",
        "section": [{"title": "架空", "entry": [made.reference(entry) for entry in entries]}],
    }


def document(patient: str, *trees: Json) -> Json:
    absolute = f"{BASE_URL}/fhir/{patient}"
    names = [f"urn:uuid:{at:08d}-0000-4000-8000-000000000000" for at in range(1, len(trees) + 1)]
    identifier = {"system": "http://example.test/documents", "value": "1"}
    return made.bundle(
        composition(absolute, *names), *trees, kind="document", identifier=identifier, timestamp=STAMP
    )


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_container_of_a_hidden_record_is_unknown(twins: Twins, method: str) -> None:
    holding = twins.full.hidden["a contained record"]
    denied = await twins.physician.call(method, holding)
    unknown = await twins.physician.call(method, "Observation/00000000-0000-4000-8000-000000000000")
    outcome(denied, 404, "not-found")
    assert denied.content == unknown.content


async def test_a_document_with_one_denied_entry_is_unknown(hanako: Voice, cast: Cast) -> None:
    absolute = f"{BASE_URL}/fhir/{hanako.reference}"
    await hanako.grant(
        permit(cast.clinic, types=["Bundle", "Composition"]), permit(cast.clinic, codes=[made.BODY_WEIGHT])
    )
    shown = await hanako.create(document(hanako.reference, made.weight(absolute)))
    hidden = await hanako.create(document(hanako.reference, made.weight(absolute), made.pressure(absolute)))
    assert await cast.a_at_k.found("Bundle", ("_total", "accurate")) == [shown]
    assert (await cast.a_at_k.get(shown)).status_code == 200
    for path in (hidden, f"{hidden}/_history", f"{hidden}/_history/1", f"{hidden}/$meta"):
        outcome(await cast.a_at_k.get(path), 404, "not-found")


async def test_a_composition_is_shown_as_stored_and_opens_nothing_that_it_names(
    hanako: Voice, cast: Cast
) -> None:
    secret = await hanako.create(made.pressure(hanako.reference))
    stored = await hanako.create(composition(hanako.reference, secret))
    of_nothing = await hanako.create(composition(hanako.reference, "Observation/never"))
    await hanako.grant(permit(cast.clinic, types=["Composition"]))
    for reference, named in ((stored, secret), (of_nothing, "Observation/never")):
        shown = (await cast.a_at_k.get(reference)).json()
        assert shown["section"][0]["entry"] == [{"reference": named}]
        outcome(await cast.a_at_k.get(named), 404, "not-found")
    bundle = await cast.a_at_k.search("Composition", ("_include", "*"), ("_include:iterate", "*"))
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} == {"Composition"}
