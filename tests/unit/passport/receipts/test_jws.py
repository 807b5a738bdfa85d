"""A receipt holds by the published keys alone, and not with one byte changed.

https://www.rfc-editor.org/rfc/rfc8725
"""

import hmac
from hashlib import sha256
from typing import Any, Final

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from passport.receipts.jws import REQUIRED, TYPE, NoReceipt, signed, verified
from passport.signing import NoSigningKey, SigningKey, jwk_set, signer
from tests.unit.passport.receipts.signing import CONTENT, KEY, decoded, encoded, message

PUBLISHED: Final = jwk_set([KEY])


def test_what_was_signed_is_read_back() -> None:
    assert verified(signed(CONTENT, [KEY]), PUBLISHED) == CONTENT


def test_a_jose_library_verifies_it() -> None:
    held = jws.deserialize_compact(signed(CONTENT, [KEY]), ECKey.import_key(dict(KEY.public)))
    assert (orjson.loads(held.payload or b""), held.headers()["typ"]) == (CONTENT, TYPE)


def test_the_same_content_is_signed_the_same() -> None:
    assert signed(CONTENT, [KEY]) == signed(CONTENT, [KEY])


def test_numbers_stay_as_they_were_written() -> None:
    told = verified(message(), PUBLISHED)
    assert signed(told, [KEY]) == signed(CONTENT, [KEY])


def test_what_an_earlier_key_signed_holds_while_that_is_published() -> None:
    before, now = SigningKey.generate(), SigningKey.generate()
    retired = SigningKey(before.x, before.y)
    receipt = signed(CONTENT, [before])
    assert verified(receipt, jwk_set([now, retired])) == CONTENT
    assert signer([retired, now]) == now
    with pytest.raises(NoReceipt, match="signed by key"):
        verified(receipt, jwk_set([now]))


def test_without_a_private_key_nothing_is_signed() -> None:
    for keys in ([], [SigningKey(KEY.x, KEY.y)]):
        with pytest.raises(NoSigningKey):
            signed(CONTENT, keys)
    with pytest.raises(NoSigningKey):
        SigningKey(KEY.x, KEY.y).sign(b"")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_receipt_with_any_byte_changed_is_refused(part: int) -> None:
    parts = signed(CONTENT, [KEY]).split(b".")
    plain = decoded(parts[part])
    for at in range(0, len(plain), 7):
        changed = bytes((*plain[:at], plain[at] ^ 1, *plain[at + 1 :]))
        with pytest.raises(NoReceipt):
            verified(b".".join((*parts[:part], encoded(changed), *parts[part + 1 :])), PUBLISHED)


def test_a_receipt_whose_content_was_exchanged_is_refused() -> None:
    header, _, signature = signed(CONTENT, [KEY]).split(b".")
    other = encoded(orjson.dumps({**CONTENT, "pii_principal_id": "Patient/other"}))
    with pytest.raises(NoReceipt, match="changed"):
        verified(b".".join((header, other, signature)), PUBLISHED)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"typ": None},
        {"typ": "JWT"},
        {"kid": None},
        {"kid": 5},
        {"kid": ["x"]},
        {"jwk": KEY.public},
        {"jku": "https://keys.example/"},
        {"x5u": "https://keys.example/"},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_header_that_says_anything_else_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(NoReceipt):
        verified(message(**header), PUBLISHED)


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    head, body, _ = message(alg="HS256").split(b".")
    forged = hmac.digest(orjson.dumps(KEY.public), head + b"." + body, sha256)
    with pytest.raises(NoReceipt):
        verified(b".".join((head, body, encoded(forged))), PUBLISHED)


def test_a_key_that_only_borrows_the_name_does_not_sign() -> None:
    with pytest.raises(NoReceipt, match="changed, or"):
        verified(message(key=SigningKey.generate(), kid=KEY.kid), PUBLISHED)


@pytest.mark.parametrize("text", [b"", b"x", b"a.b", b"a.b.c", b"..", b"a.b.c.d", "架空".encode(), b"\xff.."])
def test_what_is_no_jws_is_refused(text: bytes) -> None:
    with pytest.raises(NoReceipt):
        verified(text, PUBLISHED)


@pytest.mark.parametrize("content", [[], "x", 5, {}])
def test_a_signed_message_that_is_no_receipt_is_refused(content: Any) -> None:
    with pytest.raises(NoReceipt):
        verified(message(content), PUBLISHED)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_receipt_without_what_has_to_be_there_is_refused(name: str) -> None:
    content = {key: value for key, value in CONTENT.items() if key != name}
    with pytest.raises(NoReceipt, match=f"without {name}"):
        verified(message(content), PUBLISHED)


@pytest.mark.parametrize(
    "published",
    [
        {},
        {"keys": {}},
        {"keys": []},
        {"keys": [None, 5, {"kty": "RSA"}]},
        {"keys": [{**KEY.public, "x": "A"}]},
    ],
)
def test_what_is_no_set_of_keys_verifies_nothing(published: dict[str, Any]) -> None:
    with pytest.raises(NoReceipt):
        verified(signed(CONTENT, [KEY]), published)


def test_keys_of_other_kinds_stand_beside_it() -> None:
    other = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert verified(signed(CONTENT, [KEY]), {"keys": [other, *PUBLISHED["keys"]]}) == CONTENT
