"""An assertion counts if a registered key signed it for this endpoint, for five minutes at most."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jws import JWSRegistry

from passport.identity import assertion
from passport.outcomes import Invalid
from tests.unit.passport.identity.assertions import (
    AUDIENCE,
    Signer,
    eddsa,
    encoded,
    es256,
    es384,
    hmac_with,
    rs384,
)

NOW = datetime(2031, 4, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return es384()


def registered(*signers: Signer) -> list[dict[str, str]]:
    return assertion.registered_keys({"keys": [signer.jwk for signer in signers]})


def believed(text: str, *signers: Signer) -> bool:
    presented = assertion.read(text)
    return assertion.verified(presented, registered(*signers)) and (
        assertion.spent_until(presented, audience=AUDIENCE, now=NOW) is not None
    )


@pytest.mark.parametrize("make", [es384, rs384, es256, eddsa])
def test_each_registered_kind_of_key_signs(make: Callable[[], Signer]) -> None:
    mine, other = make(), es384()
    text = mine.assertion("hoshimi", NOW)
    assert assertion.read(text).client_id == "hoshimi"
    assert believed(text, other, mine)
    assert not believed(text, other)


def test_a_signature_by_another_key_under_the_same_kid_is_refused(signer: Signer) -> None:
    forger = Signer("ES384", es384().key, kid=signer.kid)
    assert not believed(forger.assertion("hoshimi", NOW), signer)


@pytest.mark.parametrize("missing", ["kid", "x", "y"])
def test_a_key_that_lacks_a_member_is_refused_by_its_name_and_place(missing: str) -> None:
    key = {name: value for name, value in es384().jwk.items() if name != missing}
    with pytest.raises(Invalid, match=f"`{missing}`") as refused:
        assertion.registered_keys({"keys": [es384().jwk, key]})
    assert refused.value.expression == (f"jwks.keys[1].{missing}",)


def test_a_changed_claim_breaks_the_signature(signer: Signer) -> None:
    head, _, signature = signer.assertion("hoshimi", NOW).split(".")
    forged = encoded(json.dumps(signer.claims("another", NOW)).encode())
    assert not believed(f"{head}.{forged}.{signature}", signer)


def test_an_algorithm_that_is_not_the_keys_own_is_refused(signer: Signer) -> None:
    claims = signer.claims("hoshimi", NOW)
    for algorithm in ("none", "HS256", "ES256", "RS384", "ES512", "", None, 5):
        assert not believed(signer.sign(claims, alg=algorithm), signer)


def test_a_public_key_is_no_shared_secret(signer: Signer) -> None:
    assert not believed(hmac_with(signer.jwk, signer.claims("hoshimi", NOW), signer.kid), signer)


def test_an_unsigned_assertion_is_refused(signer: Signer) -> None:
    head, claims, _ = signer.sign(signer.claims("hoshimi", NOW), alg="none").split(".")
    assert not believed(f"{head}.{claims}.", signer)


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": {"kty": "EC"}},
        {"jku": "https://keys.example/jwks"},
        {"x5c": []},
        {"x5u": "https://keys.example/x"},
        {"crit": ["exp"]},
        {"typ": "at+jwt"},
        {"kid": None},
        {"kid": 5},
        {"kid": "../../dev/null"},
    ],
)
def test_a_header_that_brings_its_own_trust_is_refused(signer: Signer, header: dict[str, Any]) -> None:
    assert not believed(signer.sign(signer.claims("hoshimi", NOW), **header), signer)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": NOW.timestamp() + 3600},
        {"exp": int(NOW.timestamp()) + 311},
        {"exp": int(NOW.timestamp())},
        {"exp": 10**18},
        {"iat": int(NOW.timestamp()) + 60},
        {"nbf": int(NOW.timestamp()) + 60},
        {"iat": "now"},
        {"aud": None},
        {"aud": "http://passport.test/"},
        {"aud": ["http://passport.test/fhir"]},
        {"aud": {"url": AUDIENCE}},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
    ],
)
def test_a_claim_that_does_not_hold_is_refused(signer: Signer, changes: dict[str, Any]) -> None:
    assert not believed(signer.assertion("hoshimi", NOW, **changes), signer)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["http://passport.test/fhir", AUDIENCE]},
        {"exp": int(NOW.timestamp()) + 300},
        {"exp": NOW.timestamp() + 12.5},
        {"iat": int(NOW.timestamp()) + 9},
        {"iat": None},
        {"nbf": int(NOW.timestamp()) - 60},
    ],
)
def test_what_the_specification_allows_is_accepted(signer: Signer, changes: dict[str, Any]) -> None:
    assert believed(signer.assertion("hoshimi", NOW, **changes), signer)


def test_an_issuer_that_is_not_the_subject_is_nobody(signer: Signer) -> None:
    assert assertion.read(signer.assertion("hoshimi", NOW, sub="another")).client_id == ""
    assert assertion.read(signer.assertion("hoshimi", NOW, iss=None)).client_id == ""


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c.d", "é.é.é", "e30.e30.", "W10.e30.AA", "x" * 100_000]
)
def test_what_is_no_assertion_is_nobodys(text: str) -> None:
    assert assertion.read(text) is assertion.NOTHING
    assert not assertion.verified(assertion.NOTHING, [])


def test_a_repeated_claim_is_no_claim(signer: Signer) -> None:
    head, _, signature = signer.assertion("hoshimi", NOW).split(".")
    claims = encoded(b'{"iss":"hoshimi","sub":"hoshimi","iss":"hoshimi"}')
    assert assertion.read(f"{head}.{claims}.{signature}") is assertion.NOTHING


def test_the_id_is_remembered_until_the_assertion_ends(signer: Signer) -> None:
    presented = assertion.read(signer.assertion("hoshimi", NOW))
    until = assertion.spent_until(presented, audience=AUDIENCE, now=NOW)
    assert until == NOW + timedelta(seconds=240)


def test_an_unknown_client_costs_a_verification(monkeypatch: pytest.MonkeyPatch, signer: Signer) -> None:
    done: list[str] = []
    algorithm = JWSRegistry.algorithms["ES384"]
    genuine = algorithm.verify

    def counted(msg: bytes, sig: bytes, key: Any) -> bool:
        done.append(key.thumbprint())
        return genuine(msg, sig, key)

    monkeypatch.setattr(algorithm, "verify", counted)
    text = signer.assertion("hoshimi", NOW)
    assert assertion.verified(assertion.read(text), registered(signer))
    assert not assertion.verified(assertion.read(text), [])
    assert not assertion.verified(assertion.read("nonsense"), [])
    assert len(done) == 3


def test_only_public_members_are_registered(signer: Signer) -> None:
    (key,) = assertion.registered_keys({"keys": [{**signer.jwk, "use": "sig", "x5c": ["AA"], "note": "x"}]})
    assert key.keys() == {"kty", "crv", "x", "y", "kid"}


def test_two_keys_of_one_kid_are_refused(signer: Signer) -> None:
    with pytest.raises(Invalid, match="one `kid` for several"):
        registered(signer, Signer("ES256", es256().key, kid=signer.kid))


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AA"},
        {"kid": ""},
        {"kid": None},
        {"crv": "P-521"},
        {"crv": "secp256k1"},
        {"kty": "oct", "k": "AA"},
        {"kty": ["EC"], "crv": {}},
        {"kty": {}},
        {"crv": ["P-384"]},
        {"x": "AA"},
        {"x": 5},
        {"alg": "ES256"},
        {"use": "enc"},
    ],
)
def test_a_key_that_cannot_be_registered_is_refused(signer: Signer, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        assertion.registered_keys({"keys": [{**signer.jwk, **change}]})


@pytest.mark.parametrize("jwks", [None, {}, [], {"keys": []}, {"keys": "x"}, {"keys": [None]}])
def test_what_is_no_key_set_is_refused(jwks: object) -> None:
    with pytest.raises(Invalid):
        assertion.registered_keys(jwks)


def test_too_many_keys_are_refused(signer: Signer) -> None:
    keys = [{**signer.jwk, "kid": str(at)} for at in range(assertion.KEYS_MAX + 1)]
    with pytest.raises(Invalid):
        assertion.registered_keys({"keys": keys})


@pytest.mark.parametrize("length", [128, 1024])
def test_an_rsa_key_of_another_size_is_refused(length: int) -> None:
    key = {"kty": "RSA", "kid": "1", "n": encoded(b"\xff" * length), "e": "AQAB"}
    with pytest.raises(Invalid, match="RSA key of another size"):
        assertion.registered_keys({"keys": [key]})
