"""The dictionaries of this process: those of the database, and a way to one that it does not hold yet.

https://www.rfc-editor.org/rfc/rfc8878#name-dictionary-format
"""

from functools import partial

from fhirstore.trained.store import keep_trained, look_up
from passport.records import BODIES
from passport.runtime import Runtime


async def open_dictionaries(runtime: Runtime) -> None:
    """Bring the product's dictionaries into the database, and learn all that are there.

    Only what the database holds is written with, so that every process can read it.
    """
    async with runtime.pool.connection() as connection:
        held = await keep_trained(connection, runtime.clock())
    BODIES.learn(held)
    BODIES.ask(partial(look_up, runtime.settings.database_url))
