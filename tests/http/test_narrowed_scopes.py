"""Scopes with search arguments: whatever they leave out is not there, on every way that records leave or come by.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import orjson
import psycopg
import pytest
from httpx import Response

from consent.systems import CONFIDENTIALITY, LOINC
from passport.identity.installation import issue_for
from passport.identity.scopes import of_one_patient
from tests import resources as made
from tests.hospital import records_of
from tests.http.bundles import created, done
from tests.town import BASE_URL, Town, Voice, answered, outcome, references
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

CATEGORY: Final = made.OBSERVATION_CATEGORY
VITAL: Final = f"category={CATEGORY}|vital-signs"
LABORATORY: Final = [concept((CATEGORY, "laboratory"))]
HBA1C: Final = (LOINC, "4548-4")
LABEL: Final = {"system": CONFIDENTIALITY, "code": "R"}


@dataclass(frozen=True)
class Chart:
    """A resident with a blood pressure and a laboratory value, both shared with a clinician."""

    voice: Voice
    role: str
    pressure: str
    laboratory: str

    def through(self, scope: str) -> Voice:
        """The clinician with these scopes."""
        return self.voice.town.as_(self.role, scope=scope)


@pytest.fixture
async def chart(town: Town, hanako: Voice) -> Chart:
    hospital = await town.operator.create(made.organization("架空病院"))
    role = await town.operator.create(
        made.role(await town.operator.create(made.practitioner("架空 医師")), hospital)
    )
    await hanako.grant(permit(role, actions=["access", "collect", "correct"]))
    note = made.reference(role)
    return Chart(
        hanako,
        role,
        await hanako.create(made.pressure(hanako.reference, performer=[note])),
        await hanako.create(made.observation(hanako.reference, HBA1C, category=LABORATORY, performer=[note])),
    )


def narrowed(rights: str = "cruds", arguments: str = VITAL) -> str:
    return f"user/Observation.{rights}?{arguments}"


async def test_a_read_a_search_and_a_count_show_what_the_arguments_name(chart: Chart) -> None:
    asked = chart.through(narrowed("rs"))
    assert await asked.sees(chart.pressure)
    assert not await asked.sees(chart.laboratory)
    bundle = await asked.search("Observation", ("patient", chart.voice.reference), ("_total", "accurate"))
    assert (references(bundle), bundle["total"]) == ([chart.pressure], 1)
    count = await asked.search("Observation", ("patient", chart.voice.reference), ("_summary", "count"))
    assert count["total"] == 1
    sorted_ = await asked.search("Observation", ("_sort", "code"), ("_total", "accurate"))
    assert (references(sorted_), sorted_["total"]) == ([chart.pressure], 1)


@pytest.mark.parametrize(
    ("arguments", "pressure", "laboratory"),
    [
        ("category=laboratory", False, True),
        ("category=vital-signs,laboratory", True, True),
        ("category=vital-signs&category=laboratory", False, False),
        ("status=final", True, True),
        ("status=amended", False, False),
        (f"code={LOINC}|4548-4", False, True),
        (f"code={LOINC}|85354-9", True, False),
        # That is the code of a component, not of the record.
        (f"code={LOINC}|8480-6", False, False),
        (f"code={LOINC}|4548-4&status=final", False, True),
        ("_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|V", False, False),
        ("_security=http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV", False, False),
    ],
)
async def test_each_argument_holds_and_all_of_them_together(
    chart: Chart, arguments: str, pressure: bool, laboratory: bool
) -> None:
    asked = chart.through(narrowed("rs", arguments))
    assert (await asked.sees(chart.pressure), await asked.sees(chart.laboratory)) == (pressure, laboratory)


async def test_a_scope_with_arguments_shows_what_a_search_with_them_finds(town: Town, hanako: Voice) -> None:
    patient = hanako.reference
    trees = [
        made.pressure(patient),
        made.weight(patient, category=LABORATORY),
        made.observation(patient, HBA1C, status="amended", category=[*LABORATORY, {"text": "その他"}]),
        made.observation(patient, HBA1C, category=[concept(("urn:other", "laboratory"))]),
        made.prescription(patient, made.AMLODIPINE),
        made.prescription(patient, made.AMLODIPINE, made.CANDESARTAN, status="stopped"),
        made.prescription(patient),
        made.condition(patient),
        made.allergy(patient),
        made.immunization(patient),
    ]
    for tree in trees:
        await hanako.create(tree)
    (atc, amlodipine), (loinc, weight) = made.AMLODIPINE, made.BODY_WEIGHT
    for type_name, arguments in (
        ("Observation", [("category", "laboratory")]),
        ("Observation", [("category", f"{CATEGORY}|laboratory,{CATEGORY}|vital-signs")]),
        ("Observation", [("category", "|laboratory")]),
        ("Observation", [("status", "final"), ("category", "laboratory")]),
        ("Observation", [("code", f"{loinc}|{weight},{LOINC}|4548-4"), ("status", "amended")]),
        ("Observation", [("code", f"{LOINC}|8480-6")]),
        ("MedicationRequest", [("code", f"{atc}|{amlodipine}")]),
        ("MedicationRequest", [("code", f"{atc}|C09CA06"), ("status", "stopped,active")]),
        ("MedicationRequest", [("category", "inpatient")]),
        ("Condition", [("clinical-status", "active")]),
        ("AllergyIntolerance", [("clinical-status", "active"), ("category", "medication")]),
        ("Immunization", [("status", "completed")]),
        ("Patient", [("_security", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N")]),
    ):
        said = "&".join(f"{name}={value}" for name, value in arguments)
        asked = town.as_(patient, scope=f"patient/{type_name}.rs?{said}")
        whole = ("_sort", "_lastUpdated"), ("_count", "50")
        expected = await hanako.found(type_name, *arguments, *whole)
        assert await asked.found(type_name, *whole) == expected, said
        for reference in await hanako.found(type_name):
            assert await asked.sees(reference) == (reference in expected), said


async def test_a_label_that_a_record_bears_narrows(chart: Chart) -> None:
    tree = await chart.voice.read(chart.pressure)
    level = tree["meta"]["security"][0]
    asked = chart.through(narrowed("rs", f"_security={level['system']}|{level['code']}"))
    assert await asked.sees(chart.pressure)


async def test_several_scopes_of_one_type_add_up_and_a_plain_one_is_all(chart: Chart) -> None:
    both = chart.through(f"{narrowed('rs')} {narrowed('rs', 'category=laboratory')}")
    assert await both.sees(chart.pressure)
    assert await both.sees(chart.laboratory)
    plain = chart.through(f"{narrowed('rs')} user/Observation.rs")
    assert await plain.sees(chart.laboratory)
    searched = chart.through(f"{narrowed('s')} user/Observation.r")
    assert await searched.found("Observation") == [chart.pressure]
    assert (await searched.get(chart.laboratory)).status_code == 200


async def test_what_comes_along_is_narrowed_too(chart: Chart) -> None:
    patient = chart.voice.reference
    asked = chart.through(f"user/Patient.rs {narrowed('r')}")
    bundle = await asked.search(
        "Patient", ("_id", patient.partition("/")[2]), ("_revinclude", "Observation:subject")
    )
    assert references(bundle) == [patient, chart.pressure]
    backward = chart.through(f"user/PractitionerRole.rs {narrowed('r')}")
    bundle = await backward.search(
        "PractitionerRole", ("_id", chart.role.partition("/")[2]), ("_revinclude", "Observation:performer")
    )
    assert references(bundle) == [chart.role, chart.pressure]


async def test_a_link_leads_through_what_the_arguments_name_alone(chart: Chart) -> None:
    asked = chart.through(f"user/Patient.rs {narrowed('s')}")
    for code, found in (("85354-9", [chart.voice.reference]), ("4548-4", [])):
        assert await asked.found("Patient", ("_has:Observation:patient:code", f"{LOINC}|{code}")) == found
    chained = chart.through(f"{narrowed('s')} user/Patient.s")
    assert await chained.found(
        "Observation", ("subject:Patient._id", chart.voice.reference.partition("/")[2])
    ) == [chart.pressure]


async def test_a_version_is_shown_if_it_and_the_current_one_are_named(chart: Chart) -> None:
    tree = await chart.voice.read(chart.laboratory)
    await chart.voice.replace(
        chart.laboratory, {**tree, "category": [*LABORATORY, concept((CATEGORY, "vital-signs"))]}
    )
    asked = chart.through(narrowed("rs"))
    assert await asked.sees(chart.laboratory)
    assert (await asked.get(f"{chart.laboratory}/_history/2")).status_code == 200
    outcome(await asked.get(f"{chart.laboratory}/_history/1"), 404, "not-found")
    history = (await asked.get(f"{chart.laboratory}/_history")).json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2"]
    of_type = (await asked.get("Observation/_history")).json()
    assert len(of_type["entry"]) == 2
    everything = (await chart.through(narrowed("rs")).get("_history")).json()
    assert len(everything["entry"]) == 2
    outcome(await asked.get(f"{chart.laboratory[:-1]}x/_history"), 404, "not-found")


async def test_an_earlier_version_of_what_has_components_is_not_shown_by_a_code(chart: Chart) -> None:
    await chart.voice.replace(chart.pressure, await chart.voice.read(chart.pressure))
    asked = chart.through(narrowed("rs", f"code={LOINC}|85354-9"))
    assert (await asked.get(f"{chart.pressure}/_history/2")).status_code == 200
    outcome(await asked.get(f"{chart.pressure}/_history/1"), 404, "not-found")


async def test_every_operation_on_a_patient_is_narrowed(chart: Chart) -> None:
    patient = chart.voice.reference
    asked = chart.through(f"user/Patient.rs {narrowed('rs')}")
    everything = (await asked.get(f"{patient}/$everything")).json()
    assert set(references(everything)) == {patient, chart.pressure}
    last = (await asked.get("Observation/$lastn", ("patient", patient))).json()
    assert references(last) == [chart.pressure]
    used = (await asked.get("Observation/$meta")).json()
    whole = (await chart.through("user/Observation.rs").get("Observation/$meta")).json()
    assert used["parameter"][0]["valueMeta"] == whole["parameter"][0]["valueMeta"]
    summary = chart.through(f"user/*.rs {narrowed('rs')}")
    assert (await summary.get(f"{patient}/$summary")).status_code == 200


async def test_a_batch_answers_each_entry_as_it_would_be_alone(chart: Chart) -> None:
    asked = chart.through(narrowed("rs"))
    tree = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": url}}
            for url in (chart.pressure, chart.laboratory, "Observation?_total=accurate")
        ],
    }
    entries = (await asked.call("POST", "", content=orjson.dumps(tree))).json()["entry"]
    assert [entry["response"]["status"][:3] for entry in entries] == ["200", "404", "200"]
    assert entries[2]["resource"]["total"] == 1


async def test_what_is_created_has_to_be_what_the_arguments_name(chart: Chart) -> None:
    asked, patient = chart.through(narrowed("c")), chart.voice.reference
    await asked.create(made.pressure(patient))
    refusal = await asked.post(made.observation(patient, HBA1C, category=LABORATORY))
    assert "scopes" in outcome(refusal, 403, "forbidden")["issue"][0]["diagnostics"]
    whole = await chart.voice.search("Observation", ("_total", "accurate"))
    assert whole["total"] == 3
    mine = chart.voice.town.as_(patient, scope=f"patient/Observation.c?{VITAL}")
    outcome(await mine.post(made.observation(patient, HBA1C, category=LABORATORY)), 403, "forbidden")
    await mine.create(made.pressure(patient))


async def test_what_is_replaced_is_named_before_and_after(chart: Chart) -> None:
    asked = chart.through(narrowed("u"))
    pressure, laboratory = await chart.voice.read(chart.pressure), await chart.voice.read(chart.laboratory)
    await asked.replace(chart.pressure, {**pressure, "note": [{"text": "朝の値"}]})
    absent = await asked.put("Observation/nothing-there", {**laboratory})
    for tree in (laboratory, {**laboratory, "category": pressure["category"]}):
        denied = await asked.put(chart.laboratory, tree)
        assert (denied.status_code, denied.content) == (absent.status_code, absent.content)
    outcome(await asked.put(chart.pressure, {**pressure, "category": LABORATORY}), 403, "forbidden")
    assert (await chart.voice.read(chart.pressure))["category"] == pressure["category"]


async def test_a_patch_and_a_deletion_find_what_is_named(chart: Chart) -> None:
    asked = chart.through(narrowed("rud"))
    patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])
    recategorise = orjson.dumps([{"op": "replace", "path": "/category", "value": LABORATORY}])
    sent = {"Content-Type": "application/json-patch+json"}

    async def patched(reference: str, content: bytes) -> Response:
        return await asked.call("PATCH", reference, content=content, headers=sent)

    outcome(await patched(chart.laboratory, patch), 404, "not-found")
    outcome(await asked.delete(chart.laboratory), 404, "not-found")
    outcome(await patched(chart.pressure, recategorise), 403, "forbidden")
    assert (await patched(chart.pressure, patch)).status_code == 200
    await asked.remove(chart.pressure)
    assert await chart.voice.found("Observation") == [chart.laboratory]


@pytest.mark.parametrize("tested", [[], ["final"], ["amended"]])
@pytest.mark.parametrize("conditional", [False, True])
async def test_who_does_not_read_a_record_patches_nothing_of_it(
    chart: Chart, tested: list[str], conditional: bool
) -> None:
    content = orjson.dumps([{"op": "test", "path": "/status", "value": value} for value in tested])
    named = chart.laboratory
    address = f"Observation?_id={named.partition('/')[2]}" if conditional else named
    sent = {"Content-Type": "application/json-patch+json"}
    right = "us" if conditional else "u"
    unread = await chart.through(f"user/Observation.{right}").call(
        "PATCH", address, content=content, headers=sent
    )
    assert "`user/Observation.r`" in outcome(unread, 403, "forbidden")["issue"][0]["diagnostics"]
    part = chart.through(f"{narrowed('r')} user/Observation.{right}")
    beyond = await part.call("PATCH", address, content=content, headers=sent)
    absent = await part.call("PATCH", "Observation/absent", content=content, headers=sent)
    outcome(beyond, 404, "not-found")
    assert beyond.content == absent.content
    assert (await chart.voice.read(named))["meta"]["versionId"] == "1"


async def test_who_does_not_read_a_record_is_not_told_its_version(chart: Chart) -> None:
    tree = await chart.voice.read(chart.laboratory)
    told = {}
    for scope in ("user/Observation.ud", f"{narrowed('r')} user/Observation.ud", "user/Observation.rud"):
        session = chart.through(scope)
        answers = [
            await session.put(chart.laboratory, tree, if_match='W/"7"'),
            await session.delete(chart.laboratory, if_match='W/"7"'),
        ]
        told[scope] = ['W/"1"' in outcome(answer, 412)["issue"][0]["diagnostics"] for answer in answers]
    assert list(told.values()) == [[False, False], [False, False], [True, True]]


async def test_who_does_not_read_a_record_is_told_no_label_that_was_kept_of_it(chart: Chart) -> None:
    tree = await chart.voice.read(chart.laboratory)
    await chart.voice.replace(chart.laboratory, {**tree, "meta": {"security": [LABEL]}})
    bare = {name: value for name, value in tree.items() if name != "meta"}
    tag = {"name": "meta", "valueMeta": {"tag": [{"code": "x"}]}}
    added = orjson.dumps({"resourceType": "Parameters", "parameter": [tag]})
    whole = (await chart.through("user/Observation.ru").put(chart.laboratory, bare)).json()
    assert LABEL in whole["meta"]["security"]
    for scope in ("user/Observation.u", f"{narrowed('r')} user/Observation.u"):
        session = chart.through(scope)
        for answer in (
            await session.put(chart.laboratory, bare),
            await session.call("POST", f"/fhir/{chart.laboratory}/$meta-add", content=added),
        ):
            assert answer.status_code == 200, answer.text
            assert "SUBSETTED" in answer.text
            assert "security" not in answer.text
    assert LABEL in (await chart.voice.read(chart.laboratory))["meta"]["security"]


async def test_a_creation_that_finds_its_record_is_carried_out_by_who_may_search_and_not_read(
    chart: Chart,
) -> None:
    tree = await chart.voice.read(chart.laboratory)
    entry = created(tree, ifNoneExist=f"_id={chart.laboratory.partition('/')[2]}")
    (told,) = await done(chart.through("user/Observation.cs"), "transaction", entry)
    location = f"{BASE_URL}/fhir/{chart.laboratory}"
    assert told == {"response": {"status": "200 OK", "location": location}}
    alone = await chart.through("user/Observation.cs").post(
        tree, **{"If-None-Exist": entry["request"]["ifNoneExist"]}
    )
    assert (alone.status_code, alone.headers["Location"], alone.content) == (200, location, b"")
    (batched,) = await done(chart.through("user/Observation.cs"), "batch", entry)
    assert batched == told
    (whole,) = await done(chart.through("user/Observation.crs"), "transaction", entry)
    assert whole["response"]["location"] == f"{location}/_history/1"


async def test_a_condition_of_a_write_finds_what_is_named(chart: Chart) -> None:
    patient = chart.voice.reference
    asked = chart.through(f"{narrowed('cs')} user/Observation.ud")
    condition = f"patient={patient}&code={LOINC}|4548-4"
    created = await asked.post(made.pressure(patient), **{"If-None-Exist": condition})
    assert created.status_code == 201, created.text
    deleted = await asked.call("DELETE", f"Observation?{condition}")
    assert deleted.status_code in (204, 404), deleted.text
    assert await chart.voice.sees(chart.laboratory)


async def test_what_is_left_out_changes_no_byte_of_any_answer(chart: Chart) -> None:
    patient = chart.voice.reference
    asked = chart.through(f"user/Patient.rs {narrowed('cruds')}")
    paths = (
        f"Observation?patient={patient}&_total=accurate&_count=1",
        "Observation?_total=accurate&_sort=-date&_count=1",
        f"Observation?code={LOINC}|4548-4&_total=accurate",
        f"Patient?_has:Observation:patient:code={LOINC}|4548-4",
        f"Patient?_id={patient.partition('/')[2]}&_revinclude=Observation:subject",
        f"{patient}/$everything?_count=1",
        f"Observation/$lastn?patient={patient}",
        "Observation/_history?_count=1",
        "Observation/$meta",
    )

    async def asked_of_all() -> list[tuple[int, Json]]:
        found = []
        for path in paths:
            answer = await asked.get(path)
            found.append((answer.status_code, _timeless(answer.json())))
        return found

    before = await asked_of_all()
    hidden = [
        await chart.voice.create(made.observation(patient, HBA1C, category=LABORATORY, time="2026-11-01"))
        for _ in range(3)
    ]
    assert await asked_of_all() == before
    absent = await asked.get("Observation/nothing-there")
    for reference in hidden:
        assert answered(await asked.get(reference))[::2] == answered(absent)[::2]


def _timeless(tree: Json) -> Json:
    """Without what is drawn or told anew by each answer: its own id and time, and the seal of its cursor."""
    own = {name: value for name, value in tree.items() if name not in {"id", "meta", "timestamp"}}
    links = [{**one, "url": one["url"].partition("_cursor=")[0]} for one in own.get("link", [])]
    return {**own, "link": links}


@dataclass(frozen=True)
class Two:
    """A second resident who shared the same, and a clinician who is bound to the first."""

    first: Chart
    other: str
    record: str

    async def bound(self, scope: str, *patients: str) -> Voice:
        """The clinician with scopes that are for these patients, or for the first."""
        town, role = self.first.voice.town, self.first.role
        issued = await issue_for(town.runtime, role, purpose="TREAT", lifetime=timedelta(hours=1))
        ids = [name.partition("/")[2] for name in patients or (self.first.voice.reference,)]
        rows = town.rows("SELECT patient_key FROM patient WHERE patient_id = ANY (%s)", ids)
        scopes = [*scope.split(), *of_one_patient(key for (key,) in rows)]
        with psycopg.connect(town.database.superuser_url) as connection:
            connection.execute(
                "UPDATE session SET scopes = %s WHERE session_id = %s", (scopes, issued.session_id)
            )
        return replace(town.as_(role), bearer=issued.text)


@pytest.fixture
async def two(chart: Chart, taro: Voice) -> Two:
    await taro.grant(permit(chart.role, actions=["access", "collect", "correct"]))
    return Two(chart, taro.reference, await taro.create(made.pressure(taro.reference)))


async def test_who_is_bound_to_one_patient_is_shown_nobody_else_on_any_way(two: Two) -> None:
    asked, mine = await two.bound("patient/*.rs"), {two.first.pressure, two.first.laboratory}
    assert await asked.sees(two.first.pressure)
    assert not await asked.sees(two.record)
    assert not await asked.sees(two.other)
    assert await asked.sees(two.first.role)
    bundle = await asked.search("Observation", ("_total", "accurate"))
    assert (set(references(bundle)), bundle["total"]) == (mine, 2)
    assert await asked.found("Observation", ("patient", two.other)) == []
    assert await asked.found("Patient") == [two.first.voice.reference]
    assert await asked.found("Patient", ("_has:Observation:patient:status", "final")) == [
        two.first.voice.reference
    ]
    included = await asked.search(
        "PractitionerRole",
        ("_id", two.first.role.partition("/")[2]),
        ("_revinclude", "Observation:performer"),
    )
    assert set(references(included)) == {two.first.role, *mine}
    outcome(await asked.get(f"{two.record}/_history"), 404, "not-found")
    outcome(await asked.get(f"{two.record}/_history/1"), 404, "not-found")
    shown = {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in (await asked.get("Observation/_history")).json()["entry"]
    }
    assert shown == mine
    assert "entry" not in (await asked.get(f"{two.other}/$everything")).json()
    assert references((await asked.get("Observation/$lastn", ("patient", two.other))).json()) == []
    outcome(await asked.get(f"{two.other}/$summary"), 404, "not-found")


async def test_who_is_bound_to_one_patient_writes_for_nobody_else(two: Two) -> None:
    asked = await two.bound("patient/*.cruds")
    await asked.create(made.pressure(two.first.voice.reference))
    refusal = await asked.post(made.pressure(two.other))
    assert refusal.status_code == 403, refusal.text
    tree = await two.first.voice.town.as_(two.other).read(two.record)
    absent = await asked.put("Observation/nothing-there", {**tree})
    denied = await asked.put(two.record, tree)
    assert (denied.status_code, denied.content) == (absent.status_code, absent.content)
    outcome(await asked.delete(two.record), 404, "not-found")


async def test_scopes_of_everybody_stand_beside_those_of_one_patient(two: Two) -> None:
    asked = await two.bound("patient/Observation.rs user/Patient.r")
    assert not await asked.sees(two.record)
    assert (await asked.get(two.other)).status_code == 200
    both = await two.bound("patient/Observation.rs user/Observation.rs?status=final")
    assert await both.sees(two.record)


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ("", ()),
        ("user/Patient.r", ()),
        ("user/Observation.s", ()),
        (narrowed("r"), ("pressure",)),
        (narrowed("s"), ()),
        (narrowed("rs"), ("pressure",)),
        ("user/Observation.r", ("pressure", "laboratory")),
    ],
)
async def test_what_is_written_follows_only_what_the_session_reads(
    chart: Chart, reading: str, told: tuple[str, ...]
) -> None:
    asked = chart.through(f"user/Provenance.c user/Binary.c {reading}".strip())
    document = records_of(chart.voice.reference)["Binary"]

    def following(target: str) -> list[Json]:
        return [
            made.provenance(target, agent=chart.role),
            {**document, "securityContext": made.reference(target)},
        ]

    absent = [answered(await asked.post(tree)) for tree in following("Observation/nothing-there")]
    assert {status for status, *_ in absent} == {403}
    for name in ("pressure", "laboratory"):
        answers = [await asked.post(tree) for tree in following(getattr(chart, name))]
        if name in told:
            assert {answer.status_code for answer in answers} == {201}
        else:
            assert list(map(answered, answers)) == absent


async def test_what_one_wrote_oneself_is_followed_only_by_a_session_that_may_read_it(chart: Chart) -> None:
    who = chart.voice
    document = records_of(who.reference)["Binary"]
    for scope, pressure in (
        ("patient/Binary.cruds", 403),
        ("patient/Binary.c patient/Observation.cuds", 403),
        (f"patient/Binary.c patient/Observation.r?{VITAL}", 201),
    ):
        asked = who.town.as_(who.reference, scope=scope)
        answers = {
            target: answered(await asked.post({**document, "securityContext": made.reference(target)}))
            for target in ("Observation/nothing-there", chart.laboratory, chart.pressure)
        }
        assert answers[chart.laboratory] == answers["Observation/nothing-there"]
        assert answers[chart.laboratory][0] == 403
        assert answers[chart.pressure][0] == pressure


async def test_who_is_bound_to_nobody_is_shown_the_directory_alone(two: Two) -> None:
    asked = await two.bound("patient/*.rs", "Patient/not-here")
    assert not await asked.sees(two.first.pressure)
    assert await asked.sees(two.first.role)


async def test_other_addresses_need_the_type_as_a_whole(hanako: Voice) -> None:
    asked = hanako.town.as_(hanako.reference, scope="patient/Device.rs?status=active")
    outcome(await asked.call("GET", "/devices"), 403, "forbidden")


async def test_the_log_names_by_which_scopes_something_was_shown_or_what_was_missing(chart: Chart) -> None:
    scope = narrowed("rs")
    asked = chart.through(f"{scope} user/Patient.rs")
    await asked.read(chart.pressure)
    outcome(await asked.get("Condition", ("patient", chart.voice.reference)), 403, "forbidden")
    writing = chart.through("user/Patient.c")
    outcome(await writing.get("_history"), 403, "forbidden")
    ((lacking,),) = chart.voice.town.rows("SELECT scopes FROM audit_event ORDER BY recorded DESC LIMIT 1")
    assert lacking == ["*.s"]
    listed = (await chart.voice.call("GET", "/audit/accesses", params=[("_count", "2")])).json()
    assert [(one["outcome"], one["scopes"]) for one in listed] == [
        ("refused", ["Condition.s"]),
        ("success", [scope]),
    ]
