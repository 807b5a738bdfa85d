import pytest

from fhirstore.errors import WeakSecret
from fhirstore.keys import SECRET_MAX_BYTES, SECRET_MIN_BYTES, KeyMaker

SECRET = bytes(range(32))


@pytest.fixture
def keys() -> KeyMaker:
    return KeyMaker(SECRET)


def test_key_is_the_same_in_every_process(keys: KeyMaker) -> None:
    assert keys.reference("Patient/hanako") == KeyMaker(SECRET).reference("Patient/hanako")
    assert keys.reference("Patient/hanako") == 6695889647700716290


def test_another_secret_makes_other_keys(keys: KeyMaker) -> None:
    assert keys.reference("Patient/hanako") != KeyMaker(bytes(32)).reference("Patient/hanako")


def test_key_fits_a_signed_bigint(keys: KeyMaker) -> None:
    made = [keys.reference(f"Patient/{number}") for number in range(1000)]
    assert all(-(2**63) <= key < 2**63 for key in made)
    assert any(key < 0 for key in made)
    assert len(set(made)) == 1000


def test_each_kind_of_text_has_keys_of_its_own(keys: KeyMaker) -> None:
    text = "vital-signs"
    made = [
        keys.reference(text),
        keys.bare_code(text),
        keys.bare_category(text),
        keys.system(text),
        keys.bare_identifier(text),
        keys.identifier_system(text),
        keys.token(text),
        keys.code("", text),
        keys.category("", text),
        keys.implied_category("", text),
        keys.label("", text),
        keys.identifier(None, text),
    ]
    assert len(set(made)) == len(made)


def test_no_two_pairs_of_system_and_code_share_a_key(keys: KeyMaker) -> None:
    assert keys.code("http://a|b", "c") != keys.code("http://a", "b|c")
    assert keys.code("http://a\\|b", "c") != keys.code("http://a\\", "b|c")
    assert keys.identifier("", "x") == keys.identifier(None, "x")


@pytest.mark.parametrize("other", ["Patient/Hanako", "Patient/hanako ", "Patient/ｈanako"])
def test_texts_compare_exactly(keys: KeyMaker, other: str) -> None:
    assert keys.reference("Patient/hanako") != keys.reference(other)


def test_text_that_utf8_cannot_carry_still_has_a_key(keys: KeyMaker) -> None:
    assert keys.token("\ud800") != keys.token("\ud801")


@pytest.mark.parametrize("length", [0, SECRET_MIN_BYTES - 1, SECRET_MAX_BYTES + 1])
def test_secret_of_unusable_length_is_refused(length: int) -> None:
    with pytest.raises(WeakSecret, match=f"got a key of {length} bytes, expected 16 to 64"):
        KeyMaker(bytes(length))
