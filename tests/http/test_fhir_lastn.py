"""`Observation/$lastn`: groups, ties, order, and what narrows it.

http://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from typing import Any

import orjson
import pytest

from consent.systems import LOINC
from fhirstore.subset import SUBSETTED
from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, link, outcome, references
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

PATH = "Observation/$lastn"
UNKNOWN = "Patient/00000000-0000-4000-8000-000000000000"
LOCAL = "http://example.test/local"


async def bundle_of(voice: Voice, patient: str, *params: tuple[str, str]) -> Json:
    answer = await voice.get(PATH, ("patient", patient), *params)
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    assert link(bundle, "next") is None
    return bundle


async def last(voice: Voice, patient: str, *params: tuple[str, str]) -> list[str]:
    return references(await bundle_of(voice, patient, *params))


async def coded(voice: Voice, time: str | None, *codings: tuple[str, str], **elements: Any) -> str:
    tree = made.observation(voice.reference, time=time, **elements)
    return await voice.create({**tree, "code": concept(*codings)} if codings else tree)


async def texted(voice: Voice, time: str | None, text: str) -> str:
    return await voice.create({**made.observation(voice.reference, time=time), "code": {"text": text}})


async def test_the_last_of_each_code_is_shown(hanako: Voice) -> None:
    weights = [
        await coded(hanako, day, made.BODY_WEIGHT) for day in ("2026-10-02", "2026-10-03", "2026-10-01")
    ]
    rates = [await coded(hanako, day, made.HEART_RATE) for day in ("2026-10-04", "2026-09-01")]
    assert await last(hanako, hanako.reference) == [rates[0], weights[1]]
    assert await last(hanako, hanako.reference, ("max", "2")) == [rates[0], rates[1], weights[1], weights[0]]
    assert await last(hanako, hanako.reference, ("max", "1000")) == [
        *rates,
        weights[1],
        weights[0],
        weights[2],
    ]


async def test_those_of_equal_time_come_along(hanako: Voice) -> None:
    newest = await coded(hanako, "2026-10-03", made.BODY_WEIGHT)
    tied = sorted([await coded(hanako, "2026-10-02", made.BODY_WEIGHT) for _ in range(3)])
    await coded(hanako, "2026-10-01", made.BODY_WEIGHT)
    assert await last(hanako, hanako.reference) == [newest]
    assert sorted(await last(hanako, hanako.reference, ("max", "2"))) == sorted([newest, *tied])
    assert sorted(await last(hanako, hanako.reference, ("max", "4"))) == sorted([newest, *tied])


async def test_translations_of_a_code_make_one_group_however_far_they_are_linked(hanako: Voice) -> None:
    a, b, c, d = ((LOINC, "1"), (LOINC, "2"), (LOCAL, "3"), (LOCAL, "4"))
    await coded(hanako, "2026-10-01", a)
    await coded(hanako, "2026-10-02", a, b)
    await coded(hanako, "2026-10-03", b, c)
    newest = await coded(hanako, "2026-10-04", c)
    apart = await coded(hanako, "2026-10-05", d)
    assert await last(hanako, hanako.reference) == [apart, newest]
    assert len(await last(hanako, hanako.reference, ("max", "3"))) == 4


async def test_one_code_of_two_systems_is_two_kinds(hanako: Voice) -> None:
    here = await coded(hanako, "2026-10-01", (LOCAL, "x"))
    there = await coded(hanako, "2026-10-02", ("http://example.test/other", "x"))
    assert await last(hanako, hanako.reference) == [there, here]


async def test_the_codes_of_components_link_nothing(hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference, time="2026-10-01"))
    systolic = await coded(hanako, "2026-10-02", (LOINC, "8480-6"))
    assert await last(hanako, hanako.reference) == [systolic, pressure]


async def test_codes_of_text_alone_are_grouped_by_the_exact_text(hanako: Voice) -> None:
    written = [
        await texted(hanako, day, text)
        for day, text in (
            ("2026-10-01", "架空値"),
            ("2026-10-02", "架空値"),
            ("2026-10-03", "別の値"),
            ("2026-10-02", "架空値"),
        )
    ]
    found = await last(hanako, hanako.reference)
    assert found[0] == written[2]
    assert sorted(found[1:]) == sorted([written[1], written[3]])
    assert len(await last(hanako, hanako.reference, ("max", "3"))) == 4


async def test_what_has_no_time_is_older_than_all(hanako: Voice) -> None:
    for code in ({"text": "架空値"}, concept(made.BODY_WEIGHT)):
        undated, dated = [
            await hanako.create({**made.observation(hanako.reference, time=time), "code": code})
            for time in (None, "1990")
        ]
        assert (await last(hanako, hanako.reference))[:1] == [dated]
        assert undated in await last(hanako, hanako.reference, ("max", "2"))
        assert undated not in await last(hanako, hanako.reference)
        await hanako.remove(dated)
        await hanako.remove(undated)


async def test_search_parameters_narrow_what_is_grouped(hanako: Voice) -> None:
    await hanako.create(made.pressure(hanako.reference, time="2026-10-05", systolic=150))
    pressure = await hanako.create(made.pressure(hanako.reference, time="2026-10-01", systolic=120))
    weight = await hanako.create(made.weight(hanako.reference, 61.5, "2026-10-03"))
    heavy = await hanako.create(made.weight(hanako.reference, 70.5, "2026-10-02"))
    for params, expected in (
        ((("code", "29463-7"),), [weight]),
        ((("code", f"{LOINC}|29463-7"), ("max", "9")), [weight, heavy]),
        ((("category", "vital-signs"), ("date", "2026-10-01")), [pressure]),
        ((("date", "lt2026-10-03"),), [heavy, pressure]),
        ((("value-quantity", "gt65"),), [heavy]),
        ((("code", "29463-7"), ("value-quantity", "lt65"), ("max", "2")), [weight]),
        ((("status", "amended"),), []),
    ):
        assert await last(hanako, hanako.reference, *params) == expected


async def test_the_patient_may_be_named_as_the_subject(hanako: Voice) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    for params in (("subject", hanako.reference), ("patient", hanako.reference.partition("/")[2])):
        assert references((await hanako.get(PATH, params)).json()) == [weight]


async def test_only_what_is_permitted_is_grouped(hanako: Voice, cast: Cast) -> None:
    hidden = await coded(hanako, "2026-10-01", made.BODY_WEIGHT, meta=made.labelled("V"))
    await coded(hanako, "2026-10-02", made.BODY_WEIGHT, meta=made.labelled("R"))
    older = await coded(hanako, "2026-09-01", made.HEART_RATE, meta=made.labelled("N"))
    labelled = await coded(hanako, "2026-09-15", made.BODY_WEIGHT, meta=made.labelled("N"))
    await coded(hanako, "2026-10-03", made.BODY_WEIGHT, made.HEART_RATE, meta=made.labelled("R"))
    await hanako.grant(permit(cast.hospital, labels=["N"]))
    assert hidden not in await last(cast.a, hanako.reference, ("max", "9"))
    assert await last(cast.a, hanako.reference) == [labelled, older]


async def test_parts_are_shown_and_the_parameters_may_come_in_a_body(hanako: Voice) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": hanako.reference}},
            {"name": "max", "valuePositiveInt": 1},
            {"name": "_elements", "valueString": "code"},
        ],
    }
    bundle = (await hanako.call("POST", PATH, content=orjson.dumps(body))).json()
    assert references(bundle) == [weight]
    assert bundle["entry"][0]["resource"]["meta"]["tag"] == [SUBSETTED]


@pytest.mark.parametrize(
    "params",
    [
        (),
        (("patient", f"{{me}},{UNKNOWN}"),),
        (("patient", "{me}"), ("max", "0")),
        (("patient", "{me}"), ("max", "many")),
        (("patient", "{me}"), ("max", "1001")),
        (("patient", "{me}"), ("max", "1"), ("max", "2")),
        (("patient", "{me}"), ("_count", "3")),
        (("patient", "{me}"), ("_sort", "date")),
        (("patient", "{me}"), ("_include", "Observation:subject")),
        (("patient", "{me}"), ("_total", "accurate")),
        (("patient", "{me}"), ("_summary", "count")),
        (("patient", "{me}"), ("nonsense", "1")),
        (("patient", "{me}"), ("date", "yesterday")),
    ],
)
async def test_what_the_operation_does_not_have_is_refused(
    hanako: Voice, params: tuple[tuple[str, str], ...]
) -> None:
    asked = [(name, value.replace("{me}", hanako.reference)) for name, value in params]
    outcome(await hanako.get(PATH, *asked), 400, "invalid")


async def test_whoever_is_not_both_of_two_patients_has_no_newest(hanako: Voice) -> None:
    reference = await coded(hanako, "2026-10-01", made.BODY_WEIGHT)
    asked = [("patient", hanako.reference), ("subject", UNKNOWN)]
    assert "entry" not in (await hanako.get(PATH, *asked)).json()
    both = [("patient", hanako.reference), ("subject", hanako.reference)]
    assert references((await hanako.get(PATH, *both)).json()) == [reference]


async def test_one_who_shares_nothing_and_one_who_is_unknown_are_answered_alike(
    hanako: Voice, cast: Cast
) -> None:
    await coded(hanako, "2026-10-01", made.BODY_WEIGHT)
    await texted(hanako, "2026-10-01", "架空値")
    texts = []
    for patient in (hanako.reference, UNKNOWN):
        answer = await cast.a_at_k.get(PATH, ("patient", patient))
        assert answer.status_code == 200
        texts.append(answer.text.replace(patient.partition("/")[2], ""))
    assert texts[0] == texts[1]


async def test_what_is_shown_is_on_record(hanako: Voice, cast: Cast, town: Town) -> None:
    await coded(hanako, "2026-10-01", made.BODY_WEIGHT)
    shown = await coded(hanako, "2026-10-02", made.BODY_WEIGHT)
    (consent,) = await hanako.grant(permit(cast.hospital))
    await last(cast.a, hanako.reference, ("max", "1"))
    look = orjson.loads((await hanako.get("/audit/accesses", ("patient", hanako.reference))).content)[0]
    assert look["query"] == f"GET {PATH}?patient={hanako.reference}&max=1"
    assert (look["records"], look["grants"]) == ([shown], [f"{consent}/_history/1"])


async def test_scopes_hold(hanako: Voice, town: Town) -> None:
    narrow = town.as_(hanako.reference, scope="patient/Condition.rs")
    outcome(await narrow.get(PATH, ("patient", hanako.reference)), 403)
    outcome(await town.stranger.get(PATH), 401)
