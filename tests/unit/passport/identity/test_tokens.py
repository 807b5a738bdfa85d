"""Sessions on a real database: issued, delegated, ended; and tokens for a demo's folder."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent.model import Action
from passport.admission import Request, admitted
from passport.identity import tokens
from passport.identity.installation import LIFETIME_MAX, issue_for
from passport.identity.principals import UnknownPrincipal
from passport.identity.purposes import UnknownPurpose
from passport.identity.scopes import UnusableScope
from passport.needs import Kept
from passport.outcomes import Invalid, Refused, Unauthenticated
from passport.runtime import Runtime
from passport.subjects import Bearer, Subject
from tests.http.identity_town import City

pytestmark = pytest.mark.anyio

DOCTOR = Subject(
    kind="practitioner",
    reference="Practitioner/mihon",
    role="PractitionerRole/mihon-hoshimi",
    client="Device/terminal",
    patient_key=None,
    patient=None,
    purpose="TREAT",
    scopes=frozenset({"user/Observation.rs", "user/Patient.r"}),
    session_id=None,
    opened_patient_key=None,
)


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


async def issued(town: City, subject: Subject = DOCTOR, seconds: int = 300) -> tokens.Issued:
    async with town.runtime.pool.connection() as connection:
        return await tokens.issue(
            town.runtime,
            connection,
            subject,
            now=town.clock(),
            lifetime=timedelta(seconds=seconds),
            authenticated_at=town.clock(),
        )


async def subject_of(runtime: Runtime, hashed: bytes) -> Subject:
    caller = Bearer(hashed, needs=Kept.RECORDS)
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", "")) as desk:
        return desk.subject


async def test_a_session_gives_back_the_subject_that_it_was_issued_for(town: City) -> None:
    token = await issued(town)
    found = await subject_of(town.runtime, tokens.token_hash(token.text))
    assert found == replace(DOCTOR, session_id=token.session_id)


async def test_for_whom_a_session_is_bound_is_told_to_nobody(town: City) -> None:
    token = await issued(town, replace(DOCTOR, scopes=DOCTOR.scopes | {"patient=7"}))
    assert token.answer["scope"] == "user/Observation.rs user/Patient.r"


async def test_no_two_tokens_are_alike_and_none_is_shown(town: City) -> None:
    first, second = await issued(town), await issued(town)
    assert first.text != second.text
    assert len(first.text) == 43
    assert first.text not in repr(first)


async def test_an_expired_an_ended_and_an_unknown_token_are_refused_alike(town: City) -> None:
    expired, ended = await issued(town, seconds=-1), await issued(town)
    async with town.runtime.pool.connection() as connection:
        hashed = tokens.token_hash(ended.text)
        assert await tokens.revoke(connection, hashed, now=town.clock())
        assert not await tokens.revoke(connection, hashed, now=town.clock())
    texts = set()
    for text in (expired.text, ended.text, "unknown"):
        with pytest.raises(Unauthenticated) as refusal:
            await subject_of(town.runtime, tokens.token_hash(text))
        texts.add(refusal.value.text)
    assert len(texts) == 1


async def test_a_task_acts_as_its_caller_for_thirty_days_with_a_token_nobody_has(town: City) -> None:
    async with town.runtime.pool.connection() as connection:
        hashed = await tokens.delegate(town.runtime, connection, DOCTOR, now=town.clock())
    found = await subject_of(town.runtime, hashed)
    assert replace(found, session_id=None) == DOCTOR
    town.clock.ahead = timedelta(days=30, seconds=1)
    try:
        with pytest.raises(Unauthenticated):
            await subject_of(town.runtime, hashed)
    finally:
        town.clock.ahead = timedelta()


async def test_an_emergency_opening_is_not_handed_on(town: City) -> None:
    opened = replace(DOCTOR, purpose="BTG", opened_patient_key=7)
    async with town.runtime.pool.connection() as connection:
        with pytest.raises(Refused):
            await tokens.delegate(town.runtime, connection, opened, now=town.clock())


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        ("operator", "operator"),
        ("auditor", "auditor"),
        ("resident", "patient"),
        ("relative", "proxy"),
        ("practitioner", "practitioner"),
        ("role", "practitioner"),
        ("organization", "service"),
        ("terminal", "service"),
        ("cuff", "device"),
    ],
)
async def test_a_demo_issues_a_token_for_everyone_who_may_call(
    town: City, aoi: str, make: str, kind: str
) -> None:
    reference = await made(town, aoi, make)
    token = await issue_for(town.runtime, reference, purpose="PATRQT")
    assert token.seconds == 7_200
    found = await subject_of(town.runtime, tokens.token_hash(token.text))
    assert found.kind == kind
    assert found.actor == reference
    assert (found.patient, found.patient_key is not None) == (
        (reference, True) if kind == "patient" else (None, False)
    )
    assert found.reference.partition("/")[0] != "PractitionerRole"
    (row,) = [row for row in town.audited("token") if row["detail"] == str(token.session_id)]
    assert (row["outcome"], row["subject"], row["purpose"]) == ("success", found.reference, "PATRQT")


async def made(town: City, aoi: str, what: str) -> str:
    makers: dict[str, Any] = {
        "resident": town.resident,
        "relative": lambda: town.relative(aoi),
        "practitioner": town.practitioner,
        "organization": town.organization,
    }
    if what in makers:
        reference: str = await makers[what]()
        return reference
    if what == "role":
        return await town.role(await town.practitioner(), await town.organization())
    if what == "terminal":
        return await town.create("operator", {"resourceType": "Device"})
    if what == "cuff":
        return await town.create(aoi, {"resourceType": "Device", "patient": {"reference": aoi}})
    return what


@pytest.mark.parametrize(
    "reference", ["Patient/nowhere", "Observation/1", "Shoe/1", "nobody", "", "Patient", "Patient/a/b"]
)
async def test_an_unknown_reference_gets_no_token(town: City, reference: str) -> None:
    with pytest.raises(UnknownPrincipal):
        await issue_for(town.runtime, reference, purpose="TREAT")


async def test_a_deleted_resource_signs_nobody_in(town: City) -> None:
    practitioner = await town.practitioner()
    await issue_for(town.runtime, practitioner, purpose="TREAT")
    assert (await town.call("operator", "DELETE", f"/fhir/{practitioner}")).status_code == 204
    with pytest.raises(UnknownPrincipal):
        await issue_for(town.runtime, practitioner, purpose="TREAT")


async def test_a_role_whose_practitioner_is_gone_signs_nobody_in(town: City) -> None:
    organization = await town.organization()
    alone = {"resourceType": "PractitionerRole", "organization": {"reference": organization}}
    with pytest.raises(UnknownPrincipal):
        await issue_for(town.runtime, await town.create("operator", alone), purpose="TREAT")


async def test_the_emergency_purpose_is_issued_to_nobody(town: City, aoi: str) -> None:
    for reference in (aoi, "operator", await town.organization()):
        with pytest.raises(UnknownPurpose):
            await issue_for(town.runtime, reference, purpose="BTG")


async def test_scopes_and_lifetimes_have_their_bounds(town: City, aoi: str) -> None:
    narrow = await issue_for(town.runtime, aoi, purpose="PATRQT", scope="patient/Observation.rs")
    assert narrow.scopes == {"patient/Observation.rs"}
    assert narrow.seconds == 7_200
    with pytest.raises(
        UnusableScope, match=r"expected such as `patient/Observation.rs`, `user/Observation.rs`$"
    ):
        await issue_for(town.runtime, aoi, purpose="PATRQT", scope="system/*.rs")
    for lifetime in (timedelta(seconds=-1), LIFETIME_MAX + timedelta(seconds=1)):
        with pytest.raises(Invalid):
            await issue_for(town.runtime, aoi, purpose="PATRQT", lifetime=lifetime)


async def test_a_production_installation_hands_out_no_token(town: City, aoi: str) -> None:
    production = replace(town.runtime, settings=town.runtime.settings.at(mode="production"))
    with pytest.raises(Refused):
        await issue_for(production, aoi, purpose="PATRQT")
