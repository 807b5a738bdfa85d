"""What the audit log could tell: one resident of another, and a caller of what they may not see.

http://hl7.org/fhir/R4/auditevent.html
"""

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.http.bundles import created, send
from tests.town import Voice
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio


async def log_of(voice: Voice) -> str:
    """All that a resident can read of their own log."""
    searched = await voice.get("AuditEvent", ("_count", "100"))
    listed = await voice.get("/audit/accesses", ("patient", voice.reference))
    assert (searched.status_code, listed.status_code) == (200, 200)
    return searched.text + listed.text


def id_of(reference: str) -> str:
    return reference.partition("/")[2]


@pytest.mark.parametrize(
    "query",
    [
        "Observation?patient={0},{1}",
        "Observation?patient={0}&patient={1}",
        "Observation?subject={1},{0}&_count=1",
        "Observation?patient={0}&subject:Patient._id={2}",
        "Patient?_id={2}&_has:Observation:patient:code=29463-7",
        "Observation?patient={0}&performer={1}",
        "Observation?patient={0}&derived-from={3}",
        "Observation?patient={0}&_id={4}",
    ],
)
async def test_a_query_that_names_two_residents_tells_neither_of_the_other(
    hanako: Voice, taro: Voice, cast: Cast, query: str
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.clinic))
    of_taro = await taro.create(made.weight(taro.reference))
    address = query.format(hanako.reference, taro.reference, id_of(taro.reference), of_taro, id_of(of_taro))
    answer = await cast.a_at_k.get(address)
    assert answer.status_code == 200, answer.text
    told = await log_of(hanako)
    assert id_of(taro.reference) not in told
    assert id_of(of_taro) not in told
    assert id_of(hanako.reference) not in await log_of(taro)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_about_two_residents_tells_neither_of_the_other(
    hanako: Voice, taro: Voice, cast: Cast, kind: str
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.clinic, actions=["access", "collect"]))
    entries = [created(made.weight(voice.reference)) for voice in (hanako, taro)]
    answer = await send(cast.a_at_k, kind, *entries)
    assert answer.status_code == 200, answer.text
    assert id_of(taro.reference) not in await log_of(hanako)
    assert id_of(hanako.reference) not in await log_of(taro)


async def test_what_a_caller_asked_for_in_vain_is_in_nobodys_log_but_of_whom_it_is(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    secret = await taro.create(made.pressure(taro.reference))
    await cast.a_at_k.get(secret)
    await cast.a_at_k.get(f"{secret}/_history")
    assert id_of(secret) not in await log_of(hanako)
