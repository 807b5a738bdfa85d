"""Labelling again what an installation holds, from its command.

http://hl7.org/fhir/R4/security-labels.html
"""

import asyncio
from collections.abc import Callable

from passport.installation.parts import open_runtime
from passport.intake.relabelling import Count, relabel
from passport.settings import Settings


def relabel_all(settings: Settings, *, limit: int, again: bool, tell: Callable[[int, int], None]) -> Count:
    """Go over all records with the table of this release, `limit` in one transaction; returns how many there were.

    `settings` hold the address of a running database; `tell` hears after every batch how many records were looked at
    before it and with it.
    """
    return asyncio.run(_relabel_all(settings, limit, again, tell))


async def _relabel_all(
    settings: Settings, limit: int, again: bool, tell: Callable[[int, int], None]
) -> Count:
    count = Count()
    async with open_runtime(settings) as runtime:
        async for batch in relabel(runtime, limit=limit, again=again):
            tell(count.looked, count.looked + batch.looked)
            count += batch
    return count
