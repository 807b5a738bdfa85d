"""Tokens handed to whoever holds the folder of a demo, and to nobody in production.

https://www.rfc-editor.org/rfc/rfc6750
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from passport.identity.installation import DEMO_LIFETIME, issue_for
from passport.installation.parts import open_runtime
from passport.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token to act as `reference`, good for as long as the demo's personas unless another lifetime is wanted."""

    reference: str
    purpose: str
    scope: str = ""
    lifetime: timedelta = DEMO_LIFETIME


def hand_out(settings: Settings, wanted: Sequence[Wanted]) -> list[str]:
    """The text of a token for each, in their order; `settings` hold the address of a running database.

    Raises:
        PassportError: one of them cannot be had; the message says why.
    """
    return asyncio.run(_hand_out(settings, wanted))


async def _hand_out(settings: Settings, wanted: Sequence[Wanted]) -> list[str]:
    async with open_runtime(settings) as runtime:
        issued = [
            await issue_for(
                runtime, each.reference, purpose=each.purpose, scope=each.scope, lifetime=each.lifetime
            )
            for each in wanted
        ]
    return [each.text for each in issued]
