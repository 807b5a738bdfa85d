"""The description that /docs shows: every operation in words, with its bodies, parameters and refusals."""

from pathlib import Path
from typing import Any, Final

import pytest

from passport.demo.devices import MODELS
from passport.main import create_app
from passport.routes.description import OPEN
from passport.routes.operations import OPERATIONS
from passport.settings import Settings

Json = dict[str, Any]
REFUSALS: Final = {"403", "404", "409", "415", "422"}
WITHOUT_BODY: Final = {
    "/devices/{device_id}/{verb}",
    "/audit/cases/{case_id}/close",
    "/auth/sign-out",
    "/auth/clients/{client_id}/decline",
    "/auth/sign-in-codes/{login}/decline",
    "/auth/providers/{provider_id}/end",
    "/auth/providers/{provider_id}/links/{link_id}/confirm",
    "/desk/guardianships/{proxy_id}/end",
    "/desk/matters/{matter_id}/confirm",
    "/desk/matters/{matter_id}/decline",
    "/emergencies/{opening_id}/end",
    "/family/proxies/{proxy_id}/end",
    "/identity/merges/{merge_id}/confirm",
    "/identity/merges/{merge_id}/decline",
    "/identity/merges/{merge_id}/undo",
    "/sharing/grants/{consent_id}/withdraw",
    "/sharing/requests/{request_id}/decline",
    "/sharing/requests/{request_id}/withdraw",
}


@pytest.fixture(scope="module")
def paths() -> Json:
    found: Json = create_app(Settings(state=Path("none"), key_file=Path("none"))).openapi()["paths"]
    return found


def operations(paths: Json) -> list[tuple[str, str, Json]]:
    return [(path, method, found) for path, methods in paths.items() for method, found in methods.items()]


def test_every_operation_that_is_served_is_in_the_table_and_none_beside(paths: Json) -> None:
    assert {(path, method) for path, method, _ in operations(paths)} == set(OPERATIONS)


def test_whatever_takes_a_body_shows_one(paths: Json) -> None:
    for path, method, found in operations(paths):
        takes = method in {"post", "put", "patch"} and path not in WITHOUT_BODY
        assert ("requestBody" in found) == takes, path


def test_each_parameter_is_named_once(paths: Json) -> None:
    for path, _, found in operations(paths):
        names = [parameter["name"] for parameter in found["parameters"]]
        assert len(names) == len(set(names)), path


def test_a_token_is_asked_for_wherever_one_is_needed(paths: Json) -> None:
    for path, _, found in operations(paths):
        assert ("security" in found) == (path not in OPEN)
        assert ("401" in found["responses"]) or path in OPEN


def test_a_refusal_is_an_operation_outcome_and_never_the_frameworks(paths: Json) -> None:
    for path, _, found in operations(paths):
        refused = [answer for status, answer in found["responses"].items() if status in REFUSALS]
        assert all("OperationOutcome" in str(answer) for answer in refused), path
        assert "HTTPValidationError" not in str(found)


def test_what_is_written_may_be_of_another_media_type_or_break_a_rule(paths: Json) -> None:
    writes = [
        ("/fhir/{type_name}", "post"),
        ("/fhir/{type_name}/{id_}", "put"),
        ("/devices/enrolments", "post"),
    ]
    for path, method in writes:
        assert {"415", "422"} <= paths[path][method]["responses"].keys(), path
    for path, _, found in operations(paths):
        if path.startswith("/fhir") and "requestBody" in found:
            assert "415" in found["responses"], path


def test_the_enrolment_that_is_shown_is_of_a_model_of_the_demo(paths: Json) -> None:
    content = paths["/devices/enrolments"]["post"]["requestBody"]["content"]["application/json"]
    assert content["example"]["model"] in {model.name for model in MODELS}


def test_the_searches_name_their_parameters(paths: Json) -> None:
    def names(path: str) -> set[str]:
        return {found["name"] for found in paths[path]["get"]["parameters"] if found["in"] == "query"}

    assert names("/fhir/{type_name}") >= {"_id", "patient", "code", "date", "authoredon", "whenhandedover"}
    assert names("/fhir/AuditEvent") >= {"patient", "date", "agent", "outcome", "_count"}
    assert names("/audit/accesses") == {"patient", "date", "agent", "outcome", "_count"}
