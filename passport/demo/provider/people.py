"""The made-up people of the mock provider, and what it says of each.

https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from fhirstore import base64url


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the mock; `amr` and `acr` are what it says of how they proved who they are."""

    key: str
    name: str
    address: str
    birthdate: str
    gender: str
    amr: tuple[str, ...] = ("pin", "sc")
    acr: str | None = "aal3"

    def sub(self, client_id: str) -> str:
        """What a client is told that they are called: another name for each."""
        made = sha256(f"mock provider\n{client_id}\n{self.key}".encode()).digest()
        return base64url.encode(made)

    def claims(self, scopes: Iterable[str]) -> Mapping[str, Any]:
        """What it says of them by scope, as デジタル認証アプリ names scopes, or as OpenID Connect does."""
        asked = set(scopes)
        said: dict[str, Any] = {}
        if asked & {"name", "profile"}:
            said["name"] = self.name
        if asked & {"birthdate", "profile"}:
            said["birthdate"] = self.birthdate
        if asked & {"gender", "profile"}:
            said["gender"] = self.gender
        if "address" in asked:
            said["address"] = {"formatted": self.address}
        return said


PEOPLE: Final = (
    Person("hanako", "見本 花子（架空）", "架空県架空市見本町1丁目2番3号", "1958-04-12", "female"),
    Person("ichiro", "仮名 一郎（架空）", "架空県架空市仮名町4番地", "1949-11-03", "male"),
    Person(
        "midori",
        "例示 みどり（架空）",
        "架空県架空市例示台5番6号",
        "1987-07-21",
        "female",
        amr=("pwd",),
        acr=None,
    ),
)
"""Three, one of whom proves who she is by a password alone."""
