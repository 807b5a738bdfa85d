"""Who may write what: operators, residents, proxies, physicians, services; each in their bounds.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Callable
from typing import Final

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

EVERYTHING: Final = ["collect", "correct"]
APART: Final = ["Consent", "CareTeam", "RelatedPerson", "Group", "Provenance"]

HEALTH: Final[dict[str, Callable[[str], Json]]] = {
    "Observation": made.pressure,
    "MedicationRequest": made.prescription,
    "MedicationDispense": made.dispense,
    "MedicationStatement": made.statement,
    "AllergyIntolerance": made.allergy,
    "Condition": made.condition,
    "Encounter": made.encounter,
    "Immunization": made.immunization,
    "RelatedPerson": made.related_person,
    "CareTeam": made.care_team,
    "Group": made.group,
}
DIRECTORY: Final[dict[str, Json]] = {
    "Practitioner": made.practitioner("架空"),
    "PractitionerRole": made.role("Practitioner/x", "Organization/y"),
    "Organization": made.organization("架空"),
    "Location": {"resourceType": "Location", "name": "架空"},
    "Medication": {"resourceType": "Medication", "code": {"text": "架空錠"}},
    "Patient": {"resourceType": "Patient", "name": [{"text": "架空"}]},
}


async def proxy_of(patient: Voice) -> Voice:
    """A related person who may see all there is, and decide about consents."""
    reference = await patient.create(made.related_person(patient.reference))
    await patient.grant(
        permit(reference, purposes=["FAMRQT"]),
        permit(reference, purposes=["FAMRQT"], types=APART),
        permit(reference, purposes=["FAMRQT"], types=["Consent"], actions=EVERYTHING),
    )
    return patient.town.as_(reference)


@pytest.mark.parametrize("type_name", HEALTH)
async def test_an_operator_writes_and_reads_no_health_data(town: Town, hanako: Voice, type_name: str) -> None:
    tree = HEALTH[type_name](hanako.reference)
    outcome(await town.operator.post(tree), 403, "forbidden")
    reference = await hanako.create(tree)
    assert not await town.operator.sees(reference)
    outcome(await town.operator.delete(reference), 404, "not-found")
    answer = await town.operator.put(reference, tree)
    assert answer.status_code in (403, 405)
    assert answered(await town.operator.put(f"{type_name}/unknown", tree)) == answered(answer)


@pytest.mark.parametrize("type_name", DIRECTORY)
async def test_nobody_but_the_operator_writes_the_directory(
    town: Town, hanako: Voice, cast: Cast, type_name: str
) -> None:
    await hanako.grant(permit(cast.hospital, actions=EVERYTHING), permit(cast.pharmacy, actions=EVERYTHING))
    for voice in (hanako, cast.a, town.as_(cast.pharmacy), town.as_("auditor")):
        outcome(await voice.post(DIRECTORY[type_name]), 403, "forbidden")


async def test_nobody_but_the_operator_changes_the_directory(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=EVERYTHING))
    for voice in (hanako, cast.a, town.as_("auditor")):
        outcome(await voice.put(cast.hospital, made.organization("別名")), 403, "forbidden")
        assert (await voice.delete(cast.hospital)).status_code in (403, 404)
    assert (await hanako.read(cast.hospital))["name"] == "ひな形病院（架空）"


async def test_an_auditor_writes_nothing(town: Town, hanako: Voice) -> None:
    auditor = town.as_("auditor")
    reference = await hanako.create(made.pressure(hanako.reference))
    for answer in (
        await auditor.post(made.pressure(hanako.reference)),
        await auditor.post(hanako.consent(permit("Practitioner/x"), status="proposed")),
        await auditor.put(reference, made.pressure(hanako.reference)),
    ):
        outcome(answer, 403, "forbidden")


async def test_a_resident_writes_into_the_own_passport_alone(hanako: Voice, taro: Voice) -> None:
    for build in HEALTH.values():
        outcome(await hanako.post(build(taro.reference)), 403, "forbidden")
        denied = await hanako.post(build("Patient/unknown"))
        outcome(denied, 403, "forbidden")
    assert await taro.found("Observation") == []


async def test_a_resident_cannot_put_words_into_the_own_registration(hanako: Voice) -> None:
    tree = await hanako.read(hanako.reference)
    outcome(await hanako.put(hanako.reference, {**tree, "birthDate": "2000-01-01"}), 403, "forbidden")
    outcome(await hanako.delete(hanako.reference), 403, "forbidden")


async def test_a_resident_does_not_change_what_somebody_else_wrote(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect", "correct"]))
    reference = await cast.a.create(made.prescription(hanako.reference, made.CANDESARTAN))
    tree = await hanako.read(reference)
    outcome(await hanako.put(reference, {**tree, "status": "stopped"}), 403, "forbidden")
    outcome(await hanako.delete(reference), 403, "forbidden")
    assert (await cast.a.put(reference, {**tree, "status": "stopped"})).status_code == 200


async def test_reading_is_no_writing(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital))
    reference = await hanako.create(made.pressure(hanako.reference))
    assert await cast.a.sees(reference)
    outcome(await cast.a.post(made.pressure(hanako.reference)), 403, "forbidden")
    outcome(await cast.a.put(reference, made.pressure(hanako.reference)), 403, "forbidden")
    outcome(await cast.a.delete(reference), 403, "forbidden")


async def test_collecting_is_no_reading(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    reference = await cast.a.create(made.pressure(hanako.reference))
    assert not await cast.a.sees(reference)
    outcome(await cast.a.put(reference, made.pressure(hanako.reference)), 405)
    assert await hanako.sees(reference)


async def test_who_collects_corrects_what_they_wrote_themselves_and_nothing_else(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect"]))
    mine = await cast.a.create(made.weight(hanako.reference, 62.5))
    other = await hanako.create(made.weight(hanako.reference, 62.5))
    assert (await cast.a.put(mine, made.weight(hanako.reference, 61.5))).status_code == 200
    outcome(await cast.a.put(other, made.weight(hanako.reference, 61.5)), 403, "forbidden")
    outcome(await cast.b.put(mine, made.weight(hanako.reference, 60.5)), 403, "forbidden")
    outcome(await cast.b.delete(mine), 403, "forbidden")
    await cast.a.remove(mine)


async def test_correcting_needs_the_right_to_the_old_and_to_the_new_content(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(
        permit(cast.hospital), permit(cast.hospital, actions=["correct"], codes=[made.BODY_WEIGHT])
    )
    weight = await hanako.create(made.weight(hanako.reference))
    pressure = await hanako.create(made.pressure(hanako.reference))
    assert (await cast.a.put(weight, made.weight(hanako.reference, 60.0))).status_code == 200
    outcome(await cast.a.put(weight, made.pressure(hanako.reference)), 403, "forbidden")
    outcome(await cast.a.put(pressure, made.weight(hanako.reference)), 403, "forbidden")
    assert (await hanako.get(weight)).headers["etag"] == 'W/"2"'
    assert (await hanako.get(pressure)).headers["etag"] == 'W/"1"'


async def test_a_grant_to_collect_is_for_what_it_names(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.pharmacy, types=["MedicationDispense"], actions=["collect"]))
    pharmacy = hanako.town.as_(cast.pharmacy)
    await pharmacy.create(made.dispense(hanako.reference, made.CANDESARTAN))
    outcome(await pharmacy.post(made.prescription(hanako.reference)), 403, "forbidden")
    outcome(await hanako.town.as_(cast.clinic).post(made.dispense(hanako.reference)), 403, "forbidden")


async def test_a_root_deny_holds_against_writing(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect"]), deny(cast.dr_b))
    await cast.a.create(made.pressure(hanako.reference))
    outcome(await cast.b.post(made.pressure(hanako.reference)), 403, "forbidden")


async def test_a_written_record_that_nothing_permits_leaves_no_trace(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT], actions=["collect"]))
    before = hanako.town.rows("SELECT count(*), sum(version) FROM resource")
    outcome(await cast.a.post(made.pressure(hanako.reference)), 403, "forbidden")
    assert hanako.town.rows("SELECT count(*), sum(version) FROM resource") == before
    assert await hanako.found("Observation") == []


async def test_an_active_consent_is_written_by_the_patient(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(
        permit(cast.hospital, types=APART, actions=["access", *EVERYTHING]),
        permit(cast.pharmacy, types=APART, actions=["access", *EVERYTHING]),
    )
    tree = hanako.consent(permit(cast.dr_a))
    for voice in (cast.a, town.as_(cast.pharmacy), town.operator, town.as_("auditor")):
        outcome(await voice.post(tree), 403, "forbidden")


async def test_a_policy_is_written_by_an_operator(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, types=APART, actions=EVERYTHING))
    tree = {name: value for name, value in hanako.consent(permit(cast.dr_b)).items() if name != "patient"}
    for voice in (hanako, cast.a, town.as_(cast.pharmacy), town.as_("auditor")):
        outcome(await voice.post(tree), 403, "forbidden")


async def test_an_operator_writes_no_residents_consent(town: Town, hanako: Voice, cast: Cast) -> None:
    for status in ("active", "proposed"):
        outcome(await town.operator.post(hanako.consent(permit(cast.dr_b), status=status)), 403, "forbidden")


async def test_care_teams_are_written_by_the_patient(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, types=APART, actions=["access", *EVERYTHING]))
    team = await hanako.create(made.care_team(hanako.reference, cast.role_a))
    assert await cast.a.sees(team)
    outcome(await cast.a.post(made.care_team(hanako.reference, cast.role_b)), 403, "forbidden")
    outcome(await cast.a.put(team, made.care_team(hanako.reference, cast.role_b)), 403, "forbidden")


async def test_a_proxy_grants_and_withdraws_in_the_patients_name(hanako: Voice, cast: Cast) -> None:
    proxy = await proxy_of(hanako)
    observation = await hanako.create(made.pressure(hanako.reference))
    reference = await proxy.create(hanako.consent(permit(cast.dr_a)))
    assert await cast.a.sees(observation)
    await proxy.replace(reference, hanako.consent(permit(cast.dr_a), status="inactive"))
    assert not await cast.a.sees(observation)


async def test_a_proxy_writes_no_consent_that_names_the_proxy(hanako: Voice, cast: Cast) -> None:
    proxy = await proxy_of(hanako)
    for root in (
        permit(proxy.reference, purposes=["FAMRQT"], actions=["correct"]),
        deny(proxy.reference),
        permit(cast.dr_a, but=[deny(data=[("authoredby", proxy.reference)])]),
    ):
        outcome(await proxy.post(hanako.consent(root)), 403, "forbidden")


async def test_a_proxy_does_not_replace_a_consent_that_names_the_proxy(hanako: Voice, cast: Cast) -> None:
    proxy = await proxy_of(hanako)
    (reference,) = await hanako.grant(deny(proxy.reference, types=["Condition"]))
    for tree in (hanako.consent(deny(cast.dr_a)), hanako.consent(deny(cast.dr_a), status="inactive")):
        outcome(await proxy.put(reference, tree), 403, "forbidden")
    outcome(await proxy.delete(reference), 403, "forbidden")
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


async def test_a_proxy_without_class_consent_in_the_grant_writes_none(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.related_person(hanako.reference))
    await hanako.grant(permit(reference, purposes=["FAMRQT"], actions=["access", *EVERYTHING]))
    proxy = hanako.town.as_(reference)
    await proxy.create(made.pressure(hanako.reference))
    outcome(await proxy.post(hanako.consent(permit(cast.dr_a))), 403, "forbidden")


async def test_the_resident_decides_about_consents_and_teams_whoever_wrote_them(
    hanako: Voice, cast: Cast
) -> None:
    proxy = await proxy_of(hanako)
    written = await proxy.create(hanako.consent(permit(cast.dr_a)))
    assert (
        await hanako.put(written, hanako.consent(permit(cast.dr_a), status="inactive"))
    ).status_code == 200
    proposed = await cast.a.create(hanako.consent(permit(cast.dr_a), status="proposed"))
    await hanako.remove(proposed)


async def test_scopes_narrow_what_a_session_may_do(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", *EVERYTHING]))
    reference = await cast.a.create(made.pressure(hanako.reference))
    reading = hanako.town.as_(cast.role_a, scope="user/Observation.rs")
    assert await reading.sees(reference)
    outcome(await reading.post(made.pressure(hanako.reference)), 403, "forbidden")
    outcome(await reading.put(reference, made.pressure(hanako.reference)), 403, "forbidden")
    outcome(await reading.delete(reference), 403, "forbidden")
    for path in ("Condition", "Condition/unknown", f"{hanako.reference}/_history", cast.hospital):
        outcome(await reading.get(path), 403, "forbidden")
    searching = hanako.town.as_(cast.role_a, scope="user/Observation.s")
    outcome(await searching.get(reference), 403, "forbidden")
    assert await searching.found("Observation", ("patient", hanako.reference)) == [reference]


async def test_a_scope_gives_nothing_that_consent_does_not(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.pressure(hanako.reference))
    assert not await hanako.town.as_(cast.role_a, scope="user/*.cruds").sees(reference)


async def test_a_record_of_a_patients_type_that_names_nobody_is_not_kept(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=EVERYTHING))
    tree = {name: value for name, value in made.pressure("").items() if name != "subject"}
    for voice in (hanako, cast.a, cast.a_at_k):
        told = outcome(await voice.post(tree), 422, "required")
        assert told["issue"][0]["expression"] == ["Observation.subject"]
