from hashlib import sha256

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from passport.devices.jwk import device_key
from passport.outcomes import Invalid
from tests.unit.passport.devices.signing import DevicePen, eddsa, encoded, es256


@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["P-256", "Ed25519"])
def test_a_public_key_has_one_name_at_one_enrolment_and_another_at_the_next(pen: DevicePen) -> None:
    key = device_key(pen.jwk)
    assert key.kid("Device/1") == device_key(dict(reversed(pen.jwk.items()))).kid("Device/1")
    assert len({key.kid("Device/1"), key.kid("Device/2"), pen.kid}) == 3
    assert device_key(es256().jwk).kid("Device/1") != key.kid("Device/1")


def test_the_name_is_made_of_the_thumbprint_and_the_device() -> None:
    # RFC 8037, appendix A.3
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    named = sha256(b"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k.Device/1").digest()
    assert device_key(jwk).kid("Device/1") == encoded(named).decode()


def test_what_is_kept_is_the_key_and_nothing_that_came_beside_it() -> None:
    pen = es256()
    assert device_key({**pen.jwk, "kid": "mine", "x5u": "https://example.org/"}).jwk == {
        name: pen.jwk[name] for name in ("kty", "crv", "x", "y")
    }


@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["P-256", "Ed25519"])
def test_a_private_key_is_refused(pen: DevicePen) -> None:
    with pytest.raises(Invalid, match="private"):
        device_key(pen.private_jwk)


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "key",
        {},
        {"kty": ["EC"], "crv": {}},
        OctKey.generate_key(256).as_dict(private=True),
        RSAKey.generate_key(2048).as_dict(private=False),
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        {**es256().jwk, "y": es256().jwk["y"]},
        {**es256().jwk, "x": "AA"},
        {**es256().jwk, "x": 1},
        {**eddsa().jwk, "x": "!" * 43},
        {**es256().jwk, "alg": "HS256"},
        {**es256().jwk, "use": "enc"},
    ],
)
def test_any_other_key_is_refused(jwk: object) -> None:
    with pytest.raises(Invalid):
        device_key(jwk)
