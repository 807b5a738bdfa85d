"""The only part of the demo that is not HTTP: a demo hands tokens to whoever holds its folder.

https://www.rfc-editor.org/rfc/rfc6750
"""

from collections.abc import Sequence

from passport.installation.tokens import Wanted, hand_out
from passport.settings import Settings


def tokens(settings: Settings, principals: Sequence[tuple[str, str]]) -> list[str]:
    """A token, good for two hours, for each (reference, purpose of use).

    Raises:
        PassportError: one of them cannot have a token.
    """
    return hand_out(settings, [Wanted(reference, purpose) for reference, purpose in principals])
