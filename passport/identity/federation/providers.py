"""Providers: where people may sign in elsewhere, and what an operator has to say of one.

https://openid.net/specs/openid-connect-registration-1_0.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from passport.identity.federation import addresses
from passport.identity.federation.profiles import PROFILES, AuthMethod, People, Profile
from passport.members import check_members
from passport.outcomes import Invalid
from passport.settings import Settings
from passport.subjects import Kind

PROVIDER_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_MAX_CHARACTERS: Final = 128
TEXT_MAX_CHARACTERS: Final = 255
TWO_FACTORS_MAX: Final = 8

KINDS: Final[Mapping[People, tuple[Kind, ...]]] = {
    "residents": ("patient", "proxy"),
    "clinicians": ("practitioner",),
}
"""Whom a provider may sign in: a hospital no resident, and no provider anybody of the city."""

_MEMBERS: Final = frozenset(
    {
        "name",
        "profile",
        "issuer",
        "client_id",
        "token_endpoint_auth_method",
        "key_file",
        "organization",
        "hosts",
        "two_factors",
    }
)
_ORGANIZATION: Final = re.compile(r"Organization/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is registered; `document` and `keys` are what it published, and when."""

    provider_id: str
    name: str
    profile: Profile
    issuer: str
    client_id: str
    auth_method: AuthMethod
    key_file: str
    organization: str | None
    hosts: tuple[str, ...]
    two_factors: tuple[str, ...]
    state: str = "waiting"
    asked_by: str = ""
    approved_by: str | None = None
    document: Mapping[str, Any] | None = None
    document_at: datetime | None = None
    keys: Mapping[str, Any] | None = None

    @property
    def asked_hosts(self) -> tuple[str, ...]:
        """Every host at which it may be asked."""
        return addresses.host_of(self.issuer), *self.hosts

    @property
    def method(self) -> str:
        """What a browser session that was begun by it says of how its person was recognised."""
        return method_of(self.provider_id)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Whom it may sign in."""
        return KINDS[self.profile.people]

    @property
    def digest(self) -> str:
        """What is proposed of it, by its content: whoever approves names what they read by this."""
        proposed = {
            "id": self.provider_id,
            "name": self.name,
            "profile": self.profile.name,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "auth_method": self.auth_method,
            "key_file": self.key_file,
            "organization": self.organization,
            "hosts": self.hosts,
            "two_factors": self.two_factors,
            "asked_by": self.asked_by,
        }
        return sha256(orjson.dumps(proposed, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def shown(self) -> dict[str, object]:
        """What everybody is told of it."""
        return {
            "id": self.provider_id,
            "name": self.name,
            "people": self.profile.people,
            "start": f"/auth/federation/{self.provider_id}/start",
        }

    @property
    def answer(self) -> dict[str, object]:
        """The registration as an operator reads it."""
        return {
            "id": self.provider_id,
            "name": self.name,
            "profile": self.profile.name,
            "people": self.profile.people,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "token_endpoint_auth_method": self.auth_method,
            "key_file": self.key_file,
            "organization": self.organization,
            "hosts": list(self.hosts),
            "two_factors": list(self.two_factors),
            "state": self.state,
            "asked_by": self.asked_by,
            "approved_by": self.approved_by,
            **({"proposal": self.digest} if self.state == "waiting" else {}),
        }


def redirect_uri(settings: Settings, provider_id: str) -> str:
    """Where a provider sends people back to: an address of its own for each, so that none answers for another."""
    return f"{settings.base_url}/auth/federation/{provider_id}/back"


def method_of(provider_id: str) -> str:
    """How a browser session names that it began by a provider."""
    return f"federation:{provider_id}"


def provider_of(provider_id: str, tree: Mapping[str, Any], *, loopback: bool) -> Provider:
    """Read what an operator registers as the provider named `provider_id`.

    Raises:
        Invalid: an unfit id, a missing or unknown member, or one that does not go with the others.
    """
    if not PROVIDER_ID.fullmatch(provider_id):
        raise Invalid("got an unfit provider id, expected small letters, digits and `-`, at most 32")
    check_members(tree, _MEMBERS)
    profile = _profile(tree.get("profile"))
    key_file = _text(tree, "key_file")
    if not FILE_NAME.fullmatch(key_file):
        raise Invalid(
            "got an unfit name in `key_file`, expected that of a file, without a folder", ("key_file",)
        )
    return Provider(
        provider_id=provider_id,
        name=_text(tree, "name", NAME_MAX_CHARACTERS),
        profile=profile,
        issuer=addresses.issuer_of(tree.get("issuer"), loopback=loopback),
        client_id=_text(tree, "client_id"),
        auth_method=_auth_method(tree.get("token_endpoint_auth_method", "private_key_jwt"), profile),
        key_file=key_file,
        organization=_organization(tree.get("organization"), profile),
        hosts=addresses.hosts_of(tree.get("hosts", [])),
        two_factors=_two_factors(tree.get("two_factors", [])),
    )


def _profile(name: object) -> Profile:
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None:
        raise Invalid(f"got another profile, expected one of {', '.join(PROFILES)}", ("profile",))
    return profile


def _text(tree: Mapping[str, Any], name: str, most: int = TEXT_MAX_CHARACTERS) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= most or not value.isprintable():
        raise Invalid(f"got no text of 1 to {most} characters in `{name}`", (name,))
    return value.strip()


def _auth_method(method: object, profile: Profile) -> AuthMethod:
    for taken in profile.auth_methods:
        if method == taken:
            return taken
    expected = ", ".join(sorted(profile.auth_methods))
    text = f"got another `token_endpoint_auth_method`, expected {expected}"
    raise Invalid(text, ("token_endpoint_auth_method",))


def _organization(reference: object, profile: Profile) -> str | None:
    if profile.people == "residents":
        if reference is not None:
            raise Invalid("got `organization` of a provider for residents", ("organization",))
        return None
    if not isinstance(reference, str) or not _ORGANIZATION.fullmatch(reference):
        raise Invalid("got no reference to the Organization whose clinicians these are", ("organization",))
    return reference


def _two_factors(listed: object) -> tuple[str, ...]:
    if (
        not isinstance(listed, list)
        or len(listed) > TWO_FACTORS_MAX
        or not all(isinstance(each, str) and 0 < len(each) <= TEXT_MAX_CHARACTERS for each in listed)
    ):
        raise Invalid("got no list of values of `acr` in `two_factors`", ("two_factors",))
    return tuple(dict.fromkeys(listed))
