"""Rulings on who may write, beside the worked cases.

http://hl7.org/fhir/R4/consent.html
"""

import pytest

from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import consent_json, permit

pytestmark = pytest.mark.anyio

PERSON = {"resourceType": "Patient", "name": [{"text": "見本 新子（架空）"}]}


async def test_a_passport_is_opened_by_the_office_or_under_a_policy(town: Town, cast: Cast) -> None:
    outcome(await cast.a.post(PERSON), 403)
    policy = await town.policy(
        consent_json(permit(cast.clinic, actions=["collect"], types=["Patient"]), None)
    )
    outcome(await cast.a.post(PERSON), 403)
    registered = await cast.a_at_k.create(PERSON)
    assert (await town.as_(registered).get(registered)).status_code == 200
    # Who registers somebody sees nothing of them by that.
    assert (await cast.a_at_k.get(registered)).status_code == 404
    await town.operator.remove(policy)
    outcome(await cast.a_at_k.post(PERSON), 403)


async def test_a_patient_permits_nobody_to_open_passports(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"], types=["Patient"]))
    outcome(await cast.a.post(PERSON), 403)
    linked = {**PERSON, "link": [{"type": "seealso", "other": {"reference": hanako.reference}}]}
    outcome(await cast.a.post(linked), 403)
