"""From a resource to the row that is stored, and back to its bytes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fhirstore.errors import BodyForged
from fhirstore.facts import extract
from fhirstore.parse import parse, serialise
from fhirstore.tables import NOBODY
from passport.records import Draft, Owner, named, opened_body, sealed_row, written_instant
from tests import resources as made
from tests.town import Town
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 1, 2, 3, 456_789, tzinfo=UTC)
KEY = bytes(range(32))


def draft(town: Town, tree: Json, **more: Any) -> Draft:
    facts = extract({**tree, "id": "x"}, zone=town.runtime.settings.zone)
    return Draft(id="x", version=1, tree=tree, facts=facts, **more)


def row(town: Town, tree: Json, owner: Owner | None = None, **more: Any) -> Any:
    return sealed_row(town.runtime, draft(town, tree, **more), owner or Owner(7, KEY), source=5, now=NOW)


def test_identity_comes_first_and_replaces_what_the_caller_wrote() -> None:
    tree = {
        "status": "final",
        "meta": {"versionId": "9", "tag": []},
        "id": "y",
        "resourceType": "Observation",
    }
    whole = named(tree, id_="x", version=2, last_updated=NOW)
    assert list(whole) == ["resourceType", "id", "meta", "status"]
    assert whole["meta"] == {"versionId": "2", "tag": [], "lastUpdated": "2026-11-22T01:02:03.456Z"}
    assert tree["id"] == "y"


def test_an_instant_is_written_in_utc_to_the_millisecond() -> None:
    assert written_instant(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-11-22T01:02:03.456Z"
    assert written_instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


async def test_what_was_sealed_is_opened_byte_by_byte(town: Town) -> None:
    tree = parse(
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.50}}'
    )
    sealed = row(town, tree)
    assert b"72.50" not in sealed.body
    number = sealed.facts["type"]
    opened = opened_body(sealed, KEY, number)
    assert opened == serialise(named(tree, id_="x", version=1, last_updated=NOW))
    assert b'"value":72.50' in opened


async def test_a_body_opens_only_in_its_own_place_under_its_own_key(town: Town) -> None:
    sealed = row(town, made.weight("Patient/p"))
    number = sealed.facts["type"]
    for moved in (replace(sealed, patient_key=8), replace(sealed, id="y"), replace(sealed, version=2)):
        with pytest.raises(BodyForged):
            opened_body(moved, KEY, number)
    with pytest.raises(BodyForged):
        opened_body(sealed, bytes(32), number)
    with pytest.raises(BodyForged):
        opened_body(sealed, KEY, number + 1)


async def test_a_row_says_in_keys_what_the_record_says_in_words(town: Town) -> None:
    keys = town.runtime.keys
    sealed = row(town, made.weight("Patient/p", performer=[made.reference("Practitioner/a")]))
    assert sealed.record_key == keys.reference("Observation/x")
    assert sealed.facts["codes"] == (keys.code(*made.BODY_WEIGHT),)
    assert sealed.facts["authors"] == (keys.reference("Practitioner/a"),)
    assert set(sealed.facts["refs"]) == {keys.reference("Patient/p"), keys.reference("Practitioner/a")}
    assert sealed.status == keys.token("final")
    assert sealed.source == 5
    assert sealed.tokens


async def test_a_tombstone_keeps_the_facts_and_is_found_by_nothing(town: Town) -> None:
    tree = made.weight("Patient/p", identifier=made.identifiers(("urn:x", "1")))
    living, dead = row(town, tree), row(town, tree, deleted=True)
    assert dead.deleted
    assert dead.facts == living.facts
    assert (dead.tokens, dead.identifiers) == ((), ())


async def test_parts_are_rows_of_their_own(town: Town) -> None:
    inside = {**made.prescription("Patient/p", made.CANDESARTAN), "id": "m"}
    (part,) = row(town, made.weight("Patient/p", contained=[inside])).parts
    assert part.part_key is None
    assert part.facts["codes"] == (town.runtime.keys.code(*made.CANDESARTAN),)


async def test_a_proposal_that_nobody_holds_is_found_by_whom_it_was_put_to(town: Town) -> None:
    tree = consent_json(permit("Practitioner/a"), "Patient/unknown", status="proposed")
    values = [value for _, value, _ in row(town, tree, Owner(NOBODY, KEY)).tokens]
    assert town.runtime.keys.reference("Patient/unknown") in values
    assert row(town, tree).tokens == row(town, tree, Owner(NOBODY, KEY)).tokens
    assert row(town, {**tree, "status": "active"}).tokens == ()
    assert row(town, tree, Owner(NOBODY, KEY), deleted=True).tokens == ()


def test_an_owner_is_beside_each_other_patient_once() -> None:
    assert Owner(7, KEY).with_others((9, 7, 8, 9)) == Owner(7, KEY, (8, 9))
    assert Owner(7, KEY, (8,)).with_others(()) == Owner(7, KEY)
