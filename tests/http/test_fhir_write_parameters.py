"""Parameters in the address of a write: a condition where there is no id, and refused beside one.

http://hl7.org/fhir/R4/http.html#ccreate

The specification has a header for the condition of a creation; some clients write it into the address. Passed over
there, it would make a second record of what they meant to have once.
"""

import orjson
import pytest

from tests.http.bundles import asked, created, done, send, statuses
from tests.resources import identifiers, weight
from tests.town import Voice, outcome
from tests.unit.consent.words import Json

pytestmark = pytest.mark.anyio

SYSTEM = "http://example.test/scales"


def weighed(voice: Voice, value: str) -> Json:
    return weight(voice.reference, identifier=identifiers((SYSTEM, value)))


def where(value: str) -> str:
    return f"Observation?identifier={SYSTEM}|{value}"


async def test_a_condition_in_the_address_of_a_creation_is_one(hanako: Voice) -> None:
    content = orjson.dumps(weighed(hanako, "1"))
    first, second = [await hanako.call("POST", where("1"), content=content) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    twice = await hanako.call(
        "POST", where("1"), content=content, headers={"If-None-Exist": f"identifier={SYSTEM}|1"}
    )
    outcome(twice, 400, "invalid")
    outcome(await hanako.call("POST", "Observation?spam=1", content=content), 400, "invalid")


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_so_it_is_in_a_bundle(hanako: Voice, kind: str) -> None:
    entry = asked("POST", where(kind), weighed(hanako, kind))
    assert statuses(await done(hanako, kind, entry)) == [201]
    assert statuses(await done(hanako, kind, entry, created(weighed(hanako, "other")))) == [200, 201]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_write_by_id_takes_no_parameters(hanako: Voice, method: str) -> None:
    reference = await hanako.create(weighed(hanako, "2"))
    tree = {**weighed(hanako, "2"), "id": reference.partition("/")[2]}
    content = orjson.dumps(tree if method == "PUT" else [])
    told = outcome(await hanako.call(method, f"{reference}?status=final", content=content), 400, "invalid")
    assert told["issue"][0]["expression"] == ["status"]
    answer = await send(hanako, "transaction", asked(method, f"{reference}?status=final", tree))
    outcome(answer, 400, "invalid")
    assert (await hanako.read(reference))["meta"]["versionId"] == "1"


async def test_the_form_of_an_answer_may_be_asked_for(hanako: Voice) -> None:
    content = orjson.dumps(weighed(hanako, "3"))
    answers = [await hanako.call("POST", "Observation?_format=json", content=content) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    pretty = await hanako.call("DELETE", f"Observation/{answers[0].json()['id']}?_pretty=true")
    assert pretty.status_code == 204


async def test_the_base_may_be_written_with_its_slash(hanako: Voice) -> None:
    content = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": []})
    assert (await hanako.call("POST", "/fhir/", content=content)).status_code == 200
    led = [(await hanako.call("GET", base)).headers["location"] for base in ("/fhir", "/fhir/")]
    assert led == ["fhir/metadata", "metadata"]
    for base in ("/fhir", "/fhir/"):
        assert (await hanako.call("GET", f"{base}?_id=x")).json()["type"] == "searchset"
