"""The runtime of a command: what the service's own functions need, for as long as one command takes.

https://docs.python.org/3/library/contextlib.html#contextlib.asynccontextmanager
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhirstore.keys import KeyMaker
from passport.audit.rules import written_down
from passport.database import open_pool
from passport.dictionaries import open_dictionaries
from passport.keys import KeyRing
from passport.runtime import Runtime, utc_now
from passport.settings import Settings


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """A runtime on one connection; `settings` hold the address of a running database."""
    ring, url = KeyRing.load(settings.key_file), settings.database_url
    rules = await written_down(url, settings, utc_now())
    async with open_pool(url, size=1, rules=rules) as pool:
        runtime = Runtime(settings, pool, ring, KeyMaker(ring.index_secret))
        await open_dictionaries(runtime)
        yield runtime
