import hmac
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.devices.jwk import DeviceKey, device_key
from passport.devices.jws import MESSAGE_MAX_BYTES, NOTHING_SIGNED, read, verified
from tests.unit.passport.devices.signing import DevicePen, eddsa, encoded, es256

PAYLOAD = b'{"counter":1,"readings":[]}'
PENS = [es256(), eddsa()]
NAMES = ["ES256", "EdDSA"]


def key_of(pen: DevicePen) -> DeviceKey:
    return device_key(pen.jwk)


@pytest.mark.parametrize("pen", PENS, ids=NAMES)
def test_a_signed_message_is_verified_and_its_payload_read(pen: DevicePen) -> None:
    signed = read(pen.sign(PAYLOAD))
    assert verified(signed, key_of(pen), pen.kid)
    assert signed.payload == PAYLOAD


def test_the_new_name_of_the_algorithm_is_the_same_algorithm() -> None:
    pen = eddsa()
    assert verified(read(pen.sign(PAYLOAD, alg="Ed25519")), key_of(pen), pen.kid)


@pytest.mark.parametrize("pen", PENS, ids=NAMES)
def test_a_message_of_no_known_device_is_not_verified(pen: DevicePen) -> None:
    assert not verified(read(pen.sign(PAYLOAD)), None, pen.kid)


@pytest.mark.parametrize("pen", PENS, ids=NAMES)
def test_another_key_under_the_same_kid_is_not_verified(pen: DevicePen) -> None:
    stranger = es256() if pen.algorithm == "ES256" else eddsa()
    assert not verified(read(stranger.sign(PAYLOAD, kid=pen.kid)), key_of(pen), pen.kid)


@pytest.mark.parametrize("pen", PENS, ids=NAMES)
def test_the_right_key_under_another_kid_is_not_verified(pen: DevicePen) -> None:
    assert not verified(read(pen.sign(PAYLOAD, kid="another")), key_of(pen), pen.kid)


@pytest.mark.parametrize("pen", PENS, ids=NAMES)
def test_a_changed_payload_is_not_verified(pen: DevicePen) -> None:
    header, _, signature = pen.sign(PAYLOAD).split(b".")
    changed = b".".join((header, encoded(PAYLOAD.replace(b"1", b"2")), signature))
    assert not verified(read(changed), key_of(pen), pen.kid)


def test_a_message_without_signature_is_not_verified() -> None:
    pen = es256()
    header = encoded(orjson.dumps({"alg": "none", "kid": pen.kid}))
    for signature in (b"", encoded(b"x")):
        assert not verified(read(b".".join((header, encoded(PAYLOAD), signature))), key_of(pen), pen.kid)


def test_a_message_authenticated_with_the_public_key_as_a_secret_is_not_verified() -> None:
    pen = es256()
    signing_input = encoded(orjson.dumps({"alg": "HS256", "kid": pen.kid})) + b"." + encoded(PAYLOAD)
    for secret in (pen.key.as_pem(private=False), orjson.dumps(pen.jwk)):
        tag = hmac.digest(secret, signing_input, "sha256")
        assert not verified(read(signing_input + b"." + encoded(tag)), key_of(pen), pen.kid)


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": PENS[0].jwk},
        {"jku": "https://example.org/keys"},
        {"x5u": "https://example.org/chain"},
        {"x5c": ["AA"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"alg": "ES384"},
        {"alg": "EdDSA"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"kid": None},
        {"kid": {"kid": "x"}},
    ],
)
def test_a_header_that_asks_for_more_than_it_may_is_not_verified(header: dict[str, Any]) -> None:
    assert not verified(read(PENS[0].sign(PAYLOAD, **header)), key_of(PENS[0]), PENS[0].kid)


def test_a_header_that_names_its_algorithm_twice_is_not_verified() -> None:
    pen = es256()
    _, payload, signature = pen.sign(PAYLOAD).split(b".")
    header = encoded(b'{"alg":"none","alg":"ES256","kid":"%s"}' % pen.kid.encode())
    assert read(b".".join((header, payload, signature))) == NOTHING_SIGNED


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"\xff.\xff.\xff",
        b"e30.e30.e30",
        b"bm8.bm8.bm8",
        PENS[0].sign(PAYLOAD) + b"\n",
        b" " + PENS[0].sign(PAYLOAD),
        b"A" * (MESSAGE_MAX_BYTES + 1),
    ],
)
def test_what_is_no_compact_signature_says_nothing(message: bytes) -> None:
    assert read(message) == NOTHING_SIGNED
    assert not verified(read(message), key_of(PENS[0]), PENS[0].kid)
    assert not verified(read(message), None, "")


@given(
    st.binary(max_size=300)
    | st.from_regex(rb"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{86}", fullmatch=True)
)
def test_no_bytes_at_all_are_taken_for_a_message(message: bytes) -> None:
    assert not verified(read(message), key_of(PENS[0]), PENS[0].kid)
