"""What an operation could tell of records that its caller may not see, one way after the other.

http://hl7.org/fhir/R4/operations.html
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import orjson
import pytest

from tests import resources as made
from tests.attacks.twins import DAYS, Twins, masked, twins_of
from tests.attacks.work import Work, work_of
from tests.attacks.worlds import World, world
from tests.cast import Cast
from tests.databases import Server
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import Json, concept, deny, permit

pytestmark = pytest.mark.anyio

UNKNOWN: Final = "Patient/00000000-0000-4000-8000-000000000000"
LASTN: Final = "Observation/$lastn"
WARMING: Final = 3
"""Requests after which a process has compiled its statements and its connections have prepared them."""

Params = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


@pytest.fixture(scope="module")
async def worlds(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, World]]:
    """With what is hidden, and without; under the same keys."""
    state = tmp_path_factory.mktemp("installation")
    with server.database() as full, server.database() as bare:
        async with AsyncExitStack() as running:
            yield (
                await running.enter_async_context(world(full, state, hides=True)),
                await running.enter_async_context(world(bare, state, hides=False)),
            )


def callers(told: World) -> tuple[Voice, ...]:
    """Those for whom the hidden records are hidden."""
    cast, as_ = told.cast, told.town.as_
    return (cast.a, cast.b, as_(cast.role_a, "HRESCH"), as_(cast.pharmacy))


async def alike(worlds: tuple[World, World], path: str, body: Json | None = None) -> None:
    """Ask the same in both worlds as every caller; no byte may differ."""
    full, bare = worlds
    content = None if body is None else orjson.dumps(body)
    for voices in zip(callers(full), callers(bare), strict=True):
        # The same request gives the same ids in both.
        for told in worlds:
            told.names.part = f"asked-{path}"
            told.names.given.clear()
        answers = [
            await voice.call("GET" if body is None else "POST", path, content=content) for voice in voices
        ]
        told_by = [(one.status_code, {**one.headers, "date": ""}, one.content) for one in answers]
        assert told_by[0] == told_by[1]


async def shown_by(told: World, path: str) -> list[str]:
    return references((await told.hanako.get(path)).json())


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?_count=1",
        "?_count=3&start=2026-10-02",
        "?end=2026-10-03",
        "?_type=Observation,MedicationRequest",
        "?_type=MedicationRequest,AllergyIntolerance",
        "?_since=2026-11-01T00:02:00Z",
        "?_elements=subject",
        "?_summary=true",
    ],
)
async def test_everything_is_the_same_with_and_without_hidden_records(
    worlds: tuple[World, World], query: str
) -> None:
    for patient in (worlds[0].hanako.reference, worlds[0].taro.reference, "Patient/nobody"):
        await alike(worlds, f"{patient}/$everything{query}")


async def test_pages_of_everything_are_the_same_with_and_without_hidden_records(
    worlds: tuple[World, World],
) -> None:
    pages: list[list[bytes]] = []
    for told in worlds:
        address: str | None = f"/fhir/{told.hanako.reference}/$everything?_count=2"
        pages.append([])
        while address is not None:
            answer = await told.cast.a.get(address)
            pages[-1].append(answer.content)
            address = (link(answer.json(), "next") or "").removeprefix(BASE_URL) or None
    assert pages[0] == pages[1]
    assert len(pages[0]) > 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&max=3",
        "&max=100",
        "&category=vital-signs",
        "&code=29463-7&max=2",
        "&date=ge2026-10-02",
        "&_elements=code",
    ],
)
async def test_the_last_are_the_same_with_and_without_hidden_records(
    worlds: tuple[World, World], query: str
) -> None:
    for patient in (worlds[0].hanako.reference, worlds[0].taro.reference, "Patient/nobody"):
        await alike(worlds, f"{LASTN}?patient={patient}{query}")


async def test_summaries_are_the_same_with_and_without_hidden_records(worlds: tuple[World, World]) -> None:
    for patient in (worlds[0].hanako.reference, worlds[0].taro.reference, "Patient/nobody"):
        await alike(worlds, f"{patient}/$summary")


async def test_metadata_and_parts_are_the_same_with_and_without_hidden_records(
    worlds: tuple[World, World],
) -> None:
    targets = [
        *(
            f"Observation/{part}-{number:04d}"
            for part in ("shown", "hidden", "never")
            for number in (1, 2, 3)
        ),
        "MedicationRequest/hidden-0003",
        worlds[0].hanako.reference,
        worlds[0].taro.reference,
    ]
    for target in targets:
        await alike(worlds, f"{target}/$meta")
        await alike(worlds, f"{target}?_summary=true")
        await alike(worlds, f"{target}/_history/1?_elements=subject")


async def test_metadata_in_use_are_the_same_with_and_without_hidden_records(
    worlds: tuple[World, World],
) -> None:
    for path in ("Observation/$meta", "MedicationRequest/$meta", "$meta"):
        await alike(worlds, path)


async def test_bodies_of_operations_are_answered_the_same(worlds: tuple[World, World]) -> None:
    patient = worlds[0].hanako.reference
    listed = [{"name": "_count", "valueInteger": 2}]
    await alike(worlds, f"{patient}/$everything", {"resourceType": "Parameters", "parameter": listed})
    named = [{"name": "patient", "valueString": patient}, {"name": "max", "valuePositiveInt": 2}]
    await alike(worlds, LASTN, {"resourceType": "Parameters", "parameter": named})


async def test_the_worlds_differ_for_whoever_sees_all(worlds: tuple[World, World]) -> None:
    path = f"{worlds[0].hanako.reference}/$everything?_count=100"
    full, bare = [await shown_by(told, path) for told in worlds]
    assert len(full) > len(bare) > 1


@pytest.mark.parametrize(
    "params",
    [
        (("_type", "Observation"),),
        (("_type", "Observation,MedicationRequest"), ("_count", "2")),
        (("_type", "Observation"), ("start", DAYS[2]), ("_count", "1")),
        (("_type", "MedicationRequest"),),
    ],
)
async def test_everything_of_look_alikes_is_alike(twins: Twins, params: Params) -> None:
    answers = await twins.alike(
        lambda voice, twin: voice.get(f"{twin.patient.reference}/$everything", *params)
    )
    # The physician sees weights, and the colleague nothing.
    seen = 200 if "Observation" in dict(params)["_type"] else 404
    assert [answer.status_code for answer in answers] == [seen, 404]


@pytest.mark.parametrize(
    "params", [(), (("max", "4"),), (("category", "vital-signs"),), (("code", "85354-9"),)]
)
async def test_the_last_of_look_alikes_are_alike(twins: Twins, params: Params) -> None:
    await twins.alike(lambda voice, twin: voice.get(LASTN, ("patient", twin.patient.reference), *params))


async def test_a_walk_through_everything_has_neither_short_nor_empty_pages(twins: Twins) -> None:
    for twin in (twins.full, twins.bare):
        address: str | None = f"{twin.patient.reference}/$everything?_count=1&_type=Observation"
        pages = []
        while address is not None:
            bundle = (await twins.physician.get(address)).json()
            pages.append(references(bundle))
            address = (link(bundle, "next") or "").removeprefix(BASE_URL) or None
        assert pages == [[one] for one in twin.shown]


async def test_metadata_of_denied_and_of_unknown_ids_is_answered_alike(twins: Twins) -> None:
    for answer in await twins.as_unknown(lambda voice, reference: voice.get(f"{reference}/$meta")):
        outcome(answer, 404)


async def test_a_hidden_reading_neither_hides_an_older_one_nor_links_two_kinds(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]))
    shown = [
        await hanako.create(made.observation(hanako.reference, code, day, meta=made.labelled("N")))
        for code, day in ((made.BODY_WEIGHT, "2026-10-01"), (made.HEART_RATE, "2026-10-02"))
    ]
    before = await cast.a.get(LASTN, ("patient", hanako.reference))
    assert sorted(references(before.json())) == sorted(shown)
    both = made.observation(hanako.reference, time="2026-10-03", meta=made.labelled("R"))
    await hanako.create({**both, "code": concept(made.BODY_WEIGHT, made.HEART_RATE)})
    await hanako.create(
        made.observation(hanako.reference, made.BODY_WEIGHT, "2026-10-04", meta=made.labelled("R"))
    )
    assert masked(await cast.a.get(LASTN, ("patient", hanako.reference))) == masked(before)


async def test_a_section_of_hidden_records_is_a_section_without_records(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    documents = []
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital), deny(types=["AllergyIntolerance"]))
        await voice.create(made.condition(voice.reference))
        if voice is hanako:
            await voice.create(made.allergy(voice.reference))
        document = (await cast.a.get(f"{voice.reference}/$summary")).json()
        documents.append(document["entry"][0]["resource"]["section"][0])
    assert documents[0] == documents[1]
    assert documents[0]["emptyReason"]["coding"][0]["code"] == "unavailable"


async def test_a_hidden_reading_leaves_the_newest_that_is_shown_in_the_summary(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]), permit(cast.hospital, types=["Patient"]))
    shown = await hanako.create(made.pressure(hanako.reference, time="2026-10-01", meta=made.labelled("N")))
    await hanako.create(made.pressure(hanako.reference, time="2026-10-02", meta=made.labelled("R")))
    document = (await cast.a.get(f"{hanako.reference}/$summary")).json()
    vitals = document["entry"][0]["resource"]["section"][-1]
    assert vitals["entry"] == [{"reference": f"{BASE_URL}/fhir/{shown}"}]


async def test_everything_shows_nothing_after_the_withdrawal(hanako: Voice, cast: Cast) -> None:
    for day in DAYS:
        await hanako.create(made.weight(hanako.reference, time=day))
    (consent,) = await hanako.grant(permit(cast.clinic))
    bundle = (await cast.a_at_k.get(f"{hanako.reference}/$everything", ("_count", "2"))).json()
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    await hanako.remove(consent)
    after = (await cast.a_at_k.get(further)).json()
    assert "entry" not in after
    assert link(after, "next") is None


async def test_a_proposal_to_a_resident_and_to_a_stranger_is_shown_alike(hanako: Voice, cast: Cast) -> None:
    texts = []
    for patient in (hanako.reference, UNKNOWN):
        tree = hanako.consent(permit(cast.clinic), status="proposed")
        proposal = await cast.a_at_k.create({**tree, "patient": made.reference(patient)})
        answer = await cast.a_at_k.get(f"{patient}/$everything")
        assert references(answer.json()) == [proposal, cast.clinic]
        last = await cast.a_at_k.get(f"{patient}/$everything", ("_count", "1"))
        assert link(last.json(), "next") is None
        texts.append(masked(answer)[2])
    assert texts[0] == texts[1]


async def measured(voice: Voice, path: str, trace: Path) -> Work:
    for _ in range(WARMING):
        await voice.get(path)
    return await work_of(voice.town, lambda: voice.get(path), trace)


@pytest.mark.parametrize("path", ["{}/$everything", "Observation/$lastn?patient={}", "{}/$summary"])
async def test_an_operation_on_one_who_shared_nothing_costs_what_it_costs_on_nobody(
    hanako: Voice, cast: Cast, tmp_path: Path, path: str
) -> None:
    await hanako.create(made.pressure(hanako.reference))
    known, nobody = [
        await measured(cast.a_at_k, path.format(patient), tmp_path / "trace")
        for patient in (hanako.reference, "Patient/nobody")
    ]
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography
    assert not any("decrypt" in call for call in known.cryptography)


async def test_the_metadata_of_a_denied_record_costs_what_those_of_an_unknown_one_cost(
    twins: Twins, tmp_path: Path
) -> None:
    denied, unknown = [
        await measured(twins.physician, f"{reference}/$meta", tmp_path / "trace")
        for reference in (twins.full.hidden["a code that was not shared"], "Observation/unknown")
    ]
    assert denied.statements == unknown.statements
    assert denied.cryptography == unknown.cryptography
