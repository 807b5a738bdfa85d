"""Purposes of use: asked for when a token is issued, fixed in it, from a closed list.

https://profiles.ihe.net/ITI/IUA/
http://terminology.hl7.org/CodeSystem/v3-ActReason
"""

from collections.abc import Iterable
from typing import Final

from consent.model import Purpose
from passport.outcomes import Invalid

EMERGENCY: Final = Purpose.BTG.value

GRANTABLE: Final = tuple(purpose.value for purpose in Purpose if purpose is not Purpose.BTG)
"""What a token may be issued for. BTG has one way in, which names a patient and a reason."""


class UnknownPurpose(Invalid):
    """The purpose is not one that a token is issued for."""

    def __init__(self, member: str, *, missing: bool = False) -> None:
        got = "no purpose of use" if missing else "another purpose of use"
        super().__init__(f"got {got}, expected one of {', '.join(GRANTABLE)}", (member,))


def grantable(code: object) -> str:
    """Return `code` if a token may be issued for it.

    Raises:
        UnknownPurpose: it is not on the list, or is BTG.
    """
    return _checked(code, "purpose")


def all_grantable(codes: object) -> tuple[str, ...]:
    """Return a list of purposes that an operator allows, each once.

    Raises:
        UnknownPurpose: it is no list, it is empty, or one of them is not on the list.
    """
    if isinstance(codes, str) or not isinstance(codes, Iterable):
        raise UnknownPurpose("purposes", missing=codes is None)
    listed = tuple(dict.fromkeys(_checked(code, "purposes") for code in codes))
    if not listed:
        raise UnknownPurpose("purposes", missing=True)
    return listed


def _checked(code: object, member: str) -> str:
    if not isinstance(code, str) or code not in GRANTABLE:
        raise UnknownPurpose(member, missing=code is None)
    return code
