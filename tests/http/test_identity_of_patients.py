"""Identity of patients: duplicates, merging and separating, and the death of a patient.

http://hl7.org/fhir/R4/patient.html#merge
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest

from passport.identity.installation import issue_for
from passport.identity.principals import UnknownPrincipal
from passport.remembering.standings import Standings
from tests import resources as made
from tests.cast import Cast
from tests.identities import REASON, merged, proposed, sent, separated
from tests.town import BASE_URL, Town, Voice, outcome, references
from tests.unit.consent.words import Json, consent_json, deny, permit

pytestmark = pytest.mark.anyio

HEALTH_CARD: Final = "urn:oid:2.999.1"
CHART: Final = "urn:oid:2.999.2"


def numbered(*identifiers: tuple[str, str]) -> list[Json]:
    return [{"system": system, "value": value} for system, value in identifiers]


async def pairs(town: Town) -> list[Json]:
    """Every pair that the list of duplicates names, page by page."""
    found: list[Json] = []
    address = "/identity/duplicates"
    while address:
        answer = await town.operator.get(address)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        _, _, rest = answer.headers.get("Link", "").partition("<")
        address = rest.partition(">")[0].removeprefix(BASE_URL)
    return found


def noted(town: Town, patient: Voice) -> list[str]:
    """The kinds of what a resident was told."""
    rows = town.rows(
        "SELECT kind FROM notification JOIN locator USING (patient_key) WHERE record_key = %s "
        "ORDER BY created_at",
        town.runtime.keys.reference(patient.reference),
    )
    return [kind for (kind,) in rows]


def audited(town: Town, patient: Voice) -> list[str]:
    rows = town.rows(
        "SELECT action FROM audit_event JOIN locator USING (patient_key) WHERE record_key = %s ORDER BY recorded",
        town.runtime.keys.reference(patient.reference),
    )
    return [action for (action,) in rows]


def weighing(voice: Voice, kilograms: int, day: str) -> Json:
    value = {"value": kilograms, "unit": "kg", "system": made.UCUM, "code": "kg"}
    return made.observation(voice.reference, made.BODY_WEIGHT, day, valueQuantity=value)


async def listed(voice: Voice, through: Voice, *params: tuple[str, str]) -> list[str]:
    return sorted(await voice.found("Observation", ("patient", through.reference), *params))


class TestDuplicates:
    async def test_registrations_that_share_an_identifier_are_listed_by_its_system(self, town: Town) -> None:
        one = await town.resident(identifier=numbered((HEALTH_CARD, "8-1001"), (CHART, "17")))
        two = await town.resident("別名", identifier=numbered((HEALTH_CARD, "8-1001"), (CHART, "18")))
        ours = [pair for pair in await pairs(town) if one.reference in pair["patients"]]
        assert ours == [{"patients": [one.reference, two.reference], "systems": [HEALTH_CARD]}]
        assert "8-1001" not in orjson.dumps(ours).decode()
        assert "duplicates" in audited(town, one)

    async def test_equal_values_of_two_systems_are_no_duplicates(self, town: Town) -> None:
        one = await town.resident(identifier=numbered((HEALTH_CARD, "8-2002")))
        await town.resident("別名", identifier=numbered((CHART, "8-2002")))
        await town.resident("別名", identifier=[{"value": "8-2002"}])
        assert not [pair for pair in await pairs(town) if one.reference in pair["patients"]]

    async def test_a_merged_pair_is_listed_no_more(self, town: Town) -> None:
        one = await town.resident(identifier=numbered((HEALTH_CARD, "8-3003")))
        two = await town.resident("別名", identifier=numbered((HEALTH_CARD, "8-3003")))
        merge = await merged(one, two)
        assert not [pair for pair in await pairs(town) if one.reference in pair["patients"]]
        await separated(town, merge)
        assert [pair for pair in await pairs(town) if one.reference in pair["patients"]]

    async def test_nobody_but_an_operator_learns_who_is_registered_twice(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        for voice in (hanako, cast.a, town.as_("auditor"), town.as_(cast.pharmacy)):
            outcome(await voice.get("/identity/duplicates"), 403, "forbidden")
            outcome(await voice.get("/identity/merges"), 403, "forbidden")
        outcome(await town.stranger.get("/identity/duplicates"), 401, "login")

    async def test_a_registration_is_answered_alike_whether_its_identifier_is_known_or_not(
        self, town: Town
    ) -> None:
        tree = {"resourceType": "Patient", "identifier": numbered((HEALTH_CARD, "8-4004"))}
        first, second = await town.operator.post(tree), await town.operator.post(tree)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.headers.keys() == second.headers.keys()


class TestMerging:
    async def test_both_patients_say_so_with_their_provenance(
        self, town: Town, hanako: Voice, taro: Voice
    ) -> None:
        merge = await merged(hanako, taro)
        survivor, duplicate = await hanako.read(hanako.reference), await taro.read(taro.reference)
        assert survivor["link"] == [{"other": {"reference": taro.reference}, "type": "replaces"}]
        assert "active" not in survivor
        assert duplicate["link"] == [{"other": {"reference": hanako.reference}, "type": "replaced-by"}]
        assert duplicate["active"] is False
        for voice in (hanako, taro):
            (told,) = (await voice.search("Provenance", ("target", voice.reference)))["entry"]
            assert told["resource"]["activity"]["coding"][0]["code"] == "merge"
            assert told["resource"]["reason"] == [{"text": REASON}]
            assert noted(town, voice) == ["registrations-merged"]
            assert "merge" in audited(town, voice)
        assert (await town.operator.get("/identity/merges")).json()[0] == merge

    async def test_separating_restores_both_and_is_told(self, town: Town, taro: Voice) -> None:
        other = await town.resident("見本 次郎", active=True)
        before = [await voice.read(voice.reference) for voice in (taro, other)]
        await separated(town, await merged(taro, other))
        after = [await voice.read(voice.reference) for voice in (taro, other)]
        for tree in (*before, *after):
            tree.pop("meta")
        assert after == before
        for voice in (taro, other):
            assert noted(town, voice) == ["registrations-merged", "registrations-separated"]
            assert audited(town, voice).count("unmerge") == 1
            codes = [
                entry["resource"]["activity"]["coding"][0]["code"]
                for entry in (await voice.search("Provenance", ("target", voice.reference)))["entry"]
            ]
            assert sorted(codes) == ["merge", "unmerge"]

    async def test_what_was_changed_in_between_stands(self, town: Town, hanako: Voice, taro: Voice) -> None:
        merge = await merged(hanako, taro)
        tree = await hanako.read(hanako.reference)
        await town.operator.replace(hanako.reference, {**tree, "gender": "female"})
        await separated(town, merge)
        after = await hanako.read(hanako.reference)
        assert (after["gender"], after.get("link")) == ("female", None)

    async def test_a_search_about_one_finds_what_lies_with_the_other(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        first, second = (
            await hanako.create(made.pressure(hanako.reference)),
            await taro.create(made.pressure(taro.reference)),
        )
        await hanako.grant(permit(cast.hospital))
        await taro.grant(permit(cast.hospital))
        merge = await merged(hanako, taro)
        for through in (hanako, taro):
            assert await listed(cast.a, through) == sorted([first, second])
            bundle = await cast.a.search(
                "Observation", ("subject", through.reference), ("_total", "accurate")
            )
            assert bundle["total"] == 2
            subjects = {entry["resource"]["subject"]["reference"] for entry in bundle["entry"]}
            assert subjects == {through.reference}
            compartment = await cast.a.get(f"{through.reference}/Observation")
            assert sorted(references(compartment.json())) == sorted([first, second])
            subjects = {entry["resource"]["subject"]["reference"] for entry in compartment.json()["entry"]}
            assert subjects == {through.reference}
        assert (await cast.a.read(second))["subject"]["reference"] == taro.reference
        await separated(town, merge)
        assert await listed(cast.a, hanako) == [first]
        assert await listed(cast.a, taro) == [second]

    async def test_pages_and_sorts_go_through_both(self, hanako: Voice, taro: Voice, cast: Cast) -> None:
        made_by = [
            await voice.create(weighing(voice, 60 + day, f"2026-10-{day:02d}"))
            for day, voice in enumerate([hanako, taro] * 3, 1)
        ]
        await merged(hanako, taro)
        for params in ([("_sort", "date")], [("_sort", "value-quantity")]):
            walked = await hanako.walk("Observation", ("patient", taro.reference), *params, ("_count", "2"))
            assert [one for page in walked for one in page] == made_by

    async def test_operations_on_one_reach_both(self, hanako: Voice, taro: Voice, cast: Cast) -> None:
        first, second = (
            await hanako.create(made.pressure(hanako.reference)),
            await taro.create(made.observation(taro.reference, made.BODY_WEIGHT)),
        )
        allergy = await taro.create(made.allergy(taro.reference))
        await merged(hanako, taro)
        answer = await hanako.get(f"{hanako.reference}/$everything")
        assert {first, second, allergy, hanako.reference, taro.reference} <= set(references(answer.json()))
        subjects = {
            entry["resource"]["subject"]["reference"]
            for entry in answer.json()["entry"]
            if entry["resource"]["resourceType"] == "Observation"
        }
        assert subjects == {hanako.reference}
        last = await hanako.get("Observation/$lastn", ("patient", hanako.reference))
        assert sorted(references(last.json())) == sorted([first, second])
        summary = await hanako.get(f"{hanako.reference}/$summary")
        assert summary.status_code == 200, summary.text
        patients = [
            entry["resource"]["id"]
            for entry in summary.json()["entry"]
            if entry["resource"]["resourceType"] == "Patient"
        ]
        assert patients == [hanako.reference.partition("/")[2]]
        assert allergy.partition("/")[2] in summary.text

    async def test_a_persons_own_session_has_both_passports(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        record = await taro.create(made.pressure(taro.reference))
        (consent,) = await taro.grant(permit(cast.hospital))
        assert not await hanako.sees(record)
        merge = await merged(hanako, taro)
        assert await hanako.sees(record)
        assert await hanako.sees(consent)
        assert record in await hanako.found("Observation")
        assert await cast.a.sees(record)
        await hanako.remove(consent)
        assert not await cast.a.sees(record)
        written = await hanako.create(made.pressure(taro.reference))
        await separated(town, merge)
        assert not await hanako.sees(written)
        assert await taro.sees(written)

    async def test_what_the_one_gave_of_the_other_ends_when_they_are_separated(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        record = await taro.create(made.pressure(taro.reference))
        own = await hanako.create(made.pressure(hanako.reference))
        merge = await merged(hanako, taro)
        through = taro.consent(permit(cast.hospital))
        given = await hanako.create(through)
        barred = await hanako.create(taro.consent(deny(cast.clinic)))
        (kept,) = await hanako.grant(permit(cast.hospital))
        assert await cast.a.sees(record)
        await separated(town, merge)
        assert not await cast.a.sees(record)
        assert await cast.a.sees(own)
        states = {name: (await taro.read(name))["status"] for name in (given, barred)}
        assert states == {given: "inactive", barred: "active"}
        assert (await hanako.read(kept))["status"] == "active"
        assert noted(town, taro)[-2:] == ["access-withdrawn", "registrations-separated"]
        (told,) = await taro.found("Provenance", ("target", given))
        activity = (await taro.read(told))["activity"]["coding"][0]
        assert activity["code"] == "unmerge"

    async def test_what_its_person_stands_behind_again_stays(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        third = await town.resident("見本 三人目")
        record = await taro.create(made.pressure(taro.reference))
        merges = [await merged(taro, third), await merged(hanako, taro)]
        by_third, by_hanako = [
            await voice.create(taro.consent(permit(cast.hospital))) for voice in (third, hanako)
        ]
        await separated(town, merges[1])
        assert (await taro.read(by_third))["status"] == "active"
        assert (await taro.read(by_hanako))["status"] == "inactive"
        await taro.replace(by_third, taro.consent(permit(cast.hospital)))
        await separated(town, merges[0])
        assert (await taro.read(by_third))["status"] == "active"
        assert await cast.a.sees(record)

    async def test_each_keeps_its_own_consents(self, hanako: Voice, taro: Voice, cast: Cast) -> None:
        first, second = (
            await hanako.create(made.pressure(hanako.reference)),
            await taro.create(made.pressure(taro.reference)),
        )
        await hanako.grant(permit(cast.hospital))
        await merged(hanako, taro)
        assert await listed(cast.a, hanako) == [first]
        assert await listed(cast.a, taro) == [first]
        assert not await cast.a.sees(second)
        assert not await cast.a.sees(taro.reference)
        assert await cast.a.sees(hanako.reference)

    async def test_three_registrations_of_one_person_are_seen_through_each(
        self, town: Town, hanako: Voice, taro: Voice
    ) -> None:
        third = await town.resident("見本 三人目")
        records = [await voice.create(made.pressure(voice.reference)) for voice in (hanako, taro, third)]
        await merged(taro, third)
        merge = await merged(hanako, taro)
        for voice in (hanako, taro, third):
            assert await listed(voice, voice) == sorted(records)
        await separated(town, merge)
        assert await listed(hanako, hanako) == records[:1]
        assert await listed(third, taro) == sorted(records[1:])

    async def test_what_cannot_be_merged_is_refused(self, town: Town, hanako: Voice, taro: Voice) -> None:
        def tree(**changes: Any) -> Json:
            return {"survivor": hanako.reference, "duplicate": taro.reference, "reason": REASON, **changes}

        operator = town.operator
        for changes in ({"survivor": taro.reference}, {"duplicate": "Observation/1"}, {"reason": " "}):
            outcome(await sent(operator, "/identity/merges", tree(**changes)), 400)
        outcome(await sent(operator, "/identity/merges", tree(duplicate="Patient/unknown")), 404, "not-found")
        waiting = await proposed(hanako, taro)
        merge = await merged(hanako, taro)
        outcome(await sent(operator, "/identity/merges", tree()), 409, "conflict")
        late = f"/identity/merges/{waiting.json()['id']}/confirm"
        outcome(await sent(town.second_operator, late), 409, "conflict")
        turned = tree(survivor=taro.reference, duplicate=hanako.reference)
        outcome(await sent(operator, "/identity/merges", turned), 409, "conflict")
        await separated(town, merge)
        outcome(await sent(operator, f"/identity/merges/{merge['id']}/undo"), 409, "conflict")
        unknown = "00000000-0000-4000-8000-000000000000"
        for verb in ("confirm", "decline", "undo"):
            outcome(await sent(operator, f"/identity/merges/{unknown}/{verb}"), 404, "not-found")

    async def test_one_operator_alone_merges_nothing(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        record = await taro.create(made.pressure(taro.reference))
        merge = (await proposed(hanako, taro)).json()
        assert merge.keys() == {
            "id", "state", "survivor", "duplicate", "reason", "proposed", "proposed_by",
        }  # fmt: skip
        assert (merge["state"], merge["proposed_by"]) == ("proposed", town.operator.reference)
        address = f"/identity/merges/{merge['id']}"
        outcome(await sent(town.operator, f"{address}/confirm"), 403, "forbidden")
        outcome(await sent(town.second_operator, f"{address}/undo"), 409, "conflict")
        assert not await hanako.sees(record)
        for voice in (hanako, taro):
            assert "link" not in await voice.read(voice.reference)
            assert noted(town, voice) == []
            assert audited(town, voice).count("merge-proposed") == 1
        agreed = await sent(town.second_operator, f"{address}/confirm")
        assert agreed.json() == {
            **merge, "state": "merged", "decided_by": town.second_operator.reference, "merged": agreed.json()["merged"],
        }  # fmt: skip
        assert await hanako.sees(record)
        for verb in ("confirm", "decline"):
            outcome(await sent(town.second_operator, f"{address}/{verb}"), 409, "conflict")
        assert (await town.operator.get("/identity/merges")).json()[0] == agreed.json()

    @pytest.mark.parametrize("second", [False, True])
    async def test_what_is_declined_comes_to_nothing(
        self, town: Town, hanako: Voice, taro: Voice, *, second: bool
    ) -> None:
        merge = (await proposed(hanako, taro)).json()
        address, by = f"/identity/merges/{merge['id']}", town.second_operator if second else town.operator
        declined = (await sent(by, f"{address}/decline")).json()
        assert (declined["state"], declined["decided_by"]) == ("declined", by.reference)
        outcome(await sent(town.second_operator, f"{address}/confirm"), 409, "conflict")
        outcome(await sent(town.second_operator, f"{address}/undo"), 409, "conflict")
        assert (await town.operator.get("/identity/merges")).json()[0] == declined
        assert noted(town, taro) == []
        assert audited(town, taro).count("merge-declined") == 1

    async def test_the_operator_who_proposed_or_another_one_separates_alone(
        self, town: Town, hanako: Voice, taro: Voice
    ) -> None:
        for operator in (town.operator, town.second_operator):
            merge = await merged(hanako, taro)
            answer = await sent(operator, f"/identity/merges/{merge['id']}/undo")
            assert (answer.status_code, answer.json()["state"]) == (200, "undone")

    @pytest.mark.parametrize("survives", [False, True])
    async def test_a_merge_is_undone_though_a_patient_of_it_was_deleted(
        self, town: Town, hanako: Voice, taro: Voice, *, survives: bool
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        merge = await merged(hanako, taro)
        assert await taro.sees(record)
        kept, gone = (hanako, taro) if survives else (taro, hanako)
        await town.operator.remove(gone.reference)
        await separated(town, merge)
        assert not await taro.sees(record)
        assert "link" not in await kept.read(kept.reference)
        assert (await gone.get(gone.reference)).status_code == 410
        for voice in (hanako, taro):
            assert audited(town, voice).count("unmerge") == 1
            assert noted(town, voice)[-1] == "registrations-separated"
        await town.operator.put(gone.reference, {"resourceType": "Patient"})
        assert "link" not in await gone.read(gone.reference)

    async def test_a_merge_is_undone_though_both_patients_were_deleted(
        self, town: Town, hanako: Voice, taro: Voice
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        merge = await merged(hanako, taro)
        assert await taro.sees(record)
        for voice in (hanako, taro):
            await town.operator.remove(voice.reference)
        await separated(town, merge)
        assert not await taro.sees(record)
        assert [audited(town, voice).count("unmerge") for voice in (hanako, taro)] == [1, 1]

    async def test_clerks_see_and_decide_no_merge(self, town: Town, hanako: Voice, taro: Voice) -> None:
        merge = (await proposed(hanako, taro)).json()
        clerk = town.as_("clerk")
        assert merge["id"] not in (await clerk.get("/desk/matters")).text
        outcome(await clerk.get(f"/desk/matters/{merge['id']}"), 404, "not-found")
        for verb in ("confirm", "decline"):
            outcome(await sent(clerk, f"/desk/matters/{merge['id']}/{verb}"), 404, "not-found")

    async def test_nobody_but_an_operator_merges(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        tree = {"survivor": hanako.reference, "duplicate": taro.reference, "reason": REASON}
        merge = await merged(await town.resident(), await town.resident())
        for voice in (hanako, cast.a, town.as_("auditor"), town.as_(cast.pharmacy)):
            outcome(await sent(voice, "/identity/merges", tree), 403, "forbidden")
            for verb in ("confirm", "decline", "undo"):
                outcome(await sent(voice, f"/identity/merges/{merge['id']}/{verb}"), 403, "forbidden")


@contextmanager
def lawful(town: Town, **law: str) -> Iterator[None]:
    """Let another law be in force while the block runs, as in a process that was started under it."""
    before, standings = town.runtime.settings, town.runtime.standings
    object.__setattr__(town.runtime, "settings", before.at(**law))
    object.__setattr__(town.runtime, "standings", Standings())
    try:
        yield
    finally:
        object.__setattr__(town.runtime, "settings", before)
        object.__setattr__(town.runtime, "standings", standings)


async def dies(town: Town, voice: Voice, **deceased: Any) -> Json:
    """The operator records a death; returns the Patient without it."""
    tree = {"resourceType": "Patient", "name": [{"text": "見本（架空）"}]}
    await town.operator.replace(voice.reference, {**tree, **(deceased or {"deceasedBoolean": True})})
    return tree


class TestDeath:
    async def test_grants_and_sessions_end_and_come_back_when_it_was_an_error(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        alive = await dies(town, hanako)
        assert not await cast.a.sees(record)
        outcome(await hanako.get(record), 401, "login")
        with pytest.raises(UnknownPrincipal):
            await issue_for(town.runtime, hanako.reference, purpose="PATRQT", lifetime=timedelta(hours=1))
        await town.operator.replace(hanako.reference, {**alive, "deceasedBoolean": False})
        assert await cast.a.sees(record)
        assert await hanako.sees(record)
        assert noted(town, hanako)[-2:] == ["death-recorded", "death-taken-back"]
        assert {"death-recorded", "death-taken-back"} <= set(audited(town, hanako))

    async def test_a_correction_of_the_date_is_no_second_death(self, town: Town, hanako: Voice) -> None:
        await dies(town, hanako)
        await dies(town, hanako, deceasedDateTime="2026-10-30")
        assert noted(town, hanako) == ["death-recorded"]

    async def test_the_deletion_of_a_patient_takes_no_death_back(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        alive = await dies(town, hanako)
        await town.operator.remove(hanako.reference)
        assert not await cast.a.sees(record)
        outcome(await hanako.get(record), 401, "login")
        assert noted(town, hanako)[-1] == "death-recorded"
        # Written again as dead they stay so, written as alive they live.
        await town.operator.put(hanako.reference, {**alive, "deceasedBoolean": True})
        assert not await cast.a.sees(record)
        await town.operator.put(hanako.reference, alive)
        assert await cast.a.sees(record)
        assert noted(town, hanako)[-2:] == ["death-recorded", "death-taken-back"]

    async def test_an_untold_patient_stays_as_they_were(self, town: Town, hanako: Voice, cast: Cast) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        await dies(town, hanako, deceasedBoolean=False)
        assert await cast.a.sees(record)
        assert noted(town, hanako) == ["access-granted"]

    async def test_the_law_of_the_place_lets_grants_stay(self, town: Town, hanako: Voice, cast: Cast) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        await dies(town, hanako)
        with lawful(town, grants_after_death="stay"):
            assert await cast.a.sees(record)
            outcome(await hanako.get(record), 401, "login")
        assert not await cast.a.sees(record)

    async def test_the_law_of_the_place_lets_grants_end_after_days(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        with lawful(town, grants_after_death="49"):
            await dies(town, hanako)
            with town.later(timedelta(days=48, hours=23)):
                issued = await issue_for(
                    town.runtime, cast.role_a, purpose="TREAT", lifetime=timedelta(hours=3)
                )
                physician = replace(cast.a, bearer=issued.text)
                assert await physician.sees(record)
            with town.later(timedelta(days=49, minutes=1)):
                assert not await physician.sees(record)

    async def test_those_who_act_for_the_dead_may_go_on_for_longer(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        relative = await hanako.create(made.related_person(hanako.reference))
        proxy = town.as_(relative)
        await hanako.grant(permit(relative, purposes=["FAMRQT"]), permit(cast.hospital))
        await dies(town, hanako)
        assert not await proxy.sees(record)
        with lawful(town, proxies_after_death="stay"):
            assert await proxy.sees(record)
            assert not await cast.a.sees(record)

    async def test_what_somebody_blocked_stays_blocked_when_they_died(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        policy = await town.policy(consent_json(permit(cast.pharmacy, purposes=["PUBHLTH"]), None))
        office = town.as_(cast.pharmacy, "PUBHLTH")
        try:
            assert await office.sees(record)
            await hanako.grant(deny())
            assert not await office.sees(record)
            await dies(town, hanako)
            assert not await office.sees(record)
        finally:
            await town.operator.remove(policy)

    async def test_the_glass_of_the_dead_is_not_broken(self, town: Town, hanako: Voice, cast: Cast) -> None:
        record = await hanako.create(made.pressure(hanako.reference))
        policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
        asking = {"patient": hanako.reference, "reason": "意識不明で搬送された"}
        try:
            opened = await sent(cast.e, "/auth/break-glass", asking)
            assert opened.status_code == 200, opened.text
            emergency = replace(cast.e, bearer=opened.json()["access_token"])
            assert await emergency.sees(record)
            alive = await dies(town, hanako)
            assert not await emergency.sees(record)
            refused = await sent(cast.e, "/auth/break-glass", asking)
            unknown = await sent(cast.e, "/auth/break-glass", {**asking, "patient": "Patient/unknown"})
            assert (refused.status_code, refused.content) == (unknown.status_code, unknown.content)
            outcome(refused, 403, "forbidden")
            await town.operator.replace(hanako.reference, alive)
            assert await emergency.sees(record)
        finally:
            await town.operator.remove(policy)

    async def test_a_hospital_records_a_death_under_a_policy_alone(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        everything = ["access", "collect", "correct"]
        await hanako.grant(permit(cast.clinic, types=["Patient"], actions=everything))
        tree = await cast.a_at_k.read(hanako.reference)
        dead = {**tree, "deceasedBoolean": True}
        outcome(await cast.a_at_k.put(hanako.reference, dead), 403, "forbidden")
        assert await hanako.sees(hanako.reference)
        policy = await town.policy(
            consent_json(permit(cast.clinic, types=["Patient"], actions=everything), None)
        )
        try:
            assert (await cast.a_at_k.put(hanako.reference, dead)).status_code == 200
            outcome(await hanako.get(hanako.reference), 401, "login")
            assert (await cast.a_at_k.put(hanako.reference, tree)).status_code == 200
            assert await hanako.sees(hanako.reference)
        finally:
            await town.operator.remove(policy)

    async def test_a_person_has_died_by_all_of_their_registrations(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast
    ) -> None:
        record = await taro.create(made.pressure(taro.reference))
        await taro.grant(permit(cast.hospital))
        merge = await merged(hanako, taro)
        await dies(town, hanako)
        assert not await cast.a.sees(record)
        outcome(await taro.get(record), 401, "login")
        await separated(town, merge)
        assert await cast.a.sees(record)
        assert await taro.sees(record)
        await merged(hanako, taro)
        assert not await cast.a.sees(record)
