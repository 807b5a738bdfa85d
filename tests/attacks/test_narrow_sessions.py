"""A session narrowed by its scopes: what they do not name stays shut outside of the FHIR addresses too."""

import orjson
import pytest
from httpx import Response

from tests.http.handbooks import handbook
from tests.town import APPROVER, Town, Voice, answered, outcome
from tests.unit.passport.devices.signing import es256

pytestmark = pytest.mark.anyio

MODEL = "hoshi-cuff-1"
NARROW = "patient/Practitioner.r"


def narrowed(resident: Voice, scope: str) -> Voice:
    return resident.town.as_(resident.reference, scope=scope)


async def handed_over(who: Voice, patient: Voice) -> Response:
    return await who.call(
        "POST",
        "/imports",
        content=handbook("20260401"),
        params=[("patient", patient.reference), ("format", "jahis")],
        headers={"Content-Type": "application/octet-stream"},
    )


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/devices/quarantine", "patient/Observation.s"),
        ("/devices", "patient/Device.s"),
        ("/notifications", "patient/AuditEvent.s"),
    ],
)
async def test_a_list_of_the_residents_own_needs_its_scope(hanako: Voice, path: str, scope: str) -> None:
    for narrow in (NARROW, scope.replace(".s", ".cru")):
        refusal = outcome(await narrowed(hanako, narrow).call("GET", path), 403, "forbidden")
        assert "scopes" in refusal["issue"][0]["diagnostics"]
    assert (await narrowed(hanako, scope).call("GET", path)).json() == []


async def test_a_file_is_handed_over_and_asked_for_with_the_scopes_of_its_records(hanako: Voice) -> None:
    for scope in (NARROW, "patient/MedicationDispense.ruds", "patient/MedicationRequest.cruds"):
        outcome(await handed_over(narrowed(hanako, scope), hanako), 403, "forbidden")
    taken = await handed_over(narrowed(hanako, "patient/MedicationDispense.c"), hanako)
    assert taken.status_code == 202, taken.text
    again = await handed_over(narrowed(hanako, "patient/MedicationStatement.c"), hanako)
    place = taken.headers["Location"]
    assert again.headers["Location"] == place
    outcome(await narrowed(hanako, "patient/MedicationDispense.cru").call("GET", place), 403, "forbidden")
    told = await narrowed(hanako, "patient/MedicationDispense.s").call("GET", place)
    assert told.json()["status"] == "received"


async def approved_device(resident: Voice) -> str:
    model = {"manufacturer": "星見計器（架空）", "display": MODEL, "readings": ["blood-pressure"]}
    approver = resident.town.as_(APPROVER)
    await approver.call("PUT", f"/devices/models/{MODEL}", content=orjson.dumps(model))
    order = {"patient": resident.reference, "model": MODEL, "serial": "HB-000117", "jwk": es256().jwk}
    enrolled = await resident.call("POST", "/devices/enrolments", content=orjson.dumps(order))
    device: str = enrolled.json()["device"].partition("/")[2]
    answer = await resident.call("POST", f"/devices/{device}/approve")
    assert answer.status_code == 200, answer.text
    return device


@pytest.mark.parametrize("scope", [NARROW, "patient/Consent.r", "patient/*.cruds"])
async def test_a_stranger_cannot_tell_a_device_from_none(
    town: Town, hanako: Voice, taro: Voice, scope: str
) -> None:
    device = await approved_device(hanako)
    stranger = narrowed(taro, scope)
    for verb in ("approve", "suspend", "resume", "revoke"):
        denied = await stranger.call("POST", f"/devices/{device}/{verb}")
        absent = await stranger.call("POST", f"/devices/nobody/{verb}")
        outcome(denied, 404, "not-found")
        assert answered(denied)[::2] == answered(absent)[::2]
