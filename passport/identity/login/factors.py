"""How well, and how lately, somebody proved who they are; and who has to have proved it how well.

https://www.rfc-editor.org/rfc/rfc9470
https://pages.nist.gov/800-63-4/sp800-63b.html#sec2
https://www.rfc-editor.org/rfc/rfc8176

A sign-in code alone is one factor. A passkey is two: the device, and by what it recognised its person. A provider says
by `amr` or `acr` what it saw.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from passport.identity.login.sessions import SignedIn
from passport.outcomes import InsufficientAuthentication
from passport.settings import Settings
from passport.subjects import Kind

TWO_FACTORS: Final = "https://refeds.org/profile/mfa"
"""What a sign-in with two factors is called (`acr`)."""

_SAY_TWO: Final = frozenset(
    {
        TWO_FACTORS,
        # OpenID Provider Authentication Policy Extension; OpenID Connect Extended Authentication Profile.
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
        "phr",
        "phrh",
    }
)

# RFC 8176, section 2: what somebody knows, has, is.
_FACTORS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("kba", "pin", "pwd"), "knows"),
    **dict.fromkeys(("hwk", "otp", "pop", "sc", "sms", "swk", "tel"), "has"),
    **dict.fromkeys(("face", "fpt", "iris", "retina", "vbm"), "is"),
}


def two_by(amr: Iterable[str], acr: str | None) -> bool:
    """Whether a provider says of a sign-in that it saw two factors of different kinds."""
    told = frozenset(amr)
    kinds = {_FACTORS[each] for each in told & _FACTORS.keys()}
    return acr in _SAY_TWO or "mfa" in told or len(kinds) > 1


def needs_second(settings: Settings, kind: Kind) -> bool:
    """Whether somebody of this kind gets nowhere by one factor."""
    return kind in settings.second_factor_kinds


def lacks_second(settings: Settings, person: SignedIn) -> bool:
    """Whether somebody who needs a second factor has shown one alone."""
    return person.second_factor_at is None and needs_second(settings, person.kind)


def require_second(settings: Settings, person: SignedIn) -> None:
    """Let somebody go on who has shown a second factor, or needs none.

    Raises:
        InsufficientAuthentication: they have shown one alone.
    """
    if lacks_second(settings, person):
        raise one_factor()


def one_factor() -> InsufficientAuthentication:
    """What is answered to somebody who has to show a second factor."""
    return InsufficientAuthentication(
        "expected a sign-in with two factors, such as by a passkey at a browser", acr=TWO_FACTORS
    )


def require_fresh(settings: Settings, person: SignedIn, *, now: datetime) -> None:
    """Let somebody go on who proved lately who they are.

    Raises:
        InsufficientAuthentication: it is too long ago.
    """
    if not person.fresh(now, settings.step_up):
        raise stale(settings)


def stale(settings: Settings) -> InsufficientAuthentication:
    """What is answered to somebody who has to prove anew who they are."""
    minutes = int(settings.step_up.total_seconds()) // 60
    return InsufficientAuthentication(
        f"expected somebody who signed in within the last {minutes} minutes", max_age=settings.step_up
    )
