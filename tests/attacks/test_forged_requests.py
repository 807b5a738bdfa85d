"""Requests that say one thing when they are read and another when they are granted, or speak in another one's name.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Final

import orjson
import pytest

from consent import systems
from passport.sharing.consents import REASON
from tests import resources as made
from tests.cast import Cast
from tests.sharing import done, sent, shown, told
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, concept, deny, permit

pytestmark = pytest.mark.anyio

PATCH: Final = {"Content-Type": "application/json-patch+json"}
TAGGED: Final = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}],
}
OPTED_OUT: Final = concept((systems.ACT_CODE, "OPTOUT"))


def narrow(hanako: Voice, cast: Cast) -> Json:
    """A proposal to see vaccinations alone."""
    root = permit(cast.role_a, classes=[(systems.RESOURCE_TYPES, "Immunization")])
    return hanako.consent(root, status="proposed")


def wide(hanako: Voice, cast: Cast) -> Json:
    """One to see everything, for others and other purposes too."""
    root = permit(cast.role_a, cast.role_b, purposes=("TREAT", "HRESCH", "HMARKT"))
    return hanako.consent(root, status="proposed")


async def test_what_waits_for_an_answer_is_changed_by_nobody_who_asked(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    request = await cast.a.create(narrow(hanako, cast))
    (read,) = await told(hanako, "requests")
    changed = {**wide(hanako, cast), "id": read["id"]}
    outcome(await cast.a.put(request, changed), 403)
    outcome(await cast.a.put(request, changed, if_match='W/"1"'), 403)
    widened = orjson.dumps([{"op": "replace", "path": "/provision", "value": changed["provision"]}])
    outcome(await cast.a.call("PATCH", f"/fhir/{request}", content=widened, headers=PATCH), 403)
    tagged = orjson.dumps(TAGGED)
    headers = {"Content-Type": "application/fhir+json"}
    outcome(await cast.a.call("POST", f"/fhir/{request}/$meta-add", content=tagged, headers=headers), 403)
    assert await told(hanako, "requests") == [read]
    granted = await done(hanako, f"requests/{read['id']}/grant", await shown(town))
    assert [one["category"] for one in granted["categories"]] == ["immunizations"]
    assert ([one["reference"] for one in granted["with"]], granted["purposes"]) == ([cast.role_a], ["TREAT"])
    assert not await cast.a.sees(pressure)
    assert not await cast.b.sees(pressure)


async def test_what_was_taken_back_is_not_put_again_under_its_name(hanako: Voice, cast: Cast) -> None:
    request = await cast.a.create(narrow(hanako, cast))
    await cast.a.remove(request)
    outcome(await cast.a.put(request, {**wide(hanako, cast), "id": request.partition("/")[2]}), 405)
    assert await told(hanako, "requests") == []


@pytest.mark.parametrize("answer", ["grant", "decline"])
async def test_an_answer_to_another_version_than_the_one_that_stands_is_refused(
    town: Town, hanako: Voice, cast: Cast, answer: str
) -> None:
    request = await cast.a.create(narrow(hanako, cast))
    (read,) = await told(hanako, "requests")
    await hanako.replace(request, {**wide(hanako, cast), "id": read["id"]})
    said = orjson.dumps(await shown(town))
    headers = {"Content-Type": "application/json", "If-Match": f'W/"{read["version"]}"'}
    path = f"/sharing/requests/{read['id']}/{answer}"
    outcome(await hanako.call("POST", path, content=said, headers=headers), 412)
    assert members_of(await told(hanako, "requests")) == [("waiting", 2)]
    headers["If-Match"] = 'W/"2"'
    assert (await hanako.call("POST", path, content=said, headers=headers)).is_success


def members_of(listed: list[Json]) -> list[tuple[str, int]]:
    return [(one["state"], one["version"]) for one in listed]


async def test_a_request_to_hide_is_granted_as_nothing_else(town: Town, hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    root = {name: value for name, value in deny(cast.role_a, purposes=["TREAT"]).items() if name != "type"}
    tree = {**hanako.consent(root, status="proposed"), "policyRule": OPTED_OUT}
    request = (await cast.a.create(tree)).partition("/")[2]
    (read,) = await told(hanako, "requests")
    assert read["effect"] == "deny"
    outcome(await sent(hanako, f"requests/{request}/grant", await shown(town)), 409, "conflict")
    assert not await cast.a.sees(pressure)
    assert (await hanako.read(f"Consent/{request}"))["status"] == "proposed"


async def test_nobody_asks_in_another_ones_name(hanako: Voice, cast: Cast) -> None:
    tree = {**narrow(hanako, cast), "performer": [{"reference": cast.role_b}]}
    outcome(await cast.a.post(tree), 422)
    assert (await cast.a.post({**tree, "performer": [{"display": "架空市役所"}]})).status_code == 422
    assert await told(hanako, "requests") == []
    await cast.a.create({**tree, "performer": [{"reference": cast.role_a}]})
    assert [one["by"][0]["reference"] for one in await told(hanako, "requests")] == [cast.role_a]


@pytest.mark.parametrize(
    "reason", ["あ", "あ" * 501, "診察のため\n市役所より", "診察\u202eのため", "診察\u200bのため"]
)
async def test_a_reason_by_fhir_is_one_that_a_request_could_give(
    hanako: Voice, cast: Cast, reason: str
) -> None:
    tree = {**narrow(hanako, cast), "extension": [{"url": REASON, "valueString": reason}]}
    outcome(await cast.a.post(tree), 422)
    outcome(await sent(cast.a, "requests", {"identifier": "urn:x|1", "reason": reason}), 400)
    assert await told(hanako, "requests") == []


async def test_what_a_requester_claimed_is_not_what_its_person_says(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    tree = narrow(hanako, cast)
    tree["provision"]["actor"][0]["reference"]["display"] = "架空市役所 健康課（公式）"
    claims = {
        "policy": [{"uri": "https://evil.example"}],
        "sourceReference": {"display": "架空市役所の文書"},
        "text": {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">公式</div>'},
        "organization": [{"display": "架空市役所"}],
        "patient": {**tree["patient"], "display": "別人"},
    }
    request = (await cast.a.create({**tree, **claims})).partition("/")[2]
    await done(hanako, f"requests/{request}/grant", await shown(town))
    stored = await hanako.read(f"Consent/{request}")
    assert "架空市役所" not in str(stored)
    assert not {"text", "organization", "sourceReference"} & stored.keys()
    assert (stored["patient"], stored["performer"]) == (
        {"reference": hanako.reference},
        [{"reference": hanako.reference}],
    )
    assert stored["policy"][0]["uri"].startswith("ni:///sha-256;")


async def receipt_of(hanako: Voice, request: str) -> Json:
    """What the signed receipt of a consent says."""
    path = f"/sharing/receipts/{request.partition('/')[2]}"
    answer = await hanako.get(path, accept="application/json")
    assert answer.status_code == 200, answer.text
    content: Json = answer.json()["receipt"]
    return content


async def test_a_receipt_attests_nothing_that_whoever_asked_wrote(hanako: Voice, cast: Cast) -> None:
    tree = narrow(hanako, cast)
    tree["provision"]["actor"][0]["reference"]["display"] = "架空市役所 健康課（公式）"
    claims = {"policy": [{"uri": "https://evil.example"}], "performer": [{"reference": cast.role_a}]}
    request = await cast.a.create({**tree, **claims})
    await hanako.replace(request, {**await hanako.read(request), "status": "active"})
    content = await receipt_of(hanako, request)
    asked, given = [one["entity_id"].partition("/fhir/")[2] for one in content["events"]]
    assert (asked, given) == (cast.role_a, hanako.reference)
    attested = str({name: content[name] for name in ("pii_processing", "party_identification", "events")})
    assert "evil.example" not in attested
    assert "架空市役所" not in attested
    assert "ひな形病院 内科（架空） 架空 一郎（架空）" in attested


async def test_a_receipt_tells_the_notice_that_was_shown_and_by_whom_it_was_answered(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    request = await cast.a.create(narrow(hanako, cast))
    await done(hanako, f"requests/{request.partition('/')[2]}/grant", await shown(town))
    content = await receipt_of(hanako, request)
    assert content["pii_processing"]["privacy_notice"].startswith("ni:///sha-256;")
    assert content["pii_processing"]["wording"]["sourceAttachment"]["language"] == "ja"
    assert [one["entity_id"].partition("/fhir/")[2] for one in content["events"]] == [
        cast.role_a,
        hanako.reference,
    ]


async def test_a_name_of_the_directory_turns_no_sentence_around(town: Town, hanako: Voice) -> None:
    name = "ひな形病院\u202e（式公）市役所\nすべて取り消されました"
    clinic = await town.operator.create({"resourceType": "Organization", "name": name})
    grant = {**await shown(town), "recipient": clinic}
    granted = await done(hanako, "grants", grant)
    assert granted["with"] == [
        {"reference": clinic, "name": "ひな形病院 （式公）市役所 すべて取り消されました"}
    ]
    assert "\u202e" not in str(granted)
    (listed,) = [one for one in await told(hanako, "grants") if one["id"] == granted["id"]]
    assert "\u202e" not in str(listed["text"])
    assert "\u202e" not in str(await receipt_of(hanako, granted["consent"]))


async def test_a_receipt_of_what_a_proxy_granted_names_the_proxy(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    proxy = town.as_(await hanako.create(made.related_person(hanako.reference)))
    scope = {"purposes": ["FAMRQT"], "types": ["Consent"]}
    await hanako.grant(permit(proxy.reference, actions=["access"], **scope))
    await hanako.grant(permit(proxy.reference, actions=["collect", "correct"], **scope))
    request = await cast.a.create(narrow(hanako, cast))
    await done(proxy, f"requests/{request.partition('/')[2]}/grant", await shown(town))
    given = (await receipt_of(hanako, request))["events"][-1]
    assert given["entity_id"].partition("/fhir/")[2] == proxy.reference
