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

    def __init__(self) -> None:
        super().__init__(f"got another purpose of use, expected one of {', '.join(GRANTABLE)}", ("purpose",))


def grantable(code: object) -> str:
    """Return `code` if a token may be issued for it.

    Raises:
        UnknownPurpose: it is not on the list, or is BTG.
    """
    if not isinstance(code, str) or code not in GRANTABLE:
        raise UnknownPurpose
    return code


def all_grantable(codes: object) -> tuple[str, ...]:
    """Return a list of purposes that an operator allows, each once.

    Raises:
        UnknownPurpose: it is no list, it is empty, or one of them is not on the list.
    """
    if isinstance(codes, str) or not isinstance(codes, Iterable):
        raise UnknownPurpose
    listed = tuple(dict.fromkeys(map(grantable, codes)))
    if not listed:
        raise UnknownPurpose
    return listed
