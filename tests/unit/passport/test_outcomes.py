"""Every error has one status and one OperationOutcome, and no foreign text leaves the service."""

from typing import Any

import orjson
import psycopg
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from psycopg_pool import PoolTimeout

from consent.errors import UnknownRule
from fhirstore.errors import BodyForged, InvalidResource, ParseError, Problem, UnknownType
from fhirstore.search.cursor import BadCursor
from fhirstore.search.test import UnknownParameter
from passport.outcomes import (
    FAULT_TEXT,
    Conflict,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
    PassportError,
    PreconditionFailed,
    Refused,
    TimedOut,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
    naming,
    operation_outcome,
    translated,
)

ERRORS = [
    (Unauthenticated(), 401, "login", "refused"),
    (Refused(), 403, "forbidden", "refused"),
    (NotFound(), 404, "not-found", "not-found"),
    (NotAllowed(), 405, "not-supported", "refused"),
    (Conflict("got x"), 409, "conflict", "invalid"),
    (Gone(), 410, "deleted", "not-found"),
    (PreconditionFailed(), 412, "conflict", "invalid"),
    (TooLarge(10), 413, "too-long", "invalid"),
    (UnsupportedMedia("application/json"), 415, "not-supported", "invalid"),
    (Invalid("got x", status=422, code="processing"), 422, "processing", "invalid"),
    (Invalid("got x"), 400, "invalid", "invalid"),
    (TooMany(60), 429, "throttled", "refused"),
    (Unavailable(), 503, "transient", "error"),
    (TimedOut(), 503, "timeout", "error"),
]


def test_another_media_type_is_told_beside_the_expected_one() -> None:
    assert str(UnsupportedMedia("application/json", "text/xml")) == (
        "got Content-Type `text/xml`, expected `application/json`"
    )
    assert str(UnsupportedMedia("application/json")) == "got no Content-Type, expected `application/json`"


def test_a_statement_that_ran_too_long_is_told_as_such() -> None:
    error = translated(psycopg.errors.QueryCanceled("canceling statement due to statement timeout"))
    assert (error.status, error.code) == (503, "timeout")


def test_an_unknown_type_points_to_those_there_are() -> None:
    assert "`/fhir/metadata`" in translated(UnknownType("Basic")).text


def issues(error: PassportError) -> list[dict[str, Any]]:
    body = operation_outcome(error)
    OperationOutcome.model_validate_json(body)
    found: list[dict[str, Any]] = orjson.loads(body)["issue"]
    return found


@pytest.mark.parametrize(("error", "status", "code", "outcome"), ERRORS)
def test_every_error_has_its_status_its_issue_and_its_word_in_the_audit_log(
    error: PassportError, status: int, code: str, outcome: str
) -> None:
    (issue,) = issues(error)
    assert (error.status, issue["code"], error.outcome) == (status, code, outcome)
    assert issue["severity"] == "error"
    assert issue["diagnostics"] == error.text == str(error)


def test_the_same_refusal_is_the_same_bytes() -> None:
    assert operation_outcome(NotFound()) == operation_outcome(NotFound())


def test_several_problems_are_answered_at_once_each_with_its_place() -> None:
    problems = [
        Problem("error", "required", "Observation.status", "got no status"),
        Problem("error", "structure", "", "got two names", line=3, column=7),
    ]
    first, second = issues(Invalid(problems, status=422))
    assert first["expression"] == ["Observation.status"]
    assert "expression" not in second
    assert second["diagnostics"] == "got two names (line 3, column 7)"


def test_an_expression_names_the_place_in_the_callers_input() -> None:
    (issue,) = issues(Invalid("got no text", ("jwk",)))
    assert issue["expression"] == ["jwk"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ParseError([Problem("error", "structure", "", "got no object")]), 400),
        (InvalidResource([Problem("error", "required", "Patient.id", "got no id")]), 422),
        (UnknownType("Basic"), 404),
        (UnknownParameter("shoe", "Patient", ["_id"]), 400),
        (BadCursor(), 400),
        (UnknownRule("got a granting node without actor"), 422),
        (psycopg.OperationalError("the server closed the connection"), 503),
        (PoolTimeout("no connection within 10 s"), 503),
        (BodyForged(), 500),
        (ValueError("somebody's name"), 500),
    ],
)
def test_any_exception_becomes_one_error(error: Exception, status: int) -> None:
    assert translated(error).status == status


def test_the_text_of_a_fault_stays_in_the_service() -> None:
    for error in (ValueError("somebody's name"), BodyForged(), psycopg.OperationalError("host x")):
        assert translated(error).text in {FAULT_TEXT, Unavailable().text}


def test_an_error_of_the_service_stays_itself() -> None:
    error = NotFound()
    assert translated(error) is error


def test_an_unknown_search_parameter_is_named_in_the_expression() -> None:
    assert translated(UnknownParameter("shoe", "Patient", ["_id"])).expression == ("shoe",)


def test_headers_say_what_to_do_next() -> None:
    assert TooMany(60).headers == {"Retry-After": "60"}
    assert NotAllowed(allowed=("GET", "PUT")).headers == {"Allow": "GET, PUT"}
    assert NotAllowed().headers == {}


def test_a_bad_token_is_told_to_whoever_presented_one() -> None:
    assert Unauthenticated().headers == {"WWW-Authenticate": 'Bearer realm="passport"'}
    challenge = Unauthenticated(presented=True).headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="passport", error="invalid_token", error_description="')
    assert Unauthenticated(presented=True).text == Unauthenticated().text


def test_a_place_is_looked_for_where_an_error_names_none_and_never_else() -> None:
    looked: list[str] = []

    def place() -> str:
        looked.append("here")
        return "Bundle.entry[0]"

    with naming(place):
        pass
    with pytest.raises(Invalid), naming(place):
        raise Invalid("got x", ("Bundle.type",))
    assert looked == []
    with pytest.raises(Invalid) as told, naming(place):
        raise Invalid("got x")
    assert (told.value.expression, looked) == (("Bundle.entry[0]",), ["here"])
