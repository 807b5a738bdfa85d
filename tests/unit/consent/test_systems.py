"""The evaluation and the store know the same types, and read the same of them."""

import pytest

from consent import systems
from consent.model import Confidentiality
from fhirstore.facts.record import CONFIDENTIALITIES
from fhirstore.types import PART_TYPES, TYPES, ResourceType

EVERY = pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))


def test_of_every_type_that_is_held_it_is_known_what_its_codes_are() -> None:
    assert TYPES.keys() == systems.READ
    assert not systems.CODELESS & systems.SYSTEMS.keys()
    assert PART_TYPES.keys() == systems.TYPES


@EVERY
def test_a_type_has_codes_for_the_one_where_it_has_them_for_the_other(row: ResourceType) -> None:
    assert bool(row.codes) is (row.name in systems.SYSTEMS)
    assert bool(row.codes) is (row.name not in systems.CODELESS)


@EVERY
def test_usual_systems_of_a_type_are_not_foreign_to_it(row: ResourceType) -> None:
    assert set(row.systems) <= systems.SYSTEMS.get(row.name, frozenset())


@EVERY
def test_the_directory_is_the_same_for_both(row: ResourceType) -> None:
    assert row.directory is (row.name in systems.DIRECTORY)


def test_of_what_is_not_held_only_device_models_are_readable_by_everyone() -> None:
    assert systems.DIRECTORY - TYPES.keys() == {"DeviceDefinition"}


def test_what_follows_others_says_whom() -> None:
    assert all(TYPES[name].follows for name in systems.FOLLOWING)
    assert {name for name, row in TYPES.items() if row.bound} <= systems.FOLLOWING.keys()


def test_types_that_a_provision_must_name_are_held() -> None:
    assert TYPES.keys() >= systems.UNNAMED_EXCLUDED
    assert TYPES.keys() >= systems.ACTORS


def test_levels_of_confidentiality_are_numbered_as_rows_hold_them() -> None:
    assert {level.name: int(level) for level in Confidentiality} == {
        name: place for place, name in enumerate(CONFIDENTIALITIES)
    }
