"""RSA keys of ID tokens: what is signed verifies by the published part, and what is no pair is no key."""

from base64 import urlsafe_b64encode
from typing import Final

import orjson
import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from passport.rsa_signing import RsaKey, rsa_keys, rsa_signer
from passport.signing import NoSigningKey

KEY: Final = RsaKey.generate()
OTHER: Final = RsaKey.generate()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_what_is_signed_verifies_by_the_published_part_and_by_no_other(algorithm: str) -> None:
    published = RSAKey.import_key(dict(KEY.public.items()))
    assert "alg" not in KEY.public
    assert published.thumbprint() == KEY.kid
    signed = f"{encoded(orjson.dumps({'alg': algorithm}))}.{encoded(b'x')}"
    text = f"{signed}.{encoded(KEY.sign(signed.encode(), algorithm))}"
    assert jws.deserialize_compact(text, published, algorithms=[algorithm]).payload == b"x"
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(text, RSAKey.import_key(dict(OTHER.public.items())), algorithms=[algorithm])


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_key_is_read_as_it_was_stored() -> None:
    assert RsaKey.read(KEY.stored) == KEY
    assert RsaKey.read(KEY.public) == KEY.retired
    assert not {"d", "p", "q"} & KEY.public.keys()


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"kty": "EC"},
        KEY.stored | {"kty": "EC"},
        KEY.stored | {"d": OTHER.stored["d"]},
        KEY.stored | {"q": OTHER.stored["q"]},
        KEY.stored | {"qi": OTHER.stored["qi"]},
        KEY.stored | {"n": OTHER.stored["n"]},
        KEY.stored | {"n": KEY.stored["n"][:-8]},
        KEY.stored | {"e": "Aw"},
        KEY.stored | {"d": "ä"},
        {name: value for name, value in KEY.stored.items() if name != "p"},
    ],
)
def test_what_is_no_pair_is_no_key(content: object) -> None:
    with pytest.raises(ValueError, match="expected keys of ID tokens"):
        rsa_keys([content])


def test_the_first_that_can_signs() -> None:
    assert rsa_signer([KEY.retired, OTHER]) is OTHER
    for keys in ([], [KEY.retired]):
        with pytest.raises(NoSigningKey):
            rsa_signer(keys)
    with pytest.raises(NoSigningKey):
        KEY.retired.sign(b"", "RS256")
