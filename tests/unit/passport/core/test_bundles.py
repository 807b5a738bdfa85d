"""Bundles are spliced from bytes: every byte of a resource stays, and the whole is valid."""

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle

from passport.bundles import Entry, Links, history, searchset

BASE = "http://passport.test/fhir"
BODY = b'{"resourceType":"Observation","status":"final","code":{"text":"\xe8\xa1\x80\xe5\x9c\xa7"},"valueInteger":1}'


def test_a_resource_goes_in_byte_by_byte() -> None:
    bundle = searchset(BASE, [Entry("Observation/1", BODY)], Links("x"), None)
    assert BODY in bundle
    (entry,) = orjson.loads(bundle)["entry"]
    assert entry == {
        "fullUrl": f"{BASE}/Observation/1",
        "resource": orjson.loads(BODY),
        "search": {"mode": "match"},
    }


def test_an_empty_page_has_no_entry_element() -> None:
    tree = orjson.loads(searchset(BASE, [], Links("http://passport.test/fhir/Observation"), 0))
    assert tree == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "link": [{"relation": "self", "url": "http://passport.test/fhir/Observation"}],
    }


def test_a_total_that_was_not_asked_for_is_not_there() -> None:
    assert "total" not in orjson.loads(searchset(BASE, [], Links("x"), None))


def test_links_are_escaped() -> None:
    tree = orjson.loads(searchset(BASE, [], Links('x"\\', 'y"&'), None))
    assert [one["url"] for one in tree["link"]] == ['x"\\', 'y"&']
    assert [one["relation"] for one in tree["link"]] == ["self", "next"]


def test_a_deletion_in_a_history_has_no_resource() -> None:
    added = b',"request":{"method":"DELETE","url":"Observation/1"}'
    (entry,) = orjson.loads(history(BASE, [Entry("Observation/1", b"", added)], Links("x"), None))["entry"]
    assert entry == {
        "fullUrl": f"{BASE}/Observation/1",
        "request": {"method": "DELETE", "url": "Observation/1"},
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_bundle_is_valid_fhir(count: int) -> None:
    entries = [Entry(f"Observation/{at}", BODY) for at in range(count)]
    bundle = searchset(BASE, entries, Links(f"{BASE}/Observation", f"{BASE}/Observation?_cursor=x"), count)
    Bundle.model_validate_json(bundle)
