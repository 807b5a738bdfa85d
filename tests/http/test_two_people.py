"""What needs two persons of the city: their logins, and the policies that count for everybody."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.identities import sent
from tests.town import AUDITOR, CLERK, Town, Voice, outcome
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

HEALTH: Final = (
    "Observation",
    "Condition",
    "Consent",
    "AuditEvent",
    "Patient",
    "DocumentReference",
    "Binary",
)


def sharing(cast: Cast, **words: Any) -> Json:
    return consent_json(permit(cast.pharmacy, purposes=["PUBHLTH"], **words), None)


def login() -> str:
    return f"n-{uuid4().hex[:10]}"


async def handed_out(town: Town, by: Voice, subject: str, **more: Any) -> Json:
    tree = {"login": login(), "subject": subject, "purposes": ["HOPERAT"], **more}
    answer = await sent(by, "/auth/sign-in-codes", tree)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def confirmed(by: Voice, code: Json) -> Response:
    named = {"proposal": code["proposal"]}
    return await sent(by, f"/auth/sign-in-codes/{code['login']}/confirm", named)


async def signed_in(town: Town, code: Json) -> Response:
    tree = {"login": code["login"], "code": code["code"], "purpose": "HOPERAT"}
    headers = {"Content-Type": "application/json"}
    return await town.stranger.call("POST", "/auth/sign-in", content=orjson.dumps(tree), headers=headers)


async def person(town: Town, office: str, **more: Any) -> Voice:
    """Somebody with a login of their own in an office of the city."""
    code = await handed_out(town, town.operator, office, **more)
    assert (await confirmed(town.second_operator, code)).status_code == 200
    token = (await signed_in(town, code)).json()["access_token"]
    return Voice(town, f"{office}/{code['login']}", "HOPERAT", "", bearer=token)


class TestLogins:
    async def test_each_login_of_an_office_is_a_person_of_its_own(self, town: Town) -> None:
        ones = [await person(town, "operator"), await person(town, "operator")]
        for one in ones:
            await one.create(made.organization("別々"))
        rows = town.rows(
            "SELECT subject, role FROM audit_event WHERE action = 'create' AND kind = 'operator'"
        )
        assert {(one.reference, "operator") for one in ones} <= set(rows)

    async def test_a_code_for_the_city_waits_for_another_operator(self, town: Town) -> None:
        code = await handed_out(town, town.operator, "operator")
        assert code["waits_for"] == "another operator"
        assert (await signed_in(town, code)).status_code == 401
        outcome(await confirmed(town.operator, code), 403, "forbidden")
        assert (await signed_in(town, code)).status_code == 401
        assert (await confirmed(town.second_operator, code)).status_code == 200
        assert (await signed_in(town, code)).status_code == 200
        outcome(await confirmed(town.second_operator, code), 404, "not-found")

    async def test_nobody_becomes_another_person_by_a_code_of_their_own_making(self, town: Town) -> None:
        second = await handed_out(town, town.operator, "operator")
        assert (await confirmed(town.second_operator, second)).status_code == 200
        # The operator gives the colleague a new code, and would sign in by it.
        tree = {"login": second["login"], "subject": "operator", "purposes": ["HOPERAT"]}
        taken_over = (await sent(town.operator, "/auth/sign-in-codes", tree)).json()
        assert (await signed_in(town, taken_over)).status_code == 401
        # The colleague's own goes on until another operator has confirmed the new one.
        assert (await signed_in(town, second)).status_code == 200

    async def test_nobody_confirms_a_code_of_their_own(self, town: Town) -> None:
        one = await person(town, "operator")
        tree = {"login": one.reference.partition("/")[2], "subject": "operator", "purposes": ["HOPERAT"]}
        code = (await sent(town.operator, "/auth/sign-in-codes", tree)).json()
        outcome(await confirmed(one, code), 403, "forbidden")
        assert (await signed_in(town, code)).status_code == 401

    async def test_a_code_is_for_the_person_of_its_login(self, town: Town) -> None:
        tree = {"login": login(), "subject": "operator/somebody-else", "purposes": ["HOPERAT"]}
        outcome(await sent(town.operator, "/auth/sign-in-codes", tree), 400)
        unfits: tuple[Json, ...] = ({"person": "Patient/1"}, {"person": 5})
        for unfit in unfits:
            tree = {"login": login(), "subject": "auditor", "purposes": ["HOPERAT"], **unfit}
            outcome(await sent(town.operator, "/auth/sign-in-codes", tree), 400)

    async def test_a_resident_is_no_person_of_the_city(self, town: Town, hanako: Voice) -> None:
        tree = {
            "login": login(),
            "subject": hanako.reference,
            "purposes": ["PATRQT"],
            "person": "Practitioner/1",
        }
        outcome(await sent(town.operator, "/auth/sign-in-codes", tree), 400)

    async def test_only_an_operator_confirms(self, town: Town, hanako: Voice, cast: Cast) -> None:
        code = await handed_out(town, town.operator, "clerk")
        for voice in (hanako, cast.a, town.as_(AUDITOR), town.as_(CLERK)):
            outcome(await confirmed(voice, code), 403, "forbidden")
        assert (await signed_in(town, code)).status_code == 401

    async def test_taking_a_code_back_ends_one_persons_sessions_and_no_colleagues(self, town: Town) -> None:
        one, other = await person(town, "operator"), await person(town, "operator")
        path = f"/auth/sign-in-codes/{one.reference.partition('/')[2]}"
        assert (await town.operator.call("DELETE", path)).status_code == 204
        assert (await one.get("Organization")).status_code == 401
        assert (await other.get("Organization")).status_code == 200


class TestLog:
    async def test_the_log_says_which_person_it_was_and_in_which_office(self, town: Town) -> None:
        one = await person(town, "operator")
        await one.create(made.organization("記録"))
        for agent in (one.reference, "operator"):
            found = await town.as_(AUDITOR).search("AuditEvent", ("agent", agent), ("_sort", "-date"))
            agents = [entry["resource"]["agent"] for entry in found["entry"]]
            named = [each["who"].get("display") for each in agents[0][:2]]
            assert named == [one.reference, "operator"]


class TestPolicies:
    @pytest.fixture
    async def proposed(self, town: Town, cast: Cast) -> AsyncIterator[tuple[str, Json]]:
        tree = {**sharing(cast), "status": "proposed"}
        reference = await town.operator.create(tree)
        yield reference, {**tree, "status": "active"}
        await town.operator.remove(reference)

    async def test_two_operators_put_a_policy_into_force(
        self, town: Town, hanako: Voice, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        record = await hanako.create(made.weight(hanako.reference))
        office = town.as_(cast.pharmacy, "PUBHLTH")
        assert not await office.sees(record)
        await town.second_operator.replace(*proposed)
        assert await office.sees(record)

    async def test_nobody_puts_a_policy_into_force_alone(
        self, town: Town, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        outcome(await town.operator.post(sharing(cast)), 403, "forbidden")
        outcome(await town.operator.put(*proposed), 403, "forbidden")
        patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "active"}])
        headers = {"Content-Type": "application/json-patch+json"}
        outcome(await town.operator.call("PATCH", proposed[0], content=patch, headers=headers), 403)
        read = headers | {"If-Match": 'W/"1"'}
        assert (await town.second_operator.call("PATCH", proposed[0], content=patch, headers=read)).is_success

    async def test_a_tag_or_a_patch_of_a_colleague_is_no_proposal_of_theirs(
        self, town: Town, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        reference, active = proposed
        tag = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:a", "code": "b"}]}}
        change = orjson.dumps({"resourceType": "Parameters", "parameter": [tag]})
        outcome(
            await town.second_operator.call("POST", f"{reference}/$meta-add", content=change),
            403,
            "forbidden",
        )
        headers = {"Content-Type": "application/json-patch+json"}
        patch = orjson.dumps([{"op": "add", "path": "/dateTime", "value": "2026-01-01"}])
        outcome(await town.second_operator.call("PATCH", reference, content=patch, headers=headers), 403)
        # The same once more is no other proposal, nor is a tag that is sent along.
        same = {**active, "status": "proposed"}
        await town.second_operator.replace(reference, same)
        tagged = {**same, "meta": {"tag": [{"system": "urn:a", "code": "b"}]}}
        await town.second_operator.replace(reference, tagged)
        outcome(await town.operator.put(reference, {**tagged, "status": "active"}), 403, "forbidden")
        await town.second_operator.replace(reference, {**tagged, "status": "active"})

    async def test_a_draft_that_a_colleague_puts_forward_is_still_whose_it_was(
        self, town: Town, cast: Cast
    ) -> None:
        tree = {**sharing(cast), "status": "draft"}
        reference = await town.operator.create(tree)
        await town.second_operator.replace(reference, {**tree, "status": "proposed"})
        outcome(await town.operator.put(reference, {**tree, "status": "active"}), 403, "forbidden")
        await town.operator.remove(reference)

    async def test_whoever_agrees_by_a_patch_says_to_which_version(
        self, town: Town, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        reference, active = proposed
        patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "active"}])
        headers = {"Content-Type": "application/json-patch+json"}
        for whichever in ({}, {"If-Match": "*"}, {"If-Match": 'W/"1", W/"2"'}):
            unsaid = await town.second_operator.call(
                "PATCH", reference, content=patch, headers=headers | whichever
            )
            outcome(unsaid, 422, "business-rule")
        wider = {**active, "provision": permit(cast.clinic, purposes=["PUBHLTH"]), "status": "proposed"}
        await town.operator.replace(reference, wider)
        read = headers | {"If-Match": 'W/"1"'}
        outcome(await town.second_operator.call("PATCH", reference, content=patch, headers=read), 412)
        assert (await town.operator.read(reference))["status"] == "proposed"

    async def test_a_bundle_is_no_second_person(self, town: Town, cast: Cast) -> None:
        tree = {**sharing(cast), "status": "proposed"}
        reference = await town.operator.create(tree)
        entries = [
            {
                "resource": {**tree, "status": status, "id": reference.partition("/")[2]},
                "request": {"method": "PUT", "url": reference},
            }
            for status in ("proposed", "active")
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        answer = await town.operator.call("POST", "/fhir", content=orjson.dumps(bundle))
        statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
        assert statuses == ["200", "403"]
        await town.operator.remove(reference)

    async def test_whoever_changes_a_proposal_proposes_it(
        self, town: Town, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        reference, active = proposed
        wider = {**active, "provision": permit(cast.clinic, purposes=["PUBHLTH"])}
        outcome(await town.second_operator.put(reference, wider), 422, "business-rule")
        await town.second_operator.replace(reference, {**wider, "status": "proposed"})
        outcome(await town.second_operator.put(reference, wider), 403, "forbidden")
        outcome(await town.operator.put(reference, active), 422, "business-rule")
        await town.operator.replace(reference, wider)

    async def test_what_is_in_force_is_ended_and_not_changed(
        self, town: Town, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        reference, active = proposed
        await town.second_operator.replace(reference, active)
        wider = {**active, "provision": permit(cast.clinic, purposes=["PUBHLTH"])}
        for operator in (town.operator, town.second_operator):
            outcome(await operator.put(reference, wider), 403, "forbidden")
        await town.operator.replace(reference, {**active, "status": "inactive"})
        outcome(await town.second_operator.put(reference, active), 403, "forbidden")

    async def test_one_person_with_two_logins_is_one_person(self, town: Town, cast: Cast) -> None:
        ones = [await person(town, "operator", person=cast.dr_b) for _ in range(2)]
        tree = {**sharing(cast), "status": "proposed"}
        reference = await ones[0].create(tree)
        outcome(await ones[1].put(reference, {**tree, "status": "active"}), 403, "forbidden")
        await town.operator.remove(reference)

    async def test_nobody_else_agrees_to_a_policy(
        self, town: Town, hanako: Voice, cast: Cast, proposed: tuple[str, Json]
    ) -> None:
        for voice in (hanako, cast.a, town.as_(AUDITOR), town.as_(CLERK)):
            answer = await voice.put(*proposed)
            assert answer.status_code in (403, 405)


class TestClerks:
    @pytest.mark.parametrize("type_name", HEALTH)
    async def test_a_clerk_reads_no_health_data(
        self, town: Town, hanako: Voice, cast: Cast, type_name: str
    ) -> None:
        await hanako.grant(permit(cast.hospital))
        await hanako.create(made.pressure(hanako.reference))
        for clerk in (town.as_(CLERK), await person(town, "clerk")):
            if type_name not in {"Patient", "Binary"}:
                assert await clerk.found(type_name, ("patient", hanako.reference)) == []
            assert await clerk.found(type_name) == []

    async def test_a_clerk_reads_no_record_by_its_id_and_writes_none(self, town: Town, hanako: Voice) -> None:
        clerk = town.as_(CLERK)
        record = await hanako.create(made.pressure(hanako.reference))
        outcome(await clerk.get(record), 404, "not-found")
        outcome(await clerk.get(hanako.reference), 404, "not-found")
        for path in (f"{record}/_history", f"{record}/_history/1", f"{hanako.reference}/$summary"):
            outcome(await clerk.get(path), 404, "not-found")
        for tree in (
            made.pressure(hanako.reference),
            hanako.consent(permit("Practitioner/x")),
            hanako.consent(permit("Practitioner/x"), status="proposed"),
            made.organization("架空"),
            {"resourceType": "Patient"},
            consent_json(permit("Practitioner/x"), None, status="proposed"),
        ):
            outcome(await clerk.post(tree), 403, "forbidden")

    async def test_a_clerk_opens_nothing_and_reads_no_log(self, town: Town, hanako: Voice) -> None:
        clerk = town.as_(CLERK)
        asked = {"patient": hanako.reference, "reason": "架空の理由"}
        outcome(await sent(clerk, "/auth/break-glass", asked), 403, "forbidden")
        await hanako.found("Observation")
        answer = await clerk.get("/audit/accesses", ("patient", hanako.reference))
        assert answer.json() == []
        outcome(await clerk.get("/notifications"), 403, "forbidden")
        for path in ("/auth/sign-in-codes", "/identity/merges"):
            outcome(await sent(clerk, path, {}), 400 if path.startswith("/identity") else 403)

    async def test_a_clerk_reads_the_directory(self, town: Town, cast: Cast) -> None:
        assert await town.as_(CLERK).sees(cast.hospital)
