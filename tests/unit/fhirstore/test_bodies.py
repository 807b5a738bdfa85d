from concurrent.futures import ThreadPoolExecutor
from os import urandom

import pytest
from zstandard import train_dictionary

from fhirstore.bodies import NONCE_BYTES, ZSTD, Address, Bodies, CodecNumber, Sealed
from fhirstore.errors import BodyForged, UnknownCodec, WeakSecret
from fhirstore.types import TypeNumber

KEY = bytes(range(32))
NONCE = bytes(12)
ADDRESS = Address(patient_key=7, type=TypeNumber(10), id="bp-1", version=1)
PLAIN = b'{"resourceType":"Observation","id":"bp-1","valueQuantity":{"value":72.50}}' * 5


@pytest.fixture
def bodies() -> Bodies:
    return Bodies()


def test_body_opens_in_its_own_row(bodies: Bodies) -> None:
    sealed = bodies.seal(PLAIN, KEY, ADDRESS, nonce=NONCE)
    assert bodies.open(sealed, KEY, ADDRESS) == PLAIN
    assert sealed.codec == ZSTD
    assert len(sealed.body) < len(PLAIN) / 2


def test_stored_body_shows_nothing_of_its_text(bodies: Bodies) -> None:
    sealed = bodies.seal(b"72.50", KEY, ADDRESS, nonce=NONCE)
    assert b"72" not in sealed.body[NONCE_BYTES:]


@pytest.mark.parametrize(
    "other",
    [
        ADDRESS._replace(patient_key=8),
        ADDRESS._replace(type=TypeNumber(11)),
        ADDRESS._replace(id="bp-2"),
        ADDRESS._replace(version=2),
    ],
)
def test_body_does_not_open_in_another_row(bodies: Bodies, other: Address) -> None:
    sealed = bodies.seal(PLAIN, KEY, ADDRESS, nonce=NONCE)
    with pytest.raises(BodyForged):
        bodies.open(sealed, KEY, other)


def test_body_does_not_open_with_the_key_of_another_patient(bodies: Bodies) -> None:
    sealed = bodies.seal(PLAIN, KEY, ADDRESS, nonce=NONCE)
    with pytest.raises(BodyForged):
        bodies.open(sealed, bytes(32), ADDRESS)
    assert bodies.open(sealed, KEY, ADDRESS) == PLAIN


def test_body_changed_in_any_byte_does_not_open(bodies: Bodies) -> None:
    sealed = bodies.seal(PLAIN, KEY, ADDRESS, nonce=NONCE)
    for at in range(len(sealed.body)):
        changed = bytearray(sealed.body)
        changed[at] ^= 1
        with pytest.raises(BodyForged):
            bodies.open(Sealed(sealed.codec, bytes(changed)), KEY, ADDRESS)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27])
def test_body_that_was_cut_does_not_open(bodies: Bodies, length: int) -> None:
    sealed = bodies.seal(PLAIN, KEY, ADDRESS, nonce=NONCE)
    with pytest.raises(BodyForged):
        bodies.open(Sealed(sealed.codec, sealed.body[:length]), KEY, ADDRESS)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_key_of_another_length_is_refused(bodies: Bodies, length: int) -> None:
    with pytest.raises(WeakSecret):
        bodies.seal(PLAIN, bytes(length), ADDRESS, nonce=NONCE)


def test_codec_of_a_later_version_is_named(bodies: Bodies) -> None:
    with pytest.raises(UnknownCodec, match="got codec 9"):
        bodies.open(Sealed(CodecNumber(9), bytes(40)), KEY, ADDRESS)


def test_trained_dictionary_is_a_codec_of_its_own() -> None:
    samples: list[bytes | bytearray | memoryview] = [
        PLAIN[:90] + str(number).encode() * 9 for number in range(1000)
    ]
    trained = CodecNumber(2)
    bodies = Bodies({trained: train_dictionary(1024, samples).as_bytes()})
    plain = bytes(samples[500])
    small = bodies.seal(plain, KEY, ADDRESS, nonce=NONCE, codec=trained)
    assert bodies.open(small, KEY, ADDRESS) == plain
    assert len(small.body) < len(bodies.seal(plain, KEY, ADDRESS, nonce=NONCE).body)
    with pytest.raises(BodyForged):
        bodies.open(Sealed(ZSTD, small.body), KEY, ADDRESS)


def test_threads_do_not_disturb_each_other(bodies: Bodies) -> None:
    def round_trips(seed: int) -> bool:
        plain, key = bytes([seed]) * 5000, bytes([seed]) * 32
        address = ADDRESS._replace(patient_key=seed)
        return all(
            bodies.open(bodies.seal(plain, key, address, nonce=urandom(12)), key, address) == plain
            for _ in range(200)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trips, range(8)))
