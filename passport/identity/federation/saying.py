"""What a provider says of a person beside who they are there: name, address, birth date, gender, and nothing else.

https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from passport.identity.federation.my_number import holds_one
from passport.identity.federation.profiles import ATTRIBUTES

TEXT_MAX_CHARACTERS: Final = 256
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_GENDERS: Final = frozenset({"male", "female"})


def said_of(claims: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """The attributes of these names that somebody may take over; what has the shape of a My Number is left out."""
    read = {"name": _name, "address": _address, "birthdate": _birth_date, "gender": _gender}
    found = {name: read[name](claims) for name in ATTRIBUTES if name in names}
    return {name: text for name, text in found.items() if text is not None and not holds_one(text)}


def _name(claims: Mapping[str, Any]) -> str | None:
    return _text(claims.get("name"))


def _address(claims: Mapping[str, Any]) -> str | None:
    """An address as one text: OpenID Connect Core, section 5.1.1, or as the card has it."""
    value = claims.get("address")
    return _text(value.get("formatted") if isinstance(value, Mapping) else value)


def _birth_date(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("birthdate")
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _gender(claims: Mapping[str, Any]) -> str | None:
    """As FHIR calls it, of which a provider may say two values alone."""
    value = claims.get("gender")
    return value if isinstance(value, str) and value in _GENDERS else None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    text = " ".join(value.split())
    return text if 0 < len(text) <= TEXT_MAX_CHARACTERS and text.isprintable() else None
