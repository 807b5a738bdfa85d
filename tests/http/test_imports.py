"""Imports and notifications over HTTP, the worker's attempts made in the test's own process."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.databases import Database
from tests.http.handbooks import ALLERGY, handbook
from tests.http.import_counter import Counter

pytestmark = pytest.mark.anyio

MEDICINES = ("MedicationRequest", "MedicationDispense")


async def test_a_pharmacy_hands_over_and_the_records_are_there(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401"))
    assert status["status"] == "finished"
    assert sorted(reference.partition("/")[0] for reference in status["created"]) == sorted(MEDICINES)
    (dispense,) = await counter.stored("MedicationDispense")
    (request,) = await counter.stored("MedicationRequest")
    assert dispense["authorizingPrescription"] == [{"reference": f"MedicationRequest/{request['id']}"}]
    assert dispense["whenHandedOver"] == "2026-04-01"


async def test_what_is_handed_over_is_labelled_by_its_codes(counter: Counter) -> None:
    await counter.consent()
    mirtazapine = handbook("20260401").replace(b"2171022F5999", b"1179051F1999")
    assert (await counter.imported(mirtazapine))["status"] == "finished"
    for type_name in MEDICINES:
        (stored,) = await counter.stored(type_name)
        assert [label["code"] for label in stored["meta"]["security"]] == ["R", "PSY"]


async def test_the_resident_hands_over_and_is_told(counter: Counter) -> None:
    status = await counter.imported(handbook("20260401"), who=counter.patient)
    assert status["status"] == "finished"
    (notice,) = await counter.told()
    assert notice["kind"] == "import-finished"
    assert notice["about"]["by"] == counter.patient
    assert set(notice["text"]) == {"ja", "en"}


async def test_who_was_registered_twice_hands_over_for_both_and_is_told_until_it_is_undone(
    counter: Counter,
) -> None:
    twin = await counter.town.resident("登録二重（架空）")
    merge = await counter.town.merged(counter.patient, twin)
    location = (await counter.hand_over(handbook("20260401"), who=twin)).headers["Location"]
    theirs = (await counter.hand_over(handbook("20260402"), who=counter.patient)).headers["Location"]
    await counter.work()
    for place in (location, theirs):
        assert (await counter.status(place, who=twin)).json()["status"] == "finished"
    assert len(await counter.stored("MedicationDispense")) == 2
    assert (await counter.town.call("operator", "POST", f"{merge}/undo")).status_code == 200
    assert (await counter.status(theirs, who=twin)).status_code == 404


async def test_a_dispensing_date_in_the_future_is_told_by_its_line_and_not_believed(counter: Counter) -> None:
    await counter.consent()
    today = counter.town.runtime.clock().astimezone(counter.town.runtime.settings.zone).date()
    tomorrow, later = (f"{today + timedelta(days=days):%Y%m%d}" for days in (1, 2))
    data = handbook(later, tomorrow)
    status = await counter.imported(data)
    assert status["status"] == "finished"
    (told,) = [each for each in status["deviations"] if "in the future" in each["text"]]
    assert told["record"] == "5"
    assert later in data.decode("cp932").splitlines()[told["line"] - 1]
    (dispense,) = await counter.stored("MedicationDispense")
    assert dispense["whenHandedOver"].startswith(f"{today + timedelta(days=1)}")


async def test_a_handbook_in_another_encoding_is_refused_with_the_reason(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401").decode("cp932").encode("euc_jp"))
    assert (status["status"], status["reason"], status["created"]) == ("refused", "unreadable", [])
    assert "EUC-JP" in status["deviations"][0]["text"]


async def test_the_same_bytes_from_the_same_source_are_the_same_import(counter: Counter) -> None:
    await counter.consent()
    first = await counter.hand_over(handbook("20260401"))
    again = await counter.hand_over(handbook("20260401"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["Location"] == again.headers["Location"]
    await counter.work()
    third = await counter.hand_over(handbook("20260401"))
    await counter.work()
    assert third.headers["Location"] == first.headers["Location"]
    assert len(await counter.stored("MedicationDispense")) == 1
    assert [notice["kind"] for notice in await counter.told()].count("import-finished") == 1


async def test_a_longer_handbook_of_the_same_source_adds_only_what_is_new(counter: Counter) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401"))
    status = await counter.imported(handbook("20260501", "20260401"))
    assert len(status["created"]) == len(MEDICINES)
    assert len(await counter.stored("MedicationDispense")) == 2


async def test_two_sources_are_never_merged(counter: Counter) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401"))
    own = await counter.imported(handbook("20260401"), who=counter.patient)
    assert len(own["created"]) == len(MEDICINES)
    assert len(await counter.stored("MedicationDispense")) == 2


async def test_no_grant_and_unknown_patient_are_refused_alike(counter: Counter) -> None:
    denied = await counter.hand_over(handbook("20260401"))
    unknown = await counter.hand_over(handbook("20260401"), patient=f"Patient/{uuid4()}")
    assert (denied.status_code, denied.content) == (unknown.status_code, unknown.content)
    assert denied.status_code == 403


async def test_a_consent_withdrawn_before_the_work_stores_nothing(counter: Counter) -> None:
    consent = await counter.consent()
    answer = await counter.hand_over(handbook("20260401"))
    await counter.withdraw(consent)
    await counter.work()
    status = (await counter.status(answer.headers["Location"])).json()
    assert (status["status"], status["reason"], status["created"]) == ("refused", "not-permitted", [])
    assert await counter.stored("MedicationDispense") == []
    assert "import-refused" in [notice["kind"] for notice in await counter.told()]
    accesses = await counter.town.call(
        counter.patient, "GET", "/audit/accesses", params={"patient": counter.patient}
    )
    refusals = [row for row in accesses.json() if row["outcome"] == "refused"]
    assert any(row["query"].startswith("POST imports") for row in refusals)


async def test_a_refused_file_is_taken_up_again_once_the_consent_is_there(counter: Counter) -> None:
    consent = await counter.consent()
    first = await counter.hand_over(handbook("20260401"))
    await counter.withdraw(consent)
    await counter.work()
    await counter.consent()
    again = await counter.hand_over(handbook("20260401"))
    await counter.work()
    assert again.headers["Location"] == first.headers["Location"]
    assert (await counter.status(again.headers["Location"])).json()["status"] == "finished"
    assert len(await counter.stored("MedicationDispense")) == 1


async def test_what_the_consent_does_not_cover_is_left_out_and_reported(counter: Counter) -> None:
    await counter.consent(types=MEDICINES)
    status = await counter.imported(handbook("20260401", remarks=[ALLERGY]))
    assert status["status"] == "finished"
    assert [each["text"] for each in status["deviations"] if "AllergyIntolerance" in each["text"]]
    assert await counter.stored("AllergyIntolerance") == []
    assert len(await counter.stored("MedicationDispense")) == 1


async def test_a_dispense_without_its_request_names_no_request(counter: Counter) -> None:
    await counter.consent(types=["MedicationDispense"])
    await counter.imported(handbook("20260401"))
    (dispense,) = await counter.stored("MedicationDispense")
    assert "authorizingPrescription" not in dispense


async def test_a_handbook_that_names_another_birth_date_says_so_first_and_tells_the_resident(
    counter: Counter,
) -> None:
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401", born="19610115"))).headers["Location"]
    await counter.work()
    status = (await counter.status(location, who=counter.patient)).json()
    assert (status["status"], status["reason"]) == ("finished", "another-person")
    assert status["deviations"][0]["text"].startswith("the birth date is not the one")
    assert set(status["deviations"][0]) == {"line", "record", "text"}
    assert len(await counter.stored("MedicationDispense")) == 1
    assert "import-doubted" in [notice["kind"] for notice in await counter.told()]


async def test_a_doubt_about_the_person_is_told_to_a_source_while_it_may_read_that_patient(
    counter: Counter,
) -> None:
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401", born="19610115"))).headers["Location"]
    await counter.work()
    assert (await counter.status(location)).json().keys() == {"status", "created", "deviations"}
    of_others = await counter.consent(types=["Observation", "MedicationDispense"], action="access")
    assert "reason" not in (await counter.status(location)).json()
    await counter.withdraw(of_others)
    reading = await counter.consent(types=["Patient"], action="access")
    told = (await counter.status(location)).json()
    assert (told["reason"], told["deviations"][0]["record"]) == ("another-person", "1")
    await counter.withdraw(reading)
    assert "reason" not in (await counter.status(location)).json()


async def test_a_consent_for_what_no_file_becomes_lets_nobody_hand_one_over(counter: Counter) -> None:
    await counter.consent(types=["Procedure", "Appointment"])
    await counter.consent(types=["MedicationDispense"], action="access")
    denied = await counter.hand_over(handbook("20260401"))
    assert (denied.status_code, counter.waiting()) == (403, [])
    await counter.consent(types=["Procedure", "MedicationStatement"])
    assert (await counter.hand_over(handbook("20260401"))).status_code == 202
    await counter.work()


async def test_another_name_is_stored_and_reported(counter: Counter) -> None:
    data = handbook("20260401", name="仮名　花代").replace("ミホン".encode("cp932"), b"")
    status = await counter.imported(data, who=counter.patient)
    assert status["status"] == "finished"
    assert status["deviations"][0]["record"] == "1"


async def test_a_file_that_cannot_be_compared_is_stored_and_says_so(
    counter: Counter,
) -> None:
    nameless = await counter.town.create("operator", {"resourceType": "Patient"})
    of_nameless = replace(counter, patient=nameless)
    status = await of_nameless.imported(handbook("20260401"), who=nameless)
    assert status["status"] == "finished"
    assert "compared" in status["deviations"][0]["text"]


async def test_what_nobody_can_read_is_refused_with_its_reason(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(b"\xff\xfe no handbook")
    assert (status["status"], status["reason"]) == ("refused", "unreadable")
    text = "got a first line without JAHISTC and a version"
    assert status["deviations"] == [{"line": 0, "record": "?", "text": text}]


async def test_what_becomes_too_much_is_refused_with_its_reason(counter: Counter) -> None:
    medicines = "".join(f"201,{rp},見本錠,1,錠,1,,1\r\n" for rp in range(300))
    data = handbook("20260401") + f"{medicines}501,{'長' * 75_000},1\r\n".encode("cp932")
    status = await counter.imported(data, who=counter.patient)
    assert (status["status"], status["reason"], status["created"]) == ("refused", "too-much", [])
    assert "expected at most so many" in status["deviations"][0]["text"]
    assert await counter.stored("MedicationDispense") == []


async def test_deviations_are_reported_line_by_line(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401", remarks=["999,x"]))
    assert status["status"] == "finished"
    assert {"line": 3, "record": "999"}.items() <= status["deviations"][0].items()


async def test_an_import_is_read_by_its_source_and_its_person_alone(counter: Counter) -> None:
    town = counter.town
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401"))).headers["Location"]
    stranger = await town.create("operator", {"resourceType": "Organization", "name": "別の薬局（架空）"})
    resident = await town.resident("別の人（架空）")
    for who in (counter.patient, counter.pharmacy):
        assert (await counter.status(location, who=who)).status_code == 200
    unknown = await counter.status(f"/imports/{uuid4()}")
    malformed = await counter.status("/imports/x")
    for who in (stranger, resident, "operator", "auditor"):
        denied = await counter.status(location, who=who)
        assert (denied.status_code, denied.content) == (404, unknown.content) == (404, malformed.content)


async def test_unknown_formats_and_large_files_are_refused(counter: Counter) -> None:
    await counter.consent()
    assert (await counter.hand_over(b"x", format="papyrus")).status_code == 400
    assert (await counter.hand_over(b"x" * (1_048_576 + 1))).status_code == 413
    assert (await counter.hand_over(b"x", patient="Observation/1")).status_code == 400


async def test_a_missing_parameter_is_named_with_an_example(counter: Counter) -> None:
    answer = await counter.town.call(
        counter.patient, "POST", "/imports", params={"format": "jahis"}, content=b"x"
    )
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert issue["diagnostics"] == "got no query parameter `patient`, expected such as `Patient/…`"
    assert issue["expression"] == ["patient"]


async def test_a_handover_without_a_token_is_refused(counter: Counter) -> None:
    answer = await counter.town.call(
        None, "POST", "/imports", params={"patient": counter.patient, "format": "jahis"}, content=b"x"
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 202),
        ("application/octet-stream", 202),
        ("text/csv; charset=Shift_JIS", 202),
        ("Text/Plain;charset=utf-8", 202),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 202),
        ("x", 415),
    ],
)
async def test_a_file_is_taken_as_bytes_or_as_text(counter: Counter, kind: str | None, status: int) -> None:
    params = {"patient": counter.patient, "format": "jahis"}
    headers = {} if kind is None else {"Content-Type": kind}
    data = handbook("20260407")
    answer = await counter.town.call(
        counter.patient, "POST", "/imports", params=params, content=data, headers=headers
    )
    assert answer.status_code == status, answer.text
    if status == 415:
        told = answer.json()["issue"][0]["diagnostics"]
        assert told.endswith("expected `application/octet-stream` or `text/plain` or `text/csv`")


async def test_notifications_are_the_residents_own_newest_first(counter: Counter) -> None:
    await counter.imported(handbook("20260401"), who=counter.patient)
    await counter.imported(handbook("20260501", born="19610115"), who=counter.patient)
    assert [notice["kind"] for notice in await counter.told()] == ["import-doubted", "import-finished"]
    assert (await counter.town.call(counter.pharmacy, "GET", "/notifications")).status_code == 403


async def test_nothing_of_a_file_lies_open_in_the_database(
    counter: Counter, module_database: Database
) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401", drug="秘密錠"))
    with psycopg.connect(module_database.superuser_url) as connection:
        rows = connection.execute("SELECT row_to_json(import_job)::text, content FROM import_job").fetchall()
    assert all("秘密錠" not in text and "秘密錠".encode("cp932") not in content for text, content in rows)
