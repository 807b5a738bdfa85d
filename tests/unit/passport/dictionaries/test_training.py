"""The dictionaries that the product ships are those that synthetic records give, and no others."""

import json

import pytest

from fhirstore.trained import TRAINED, content, kind_of
from passport.dictionaries.samples import samples
from passport.dictionaries.training import trained_contents

FEW = 40


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    return {each.kind: content(each) for each in TRAINED}


def test_training_again_gives_the_shipped_dictionaries(shipped: dict[str, bytes]) -> None:
    assert trained_contents() == shipped


def test_the_same_seed_draws_the_same_samples_and_another_one_others() -> None:
    assert samples(1, FEW) == samples(1, FEW)
    assert samples(1, FEW) != samples(2, FEW)


def test_samples_are_records_of_their_kind_without_what_their_row_says() -> None:
    for kind, bodies in samples(1, FEW).items():
        for body in bodies:
            assert body.startswith(b',"meta":{')
            rest = json.loads(b'{"resourceType":"Observation"' + body)
            assert kind != "vital-sign" or kind_of(rest) == kind


def test_every_kind_has_a_number_of_its_own() -> None:
    numbers = [each.number for each in TRAINED]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 1
