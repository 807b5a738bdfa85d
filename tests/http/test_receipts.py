"""Receipts: every consent that is given, or taken back, has one; whoever has the published keys verifies it.

https://www.iso.org/standard/80392.html (ISO/IEC TS 27560:2023)
"""

from hashlib import sha256
from typing import Any, Final

import pytest

from fhirstore.parse import Tree
from passport.receipts.jws import verified
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

DPV: Final = "https://w3id.org/dpv#"
TREAT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT"

# ISO/IEC TS 27560:2023, 6.3: what has to be there, by its section.
OF_PROCESSING: Final = ("privacy_notice", "language", "purposes")
OF_PURPOSE: Final = (
    "purpose", "pii_information", "pii_controllers", "storage_locations", "retention_period", "jurisdiction",
    "recipient_third_parties", "withdrawal_method",
)  # fmt: skip
OF_PARTY: Final = ("party_id", "party_name", "party_address", "party_contact", "party_type")
OF_EVENT: Final = ("event_time", "validity_duration", "entity_id", "event_type", "event_state")


async def published(town: Town) -> Json:
    """The keys, as anybody may have them."""
    answer = await town.stranger.get("/.well-known/jwks.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwk-set+json")
    keys: Json = answer.json()
    return keys


async def received(voice: Voice, consent: str, version: int | None = None) -> Tree:
    """The receipt of a consent, verified by the published keys."""
    id_ = consent.partition("/")[2]
    asked = f"/sharing/receipts/{id_}" + ("" if version is None else f"?version={version}")
    answer = await voice.get(asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jose"
    assert answer.headers["cache-control"] == "no-store"
    return verified(answer.content, await published(voice.town))


async def with_status(voice: Voice, consent: str, status: str) -> None:
    await voice.replace(consent, {**await voice.read(consent), "status": status})


def states(content: Json) -> list[str]:
    return [event["event_state"].removeprefix(DPV) for event in content["events"]]


async def test_a_grant_has_a_receipt_with_all_that_the_specification_asks_for(
    hanako: Voice, cast: Cast
) -> None:
    (consent,) = await hanako.grant(
        permit(cast.hospital, period={"start": "2026-01-01", "end": "2099-12-31"})
    )
    content = await received(hanako, consent)
    base, processing = f"{BASE_URL}/fhir", content["pii_processing"]
    assert content["schema_version"].startswith("ISO/IEC TS 27560:2023")
    assert content["record_id"] == f"{base}/{consent}/_history/1"
    assert content["receipt_id"].endswith(f"/sharing/receipts/{consent.partition('/')[2]}?version=1")
    assert content["pii_principal_id"] == f"{base}/{hanako.reference}"
    assert all(processing[name] for name in OF_PROCESSING)
    for purpose in processing["purposes"]:
        assert all(purpose[name] for name in OF_PURPOSE)
        assert all(one["pii_type"] for one in purpose["pii_information"])
        known = {party["party_id"] for party in content["party_identification"]}
        assert {*purpose["pii_controllers"], *purpose["recipient_third_parties"]} <= known
    assert all(party[name] for party in content["party_identification"] for name in OF_PARTY)
    assert all(event[name] for event in content["events"] for name in OF_EVENT)
    assert states(content) == ["ConsentGiven"]
    assert content["events"][0]["validity_duration"].endswith("/2099-12-31T15:00:00.000Z")


async def test_a_receipt_says_what_was_granted_to_whom(hanako: Voice, cast: Cast) -> None:
    root = permit(
        cast.dr_a,
        types=["Observation", "Condition"],
        codes=[("http://loinc.org", "29463-7")],
        labels=["N"],
        but=[deny(types=["Condition"])],
    )
    (consent,) = await hanako.grant(root)
    (purpose,) = (await received(hanako, consent))["pii_processing"]["purposes"]
    assert purpose["purpose"] == TREAT
    assert purpose["recipient_third_parties"] == [f"{BASE_URL}/fhir/{cast.dr_a}"]
    assert [one["pii_type"] for one in purpose["pii_information"]] == ["Condition", "Observation"]
    assert purpose["pii_information"][0]["pii_attribute_id"] == ["http://loinc.org|29463-7"]
    assert purpose["exceptions"][0]["decision"] == "deny"
    assert purpose["exceptions"][0]["pii_information"][0]["pii_type"] == "Condition"


async def test_a_receipt_holds_the_consent_to_the_byte_as_it_is_read(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    content = await received(hanako, consent)
    shown = await hanako.get(f"{consent}/_history/1")
    assert content["consent"]["sha256"] == sha256(shown.content).hexdigest()
    assert content["consent"]["resource"] == shown.json()


async def test_the_same_consent_has_the_same_receipt_to_the_byte(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    address = f"/sharing/receipts/{consent.partition('/')[2]}"
    assert (await hanako.get(address)).content == (await hanako.get(address)).content


@pytest.mark.parametrize(
    ("status", "state"), [("inactive", "ConsentWithdrawn"), ("entered-in-error", "ConsentInvalidated")]
)
async def test_a_withdrawal_has_a_receipt_that_tells_of_both(
    hanako: Voice, cast: Cast, status: str, state: str
) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await with_status(hanako, consent, status)
    content = await received(hanako, consent)
    assert states(content) == ["ConsentGiven", state]
    assert content["consent"]["reference"] == f"{consent}/_history/1"
    assert content["withdrawal"]["reference"] == f"{consent}/_history/2"
    withdrawn = await hanako.get(f"{consent}/_history/2")
    assert content["withdrawal"]["sha256"] == sha256(withdrawn.content).hexdigest()
    given = await received(hanako, consent, 1)
    assert states(given) == ["ConsentGiven"]
    assert "withdrawal" not in given


async def test_a_deleted_consent_has_the_receipt_of_its_withdrawal(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await hanako.remove(consent)
    content = await received(hanako, consent)
    assert states(content) == ["ConsentGiven", "ConsentWithdrawn"]
    assert content["withdrawal"] == {"reference": f"{consent}/_history/2"}


async def test_a_request_has_no_receipt_until_it_is_granted(hanako: Voice, cast: Cast) -> None:
    asked = await cast.a.create({**hanako.consent(permit(cast.role_a)), "status": "proposed"})
    address = f"/sharing/receipts/{asked.partition('/')[2]}"
    outcome(await hanako.get(address), 404)
    await with_status(hanako, asked, "active")
    content = await received(hanako, asked)
    assert states(content) == ["ConsentRequested", "ConsentGiven"]
    assert content["consent"]["reference"].endswith("/_history/2")


async def test_a_refused_request_has_none(hanako: Voice, cast: Cast) -> None:
    asked = await cast.a.create({**hanako.consent(permit(cast.role_a)), "status": "proposed"})
    await with_status(hanako, asked, "rejected")
    outcome(await hanako.get(f"/sharing/receipts/{asked.partition('/')[2]}"), 404)


async def test_a_consent_that_is_replaced_is_received_anew(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await hanako.replace(consent, hanako.consent(permit(cast.dr_a)))
    content = await received(hanako, consent)
    assert states(content) == ["ConsentGiven", "RenewedConsentGiven"]
    (purpose,) = content["pii_processing"]["purposes"]
    assert purpose["recipient_third_parties"] == [f"{BASE_URL}/fhir/{cast.dr_a}"]


async def test_a_consent_that_only_denies_has_a_receipt_without_a_purpose_that_permits(
    hanako: Voice, cast: Cast
) -> None:
    (consent,) = await hanako.grant(deny(cast.dr_b))
    entries = (await received(hanako, consent))["pii_processing"]["purposes"]
    assert [entry["decision"] for entry in entries] == ["deny"]


async def test_the_list_names_every_receipt_the_newest_first(hanako: Voice, cast: Cast) -> None:
    one, two = await hanako.grant(permit(cast.hospital), permit(cast.clinic))
    await with_status(hanako, one, "inactive")
    answer = await hanako.get("/sharing/receipts")
    assert answer.status_code == 200, answer.text
    listed = [(one["consent"], one["version"], one["event_state"]) for one in answer.json()]
    assert listed == [
        (one, 2, f"{DPV}ConsentWithdrawn"),
        (two, 1, f"{DPV}ConsentGiven"),
        (one, 1, f"{DPV}ConsentGiven"),
    ]
    for entry in answer.json():
        address = entry["receipt"].removeprefix(BASE_URL)
        content = verified((await hanako.get(address)).content, await published(hanako.town))
        assert content["receipt_id"] == entry["receipt"]


async def test_a_receipt_is_given_as_json_to_who_asks_for_it(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    answer = await hanako.get(f"/sharing/receipts/{consent.partition('/')[2]}", Accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    told: dict[str, Any] = answer.json()
    assert verified(told["jws"].encode(), await published(hanako.town)) == told["receipt"]


async def test_nobody_else_is_told_whether_there_is_a_consent(hanako: Voice, taro: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    id_ = consent.partition("/")[2]
    for voice in (taro, cast.a, hanako.town.operator):
        of_other, of_none = [await voice.get(f"/sharing/receipts/{name}") for name in (id_, "none")]
        outcome(of_other, 404)
        assert (of_other.status_code, of_other.content) == (of_none.status_code, of_none.content)
        assert (await voice.get("/sharing/receipts")).json() == []
    outcome(await hanako.town.stranger.get(f"/sharing/receipts/{id_}"), 401)


@pytest.mark.parametrize("version", ["0", "2", "x", "-1", "99999999999", ""])
async def test_a_version_that_is_none_has_no_receipt(hanako: Voice, cast: Cast, version: str) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    outcome(await hanako.get(f"/sharing/receipts/{consent.partition('/')[2]}?version={version}"), 404)


async def test_a_look_at_a_receipt_is_in_the_log(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await received(hanako, consent)
    newest = (await hanako.get("/audit/accesses")).json()[0]
    assert newest["query"] == f"GET sharing/receipts/{consent.partition('/')[2]}"
    assert newest["records"] == [consent]


async def test_the_published_keys_hold_no_private_part(town: Town) -> None:
    keys = (await published(town))["keys"]
    ring = town.runtime.ring
    assert [key.keys() for key in keys] == [
        *([{"kty", "crv", "x", "y", "kid", "use", "alg"}] * len(ring.signing_keys)),
        *([{"kty", "n", "e", "kid", "use"}] * len(ring.id_token_keys)),
    ]
    kids = [*(key.kid for key in ring.signing_keys), *(key.kid for key in ring.id_token_keys)]
    assert [key["kid"] for key in keys] == kids
