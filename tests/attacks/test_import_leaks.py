"""A file that is handed over tells its source nothing of a Patient whom the source may not read.

http://hl7.org/fhir/R4/patient.html
"""

from typing import Any, Final

import pytest
from httpx import Response

from tests.attacks.twins import masked
from tests.cast import Cast
from tests.http.handbooks import BORN, handbook
from tests.town import Town, Voice
from tests.unit.consent.words import permit
from workers.attempt import attempt
from workers.tasks import HANDLERS

pytestmark = pytest.mark.anyio

GUESSED: Final = f"{BORN[:4]}-{BORN[4:6]}-{BORN[6:]}"
PATIENTS: Final[dict[str, dict[str, Any]]] = {
    "as guessed": {"birthDate": GUESSED, "name": [{"text": "見本 花子"}]},
    "born on another day": {"birthDate": "1971-07-09", "name": [{"text": "見本 花子"}]},
    "born in another year as far as is known": {"birthDate": "1971", "name": [{"text": "見本 花子"}]},
    "of another name": {"birthDate": GUESSED, "name": [{"text": "秘密 次郎"}]},
    "without a birth date": {"name": [{"text": "秘密 次郎"}]},
    "of whom nothing is known": {},
}
FILES: Final = (
    handbook("20260401"),
    handbook("20260402", born=""),
    handbook("20260403", name="", born="19710709"),
)


async def handed_over(
    town: Town, source: Voice, patient: Voice, data: bytes, *, withdrawn: str | None = None
) -> str:
    """Hand a file over and let a worker work, after a consent of the patient is withdrawn if one is to be."""
    path = f"/imports?patient={patient.reference}&format=jahis"
    answer = await source.call("POST", path, content=data, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 202, answer.text
    if withdrawn is not None:
        await patient.replace(withdrawn, {**await patient.read(withdrawn), "status": "inactive"})
    for patient_key, outbox_id in town.rows(
        "SELECT patient_key, outbox_id FROM outbox WHERE done_at IS NULL"
    ):
        await attempt(town.runtime, HANDLERS, patient_key, outbox_id, limit_seconds=20)
    location: str = answer.headers["location"]
    return location


@pytest.mark.parametrize("data", FILES, ids=["born and named", "named alone", "born alone"])
@pytest.mark.parametrize("refused", [False, True])
async def test_a_source_that_may_only_write_learns_no_birth_date_and_no_name(
    town: Town, cast: Cast, data: bytes, refused: bool
) -> None:
    source = town.as_(cast.pharmacy)
    told: list[Response] = []
    for elements in PATIENTS.values():
        tree = {"resourceType": "Patient", **elements}
        patient = town.as_(await town.operator.create(tree))
        types = ["Observation", "MedicationDispense", "MedicationRequest"]
        (consent,) = await patient.grant(permit(cast.pharmacy, actions=["collect"], types=types))
        withdrawn = consent if refused else None
        location = await handed_over(town, source, patient, data, withdrawn=withdrawn)
        answer = await source.call("GET", location)
        assert answer.json()["status"] == ("refused" if refused else "finished")
        assert (await patient.call("GET", location)).status_code == 200
        told.append(answer)
    assert [masked(one) for one in told] == [masked(told[0])] * len(told)


async def test_whom_it_concerns_is_told(town: Town, cast: Cast) -> None:
    """Otherwise the proof would prove nothing."""
    hanako = await town.resident("見本 花子", birthDate="1971-07-09")
    await hanako.grant(permit(cast.pharmacy, actions=["collect"]))
    source = town.as_(cast.pharmacy)
    location = await handed_over(town, source, hanako, FILES[0])
    assert (await hanako.call("GET", location)).json()["reason"] == "another-person"
