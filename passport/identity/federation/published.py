"""What a provider publishes of itself: its addresses and its keys, checked before they are believed.

https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
https://www.rfc-editor.org/rfc/rfc7517
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError

from passport.identity.assertion import PUBLIC_MEMBERS, RSA_BITS, SECRET_MEMBERS, PublicKey, bits, imported
from passport.identity.federation.addresses import is_fit
from passport.identity.federation.errors import ProviderSilent

KEYS_MAX: Final = 32

_OF_KIND: Final[Mapping[tuple[object, object], frozenset[str]]] = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""By which algorithms a key signs: an ID token by any other is not by it."""


@dataclass(frozen=True, slots=True)
class Document:
    """Where a provider is asked; `names_itself` says that its answers bear `iss`."""

    authorization: str
    token: str
    keys: str
    user_info: str | None
    names_itself: bool
    assertion_algorithms: frozenset[str]


_MEMBERS: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported",
    "token_endpoint_auth_signing_alg_values_supported",
)


def kept(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a provider's document: the members that are asked for."""
    named = {name: tree[name] for name in _MEMBERS if name in tree}
    return {
        name: [each for each in value if isinstance(each, str)] if isinstance(value, list) else value
        for name, value in named.items()
        if isinstance(value, str | bool | list)
    }


def document_of(tree: Mapping[str, Any], issuer: str, hosts: Sequence[str], *, loopback: bool) -> Document:
    """Read a provider's document.

    Raises:
        ProviderSilent: it is another issuer's, lacks an address or has one elsewhere, or takes no S256.
    """
    if tree.get("issuer") != issuer:
        raise ProviderSilent("the provider's document is not that of its issuer")
    named = [tree.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    user_info = tree.get("userinfo_endpoint")
    for address in (*named, *([] if user_info is None else [user_info])):
        if not is_fit(address, hosts, loopback=loopback):
            raise ProviderSilent("the provider's document has an address at a host that nobody named")
    methods = tree.get("code_challenge_methods_supported")
    if methods is not None and not _lists(methods, "S256"):
        raise ProviderSilent("the provider takes no S256")
    signing = tree.get("token_endpoint_auth_signing_alg_values_supported")
    authorization, token, keys = map(str, named)
    return Document(
        authorization=authorization,
        token=token,
        keys=keys,
        user_info=user_info,
        names_itself=tree.get("authorization_response_iss_parameter_supported") is True,
        assertion_algorithms=frozenset(each for each in signing if isinstance(each, str))
        if isinstance(signing, list)
        else frozenset(),
    )


def keys_of(tree: Mapping[str, Any]) -> list[dict[str, str]]:
    """The public keys of a set by which signatures may be verified; what is no such key is left out.

    Raises:
        ProviderSilent: there is none, or too many.
    """
    listed = tree.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise ProviderSilent("the provider publishes no keys")
    found = [key for key in map(_public, listed) if key is not None]
    if not found:
        raise ProviderSilent("the provider publishes no key of a kind that is taken")
    return found


def key_for(keys: Sequence[Mapping[str, str]], kid: str | None, algorithm: str) -> PublicKey | None:
    """The one key under which a token says that it is signed, None where there is none, or no one of them alone."""
    fit = [
        key
        for key in keys
        if (kid is None or key.get("kid") == kid)
        and algorithm in _OF_KIND[key["kty"], key.get("crv")]
        and key.get("alg", algorithm) == algorithm
    ]
    return imported(fit[0]) if len(fit) == 1 else None


def _public(key: object) -> dict[str, str] | None:
    if not isinstance(key, Mapping) or SECRET_MEMBERS & key.keys() or key.get("use", "sig") != "sig":
        return None
    kind = key.get("kty"), key.get("crv")
    if not all(part is None or isinstance(part, str) for part in kind) or kind not in _OF_KIND:
        return None
    names = PUBLIC_MEMBERS[key["kty"]]
    if not all(isinstance(key.get(name), str) for name in names):
        return None
    members = {name: key[name] for name in (*names, "kid", "alg") if isinstance(key.get(name), str)}
    try:
        if "n" in members and bits(members["n"]) not in RSA_BITS:
            return None
        imported(members)
    except (JoseError, ValueError):
        return None
    return members


def _lists(value: object, expected: str) -> bool:
    return isinstance(value, list) and expected in value
