"""What a refusal tells: the way on, and nothing of what is stored.

https://www.rfc-editor.org/rfc/rfc6750#section-3
http://hl7.org/fhir/R4/http.html#Status-Codes
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.cast import Cast
from tests.resources import weight
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

CHALLENGE = 'Bearer realm="passport"'


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Token x"])
async def test_without_a_token_the_challenge_names_no_error(town: Town, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await town.stranger.get("Observation", **headers)
    outcome(answer, 401, "login")
    assert answer.headers["www-authenticate"] == CHALLENGE


async def test_a_bad_token_is_named_as_one_whatever_is_wrong_with_it(town: Town, hanako: Voice) -> None:
    unknown = await town.stranger.get("Observation", Authorization="Bearer unknown")
    await hanako.get("Observation")
    with town.later(timedelta(days=2)):
        expired = await hanako.get("Observation")
    for answer in (unknown, expired):
        outcome(answer, 401, "login")
        assert answer.headers["www-authenticate"].startswith(f'{CHALLENGE}, error="invalid_token", ')
    assert answered(unknown) == answered(expired)
    without = await town.stranger.get("Observation")
    assert without.content == unknown.content


async def test_who_is_not_permitted_is_told_how_to_ask_and_nothing_else(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.create(weight(hanako.reference))
    await taro.grant(permit(cast.hospital))
    refused = [
        await cast.a.post(weight(patient)) for patient in (hanako.reference, taro.reference, "Patient/nobody")
    ]
    (issue,) = outcome(refused[0], 403, "forbidden")["issue"]
    assert "with a Consent of status `proposed`" in issue["diagnostics"]
    assert len({str(answered(answer)) for answer in refused}) == 1
    # The way that it tells of is one.
    asked = permit(cast.hospital, actions=["collect"])
    for patient in (hanako, taro):
        answer = await cast.a.post(patient.consent(asked, status="proposed"))
        assert answer.status_code == 201, answer.text


async def test_who_cannot_ask_for_a_permit_is_not_told_to(hanako: Voice, taro: Voice) -> None:
    for refused in (
        await hanako.post(weight(taro.reference)),
        await hanako.put(hanako.reference, {"resourceType": "Patient", "name": [{"text": "見本 花子"}]}),
    ):
        (issue,) = outcome(refused, 403, "forbidden")["issue"]
        assert issue["diagnostics"] == "nothing permits this request to whoever acts as patient"


@pytest.mark.parametrize(
    ("kind", "path", "scopes"),
    [
        ("practitioner", "Observation", ["user/Observation.s"]),
        ("practitioner", "Observation/unknown", ["user/Observation.r"]),
        ("practitioner", "_history", ["user/*.s"]),
        ("resident", "Observation", ["patient/Observation.s"]),
        ("resident", "/notifications", ["patient/AuditEvent.s"]),
        ("service", "Observation", ["system/Observation.s"]),
    ],
)
async def test_a_session_that_lacks_a_scope_is_told_which(
    town: Town, hanako: Voice, cast: Cast, kind: str, path: str, scopes: list[str]
) -> None:
    voice, scope = {
        "practitioner": (cast.a, "user/Patient.r"),
        "resident": (hanako, "patient/Patient.r"),
        "service": (town.as_(cast.pharmacy), "system/Patient.r"),
    }[kind]
    answer = await replace(voice, scope=scope).get(path)
    (issue,) = outcome(answer, 403, "forbidden")["issue"]
    named = ", ".join(f"`{each}`" for each in scopes)
    assert issue["diagnostics"] == f"the session's scopes do not allow this, expected {named}"
    expected = f'{CHALLENGE}, error="insufficient_scope", scope="{" ".join(scopes)}"'
    assert answer.headers["www-authenticate"] == expected


async def test_what_is_beyond_the_arguments_of_a_scope_names_no_scope(hanako: Voice) -> None:
    """What is stored decides there."""
    narrow = replace(hanako, scope="patient/Observation.c?category=laboratory")
    answer = await narrow.post(weight(hanako.reference))
    (issue,) = outcome(answer, 403, "forbidden")["issue"]
    assert issue["diagnostics"] == "the session's scopes do not allow this"
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope"'
