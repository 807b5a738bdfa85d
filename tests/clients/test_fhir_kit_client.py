"""The passport through fhir-kit-client, which JavaScript's FHIR applications are written with.

https://github.com/Vermonster/fhir-kit-client
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from hatch_build import carried, toolchain
from tests.clients.conftest import Practice
from tests.clients.npm import installed

ROUND: Final = Path(__file__).parent / "node"
ROUND_SECONDS: Final = 120


@pytest.fixture(scope="module")
def seen(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the client saw in one round, step by step."""
    tools = toolchain()
    place = installed(ROUND, tools, tmp_path_factory.getbasetemp().parent)
    environment = {
        **os.environ,
        "FHIR_URL": practice.served.fhir_url,
        "FHIR_TOKEN": practice.token,
        "PATIENT": practice.patient,
        "SYSTEM": f"http://example.test/{uuid4()}",
    }
    done = subprocess.run(
        [tools.node, "round.mjs"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=ROUND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_statement_names_the_types(seen: Any) -> None:
    assert seen["statement"]["fhirVersion"] == "4.0.1"
    assert {"Patient", "Observation", "Consent", "AuditEvent"} <= set(seen["statement"]["types"])


def test_a_record_is_created_read_changed_patched_and_deleted(seen: Any) -> None:
    life = seen["lifetime"]
    assert life["location"]
    assert life["etags"] == ['W/"1"', 'W/"1"', 'W/"2"', 'W/"3"']
    assert life["kilograms"] == [62.5, 62.5, 61.5, 60.5, 62.5]
    assert life["deleted"] == 204
    assert life["gone"] == {"status": 410, "resourceType": "OperationOutcome"}
    assert life["versions"] == ["DELETE", "PUT", "PUT", "POST"]


def test_an_update_of_a_version_that_is_no_longer_current_is_refused(seen: Any) -> None:
    assert seen["lifetime"]["late"] == {"status": 412, "resourceType": "OperationOutcome"}


def test_a_condition_creates_once_and_updates_what_it_created(seen: Any) -> None:
    assert seen["conditions"] == {"statuses": [201, 200, 200], "one": True, "version": "2"}


@pytest.mark.parametrize("way", ["get", "post", "compartment"])
def test_a_search_is_followed_over_its_pages(seen: Any, way: str) -> None:
    assert [page["ids"] for page in seen["pages"][way]] == [[0, 1], [2, 3], [4]]
    assert {page["total"] for page in seen["pages"][way]} == {5}


def test_the_history_of_a_type_and_of_the_system_are_bundles(seen: Any) -> None:
    assert seen["histories"] == [["history", True], ["history", True]]


def test_operations_are_asked_for(seen: Any) -> None:
    assert seen["operations"]["everything"] == ["Observation"]
    assert seen["operations"]["validate"] == ["OperationOutcome", True]


def test_a_batch_answers_each_entry_and_a_transaction_is_all_or_nothing(seen: Any) -> None:
    assert seen["bundles"]["batch"] == ["201", "422", "404"]
    assert seen["bundles"]["transaction"] == ["201", "201", "200"]
    assert seen["bundles"]["seen"] == [2]
    assert seen["bundles"]["nothing"]["resourceType"] == "OperationOutcome"
    assert seen["bundles"]["left"] == 0


def test_refusals_arrive_as_what_they_are(seen: Any) -> None:
    assert seen["refusals"] == {
        "stranger": {"status": 401, "resourceType": "OperationOutcome"},
        "unknown": {"status": 404, "resourceType": "OperationOutcome"},
        "unheard": {"status": 400, "resourceType": "OperationOutcome"},
        "everywhere": {"status": 400, "resourceType": "OperationOutcome"},
    }


def test_the_node_that_comes_along_runs_its_npm() -> None:
    told = subprocess.run([*carried().npm, "--version"], capture_output=True, text=True, check=True)
    assert int(told.stdout.partition(".")[0]) >= 10
    assert Path(carried().node).is_file()


def test_the_lock_holds_a_hash_for_every_package_and_no_address() -> None:
    lock = json.loads((ROUND / "package-lock.json").read_text("utf-8"))
    packages = {name: row for name, row in lock["packages"].items() if name}
    assert packages
    assert all(row["integrity"].startswith("sha512-") for row in packages.values())
    assert not any("resolved" in row for row in packages.values())
