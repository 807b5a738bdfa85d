"""What searching could tell of records that the searcher may not see, one way after the other.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Awaitable
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response

from tests import resources as made
from tests.attacks.twins import DAYS, Twin, Twins, masked, twins_of
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

Params = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


async def walked(voice: Voice, patient: str, *params: tuple[str, str]) -> list[Json]:
    """Every page of a walk."""
    bundle = await voice.search("Observation", ("patient", patient), *params)
    pages = [bundle]
    while (further := link(bundle, "next")) is not None:
        bundle = (await voice.get(further.removeprefix(BASE_URL))).json()
        pages.append(bundle)
    return pages


@pytest.mark.parametrize(
    "params",
    [
        (("_summary", "count"),),
        (("_total", "accurate"),),
        (("_total", "accurate"), ("_count", "0")),
        (("_total", "accurate"), ("_count", "2")),
        (("_total", "accurate"), ("code", "85354-9")),
        (("_total", "accurate"), ("status", "final")),
        (("_total", "accurate"), ("category", "vital-signs")),
    ],
)
async def test_counts_are_counts_of_what_is_permitted(twins: Twins, params: Params) -> None:
    await twins.alike(
        lambda voice, twin: voice.get("Observation", ("patient", twin.patient.reference), *params)
    )
    await twins.alike(
        lambda voice, twin: voice.get("MedicationRequest", ("patient", twin.patient.reference), params[0])
    )


async def test_there_are_no_estimates(twins: Twins) -> None:
    for answer in await twins.alike(
        lambda voice, twin: voice.get(
            "Observation", ("patient", twin.patient.reference), ("_total", "estimate")
        )
    ):
        outcome(answer, 400)


@pytest.mark.parametrize("sort", ["date", "-date", "_lastUpdated", "-_lastUpdated"])
async def test_a_walk_one_by_one_has_neither_short_nor_empty_pages_nor_gaps(twins: Twins, sort: str) -> None:
    for twin in (twins.full, twins.bare):
        pages = await walked(twins.physician, twin.patient.reference, ("_count", "1"), ("_sort", sort))
        assert [len(page["entry"]) for page in pages] == [1] * len(DAYS)
        shown = [references(page)[0] for page in pages]
        assert shown == list(twin.shown if sort in ("date", "_lastUpdated") else twin.shown[::-1])


async def test_a_walk_by_id_shows_what_is_permitted_and_ends(twins: Twins) -> None:
    for twin in (twins.full, twins.bare):
        pages = await walked(twins.physician, twin.patient.reference, ("_count", "1"), ("_sort", "_id"))
        assert [references(page)[0] for page in pages] == sorted(twin.shown)


async def test_cursors_give_no_place_among_hidden_records_away(twins: Twins) -> None:
    lengths = set()
    for twin in (twins.full, twins.bare):
        for page in (await walked(twins.physician, twin.patient.reference, ("_count", "1")))[:-1]:
            (cursor,) = parse_qs(urlsplit(link(page, "next") or "").query)["_cursor"]
            lengths.add(len(cursor))
    assert len(lengths) == 1


@pytest.mark.parametrize(
    "params",
    [
        (("_sort", "_lastUpdated"), ("_type", "Observation,MedicationRequest,Condition,Procedure")),
        (("_total", "accurate"), ("_count", "1")),
        (("_summary", "count"),),
        (("_type", "Observation,MedicationRequest"), ("_total", "accurate")),
        (("_type", "MedicationRequest,Condition"), ("_summary", "count")),
        (("_type", "Observation,MedicationRequest"), ("code", "85354-9,29463-7,C09CA06"), ("_count", "2")),
        (("_type", "Observation,MedicationRequest"), ("code:not", "29463-7"), ("_total", "accurate")),
        (("_type", "Observation,MedicationRequest"), ("_sort", "-status,_lastUpdated"), ("_count", "1")),
        (("_security", "R"), ("_total", "accurate")),
        (("_type", "Observation,Consent"), ("_revinclude", "*"), ("_count", "3")),
    ],
)
async def test_several_types_at_once_tell_nothing_of_what_is_hidden(twins: Twins, params: Params) -> None:
    await twins.alike(lambda voice, twin: voice.get(f"{twin.patient.reference}/*", *params))
    if "_type" in dict(params):
        await twins.alike(lambda voice, twin: voice.get("", ("patient", twin.patient.reference), *params))
    walk = (("_count", "1"), ("_type", "Observation,MedicationRequest"))
    for twin in (twins.full, twins.bare):
        pages = await twins.physician.walk(f"{twin.patient.reference}/*", *walk)
        assert pages == [[one] for one in twin.shown[::-1]]


async def test_a_cursor_of_one_who_sees_more_opens_for_nobody_else(twins: Twins, cast: Cast) -> None:
    for patient in (twins.full.patient, twins.bare.patient):
        bundle = await patient.search("Observation", ("patient", patient.reference), ("_count", "1"))
        further = (link(bundle, "next") or "").removeprefix(BASE_URL)
        for voice in (twins.physician, twins.colleague, cast.town.as_(cast.role_a, "CAREMGT")):
            outcome(await voice.get(further), 400, "invalid")


async def test_a_cursor_shows_nothing_after_the_withdrawal(hanako: Voice, cast: Cast) -> None:
    for day in DAYS:
        await hanako.create(made.weight(hanako.reference, time=day))
    (consent,) = await hanako.grant(permit(cast.clinic))
    bundle = await cast.a_at_k.search("Observation", ("patient", hanako.reference), ("_count", "1"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    await hanako.remove(consent)
    after = (await cast.a_at_k.get(further)).json()
    assert "entry" not in after
    assert link(after, "next") is None


@pytest.mark.parametrize(
    "params",
    [
        (("code", "85354-9"),),
        (("code", "http://loinc.org|85354-9,http://loinc.org|29463-7"),),
        (("category", "vital-signs"),),
        (("date", "2026-10-01"),),
        (("date", "ne2026-10-01"),),
        (("date", "gt2026-10-03"), ("date", "lt2026-10-05")),
        (("status", "final"),),
        (("_lastUpdated", "gt2020"),),
        (("_sort", "-date"), ("_count", "3")),
        (("_sort", "date"), ("_count", "1000")),
    ],
)
async def test_each_parameter_finds_alike(twins: Twins, params: Params) -> None:
    await twins.alike(
        lambda voice, twin: voice.get("Observation", ("patient", twin.patient.reference), *params)
    )


async def test_a_denied_id_is_found_like_an_unknown_one(twins: Twins) -> None:
    for answer in await twins.as_unknown(
        lambda voice, reference: voice.get(
            reference.partition("/")[0], ("_id", reference.partition("/")[2]), ("_total", "accurate")
        )
    ):
        assert answer.json()["total"] == 0


async def test_ids_of_visible_and_denied_records_together_find_the_visible_ones(twins: Twins) -> None:
    hidden = [name for name in twins.full.hidden.values() if name.startswith("Observation/")]
    ids = ",".join(name.partition("/")[2] for name in (*hidden, *twins.full.shown))
    assert sorted(await twins.physician.found("Observation", ("_id", ids))) == sorted(twins.full.shown)


async def test_a_patient_who_shared_nothing_is_searched_like_an_unknown_one(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.create(made.weight(hanako.reference))
    unknown = "Patient/00000000-0000-4000-8000-000000000000"
    for type_name in ("Observation", "Consent", "AuditEvent", "Provenance", "MedicationRequest"):
        known, absent = [
            await cast.a_at_k.get(type_name, ("patient", patient), ("_total", "accurate"))
            for patient in (hanako.reference, unknown)
        ]
        assert masked(known) == masked(absent)


async def test_an_identifier_that_only_a_denied_record_has_finds_nothing(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    system = "http://example.test/identifiers"
    secret = made.pressure(hanako.reference, identifier=made.identifiers((system, "taken")))
    await hanako.create(secret)
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT]))
    taken, free = [
        await cast.a_at_k.get("Observation", ("identifier", f"{system}|{value}"), ("_total", "accurate"))
        for value in ("taken", "free0")
    ]
    assert taken.json()["total"] == free.json()["total"] == 0
    person = await hanako.town.resident("見本 三子", identifier=made.identifiers((system, "person")))
    assert await cast.a_at_k.found("Patient", ("identifier", f"{system}|person")) == []
    assert await person.found("Patient", ("identifier", f"{system}|person")) == [person.reference]
    assert await taro.found("Patient", ("identifier", f"{system}|person")) == []


@pytest.mark.parametrize(
    "query",
    [
        "_has:Provenance:target:agent=x",
        "_has:Observation:derived-from:code=85354-9",
        "_has:Observation:derived-from:status:not=final",
        "subject.name=見本",
        "subject:Patient.birthdate=1955",
        "patient.identifier=x",
        "performer.name=x",
        "has-member.code=85354-9",
        "derived-from.code:missing=false",
        "_include=Observation:subject",
        "_include=Observation:based-on",
        "_include=*",
        "_include:iterate=Observation:has-member",
        "_revinclude=Provenance:target",
        "_revinclude=Observation:derived-from",
        "_revinclude=*",
        "_revinclude:iterate=*",
        "code:not=29463-7",
        "code:not=85354-9",
        "code:missing=true",
        "category:missing=false",
        "category:missing=true",
        "status:not=final",
        "component-code:missing=false",
        "component-value-quantity=gt1",
        "value-quantity=gt1",
        "value-quantity=gt1&_count=2",
        "value-quantity=gt1&_summary=count",
        "_security=R",
        "_security:not=R",
        "based-on:missing=false",
        "_sort=value-quantity,date&_count=1",
        "_sort=-code,date&_count=2",
        "_sort=-category,-date&_count=5",
        "_elements=code",
        "_summary=true",
    ],
)
async def test_whatever_is_asked_hidden_records_change_nothing(twins: Twins, query: str) -> None:
    for path in ("Observation?patient={}&", "Observation?patient={}&_total=accurate&", "{}/Observation?"):

        def ask(voice: Voice, twin: Twin, path: str = path) -> Awaitable[Response]:
            return voice.get(path.format(twin.patient.reference) + query)

        assert all(answer.status_code == 200 for answer in await twins.alike(ask))


@pytest.mark.parametrize(
    "query",
    ["_text=x", "_content=x", "_filter=code eq x", "_list=x", "_contained=both", "_since=2020", "_query=x"],
)
async def test_what_cannot_be_asked_is_refused_alike(twins: Twins, query: str) -> None:
    for answer in await twins.alike(
        lambda voice, twin: voice.get(f"Observation?patient={twin.patient.reference}&{query}")
    ):
        outcome(answer, 400, "invalid")


@pytest.mark.parametrize("params", [(("code", "C09CA06"),), (("code", "29463-7"), ("date", DAYS[0]))])
async def test_a_contained_record_does_not_make_its_container_findable(twins: Twins, params: Params) -> None:
    await twins.alike(
        lambda voice, twin: voice.get(
            "Observation", ("patient", twin.patient.reference), *params, ("_total", "accurate")
        )
    )


async def test_a_stored_bundle_with_one_denied_entry_is_not_found(hanako: Voice, cast: Cast) -> None:
    absolute = f"{BASE_URL}/fhir/{hanako.reference}"
    await hanako.create(made.bundle(made.weight(absolute), made.pressure(absolute)))
    await hanako.grant(permit(cast.clinic, types=["Bundle"]), permit(cast.clinic, codes=[made.BODY_WEIGHT]))
    bundle = await cast.a_at_k.search("Bundle", ("_total", "accurate"))
    assert (bundle["total"], references(bundle)) == (0, [])


async def test_a_provenance_does_not_tell_of_a_denied_target(hanako: Voice, cast: Cast) -> None:
    shown = await hanako.create(made.weight(hanako.reference))
    hidden = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(
        permit(cast.hospital, actions=["access", "collect"]),
        permit(cast.clinic, codes=[made.BODY_WEIGHT]),
        permit(cast.clinic, types=["Provenance"]),
    )
    of_shown = await cast.a.create(made.provenance(shown, agent=cast.dr_a))
    await cast.a.create(made.provenance(hidden, agent=cast.dr_a))
    await cast.a.create(made.provenance(shown, hidden, agent=cast.dr_a))
    bundle = await cast.a_at_k.search("Provenance", ("patient", hanako.reference), ("_total", "accurate"))
    assert (bundle["total"], references(bundle)) == (1, [of_shown])


async def test_a_search_over_everybody_counts_only_those_who_shared(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    code = ("http://example.test/leak", "x")
    for voice in (hanako, taro):
        await voice.create(made.observation(voice.reference, code))
    await hanako.grant(permit(cast.clinic, codes=[code]))
    for params in ((), (("_count", "0"),), (("_sort", "_id"),), (("date", "2026"),)):
        bundle = await cast.a_at_k.search(
            "Observation", ("code", "|".join(code)), ("_total", "accurate"), *params
        )
        assert bundle["total"] == 1
        assert (await cast.b.search("Observation", ("code", "|".join(code)), ("_total", "accurate")))[
            "total"
        ] == 0
