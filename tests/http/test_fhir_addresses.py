"""Addresses that say something else than they seem to.

http://hl7.org/fhir/R4/http.html
"""

import pytest

from tests import resources as made
from tests.http.bundles import asked, done, send, statuses
from tests.town import FHIR_JSON, Voice, outcome

pytestmark = pytest.mark.anyio

UNREADABLE = ("%ff", "%E3%81", "%ED%A0%80", "%C0%AF")


@pytest.mark.parametrize("value", UNREADABLE)
async def test_a_query_that_is_no_utf_8_is_refused(hanako: Voice, value: str) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for method, path in (
        ("GET", f"Patient?name={value}"),
        ("HEAD", f"Patient?name={value}"),
        ("GET", f"{reference}?{value}=x"),
        ("GET", f"{hanako.reference}/$everything?_type={value}"),
        ("DELETE", f"Observation?identifier={value}"),
        ("GET", f"/audit/accesses?patient={value}"),
    ):
        answer = await hanako.call(method, path)
        assert answer.status_code == 400, path
        assert answer.headers["content-type"].startswith(FHIR_JSON)
        if method != "HEAD":
            (issue,) = outcome(answer, 400, "invalid")["issue"]
            assert "not UTF-8" in issue["diagnostics"]
    assert (await hanako.get(reference)).status_code == 200


async def test_an_entry_whose_query_is_no_utf_8_is_refused(hanako: Voice) -> None:
    entry = asked("DELETE", "Observation?identifier=%ff")
    assert statuses(await done(hanako, "batch", entry)) == [400]
    outcome(await send(hanako, "transaction", entry), 400, "invalid")


async def test_letters_are_understood_with_and_without_escapes(hanako: Voice) -> None:
    for name in ("%E8%A6%8B%E6%9C%AC", "見本"):
        entry = asked("GET", f"Patient?name={name}")
        for kind in ("batch", "transaction"):
            (answer,) = await done(hanako, kind, entry)
            assert [one["fullUrl"].rpartition("/")[2] for one in answer["resource"]["entry"]] == [
                hanako.reference.partition("/")[2]
            ]
