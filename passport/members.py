"""Which members the JSON of a request has: what nobody reads is refused, and what is missing is named.

https://www.rfc-editor.org/rfc/rfc8259#section-4
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from passport.outcomes import Invalid

_SHOWN_CHARACTERS: Final = 64


def check_members(tree: Mapping[str, Any], known: Collection[str], required: Collection[str] = ()) -> None:
    """Refuse what is not looked at: a wish that nobody reads must not pass for one that was granted.

    Args:
        tree: the JSON object.
        known: what it may have, beside what it must.
        required: what it must have.

    Raises:
        Invalid: there are other members, or one is missing; each is named.
    """
    expected = {*known, *required}
    if others := tree.keys() - expected:
        shown = min(others)[:_SHOWN_CHARACTERS]
        raise Invalid(f"got `{shown}`, expected no more than {', '.join(sorted(expected))}", (shown,))
    if missing := set(required) - tree.keys():
        names = sorted(missing)
        told = ", ".join(f"`{name}`" for name in names)
        optional = ", ".join(sorted(expected.difference(required)))
        beside = f", and there may be {optional}" if optional else ""
        raise Invalid(f"got no {told}, expected {', '.join(sorted(required))}{beside}", tuple(names))
