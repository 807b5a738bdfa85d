"""The two profiles of clients, as data: the standards disagree, so a client follows one of them whole.

https://hl7.org/fhir/smart-app-launch/STU2.2/
https://openid.net/specs/fapi-security-profile-2_0-final.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]

CODE: Final[GrantType] = "authorization_code"
REFRESH: Final[GrantType] = "refresh_token"
CREDENTIALS: Final[GrantType] = "client_credentials"
DEVICE: Final[GrantType] = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628, section 3.4
EXCHANGE: Final[GrantType] = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693, section 2.1

IdTokenAlgorithm = Literal["RS256", "PS256", "ES256"]

KeyKind = tuple[object, object]
"""`kty` and `crv` of a key."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client of this profile may do, and has to.

    `algorithms` is the one algorithm of each kind of key; `audience` what an assertion has to be meant for;
    `constrained` whether each token is bound to a key of the client's; `pushed` whether what is asked for is sent
    beforehand (PAR); `rotates` whether a refresh token is good once; `public` whether a client may be without a key;
    `id_token_algorithms` by what its ID tokens may be signed, the first unless its registration says otherwise.
    """

    name: str
    algorithms: Mapping[KeyKind, str]
    audience: Literal["token endpoint", "issuer"]
    constrained: bool
    pushed: bool
    rotates: bool
    public: bool
    loopback: bool
    grant_types: frozenset[GrantType]
    id_token_algorithms: tuple[IdTokenAlgorithm, ...]


SMART: Final = Profile(
    name="smart",
    algorithms=MappingProxyType(
        {
            ("EC", "P-384"): "ES384",
            ("RSA", None): "RS384",
            ("EC", "P-256"): "ES256",
            ("OKP", "Ed25519"): "EdDSA",
        }
    ),
    audience="token endpoint",
    constrained=False,
    pushed=False,
    rotates=True,
    public=True,
    loopback=True,
    grant_types=frozenset({CODE, REFRESH, CREDENTIALS, DEVICE, EXCHANGE}),
    # SMART App Launch 2.2, scopes-and-launch-context: servers sign by RS256 at least.
    id_token_algorithms=("RS256", "ES256"),
)

FAPI2: Final = Profile(
    name="fapi2",
    algorithms=MappingProxyType(
        {("RSA", None): "PS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
    ),
    audience="issuer",
    constrained=True,
    pushed=True,
    rotates=False,
    public=False,
    loopback=False,
    grant_types=frozenset({CODE, REFRESH, CREDENTIALS, EXCHANGE}),
    # FAPI 2.0, section 5.4: RS256 is none of its algorithms.
    id_token_algorithms=("ES256", "PS256"),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({each.name: each for each in (SMART, FAPI2)})
