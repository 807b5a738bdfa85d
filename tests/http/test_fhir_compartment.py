"""Search in a patient's compartment.

http://hl7.org/fhir/R4/search.html#searchcontexts
"""

from urllib.parse import urlencode

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Voice, link, outcome, references
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio


async def test_a_compartment_holds_what_is_of_its_patient(hanako: Voice, taro: Voice, cast: Cast) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital))
    mine = [await hanako.create(made.weight(hanako.reference, time=f"2026-10-0{day}")) for day in (1, 2, 3)]
    await taro.create(made.weight(taro.reference))
    path = f"{hanako.reference}/Observation"
    assert references((await cast.a.get(path)).json()) == mine[::-1]
    assert references((await cast.a.get(path, ("date", "2026-10-02"))).json()) == [mine[1]]
    assert references((await cast.a.get(path, ("value-quantity", "lt1"))).json()) == []
    assert references((await cast.a.get(path, ("patient", hanako.reference))).json()) == mine[::-1]
    assert references((await cast.a.get(path, ("patient", taro.reference))).json()) == []
    form = urlencode([("_sort", "date"), ("_count", "2")]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await cast.a.call("POST", f"{path}/_search", content=form, headers=headers)
    bundle = answer.json()
    assert link(bundle, "self") == f"{BASE_URL}/fhir/{path}?_sort=date&_count=2"
    second = (await cast.a.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    assert references(bundle) + references(second) == mine


async def test_a_record_of_two_patients_is_in_the_compartment_of_both(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, actions=["access", "collect"]))
    both = await cast.a.create(made.weight(hanako.reference, performer=[made.reference(taro.reference)]))
    alone = await taro.create(made.weight(taro.reference))
    found = references((await cast.a.get(f"{taro.reference}/Observation", ("_total", "accurate"))).json())
    assert set(found) == {both, alone}
    assert references((await cast.a.get(f"{hanako.reference}/Observation")).json()) == [both]
    assert references((await cast.a.get("Observation", ("performer", taro.reference))).json()) == [both]
    pages = [
        references(
            (await cast.a.get(f"{taro.reference}/Observation", ("_count", "1"), ("_sort", "_id"))).json()
        )
    ]
    assert pages == [[min(both, alone)]]


async def test_a_compartment_that_shared_nothing_is_like_that_of_nobody(hanako: Voice, cast: Cast) -> None:
    await hanako.create(made.weight(hanako.reference))
    known, nobody = [
        (await cast.b.get(f"{patient}/Observation", ("_total", "accurate"))).json()
        for patient in (hanako.reference, "Patient/nobody")
    ]
    assert known["total"] == nobody["total"] == 0
    assert "entry" not in known


async def test_what_is_in_no_compartment_is_refused_by_name(hanako: Voice) -> None:
    outcome(await hanako.get(f"{hanako.reference}/Practitioner"), 400, "not-supported")
    outcome(await hanako.get(f"{hanako.reference}/*", ("_type", "Practitioner")), 400)
    outcome(await hanako.get(f"{hanako.reference}/Foo"), 404)
    outcome(await hanako.get(f"{hanako.reference}/Observation", ("foo", "1")), 400, "invalid")


async def test_a_look_into_a_compartment_is_told_to_its_patient(hanako: Voice, cast: Cast) -> None:
    await cast.b.get(f"{hanako.reference}/Observation", ("code", "29463-7"))
    answer = await hanako.call("GET", f"/audit/accesses?patient={hanako.reference}")
    assert any(f"{hanako.reference}/Observation" in row["query"] for row in answer.json())
