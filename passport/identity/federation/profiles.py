"""What is known of each kind of provider, as data.

https://openid.net/specs/openid-connect-core-1_0.html
https://developers.digital.go.jp/documents/auth-and-sign/authserver-gov

All of them sign people in by the code flow with `state`, `nonce` and S256; what differs stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

People = Literal["residents", "clinicians"]
AuthMethod = Literal["private_key_jwt", "client_secret_basic"]

ATTRIBUTES: Final = ("name", "address", "birthdate", "gender")
"""What a provider may say of a person, and nothing beside it."""

ALGORITHMS: Final = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA"})
"""By which ID tokens are signed; neither none nor one whose key two sides know."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of provider.

    `scopes` is what is asked for, `attributes` what of it the person may take over, `acr_values` how the person is to
    prove who they are, `people` whom such a provider may sign in, `auth_methods` how the passport proves itself there.
    """

    name: str
    scopes: tuple[str, ...]
    people: People
    attributes: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    auth_methods: frozenset[AuthMethod] = frozenset({"private_key_jwt", "client_secret_basic"})
    algorithms: frozenset[str] = ALGORITHMS


DIGITAL_AGENCY: Final = Profile(
    name="digital-agency",
    scopes=("openid", "name", "address", "birthdate", "gender"),
    people="residents",
    attributes=ATTRIBUTES,
    acr_values=("aal3",),
    auth_methods=frozenset({"private_key_jwt"}),
)
"""デジタル認証アプリ: the card and its PIN."""

XID: Final = Profile(name="xid", scopes=("openid",), people="residents")
"""xID; what it says of a person beside their name there is asked for by interfaces of its own, and not here."""

CITY_PORTAL: Final = Profile(
    name="city-portal",
    scopes=("openid", "profile", "address"),
    people="residents",
    attributes=ATTRIBUTES,
)

HOSPITAL: Final = Profile(name="hospital", scopes=("openid",), people="clinicians")
"""A hospital's own sign-in, whatever product it is."""

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {each.name: each for each in (DIGITAL_AGENCY, XID, CITY_PORTAL, HOSPITAL)}
)
