"""A running process takes over the keys of its key file that turn over, and no other secret of it.

https://openid.net/specs/openid-connect-core-1_0-final.html#RotateSigKeys
"""

import logging
from asyncio import sleep
from dataclasses import replace
from typing import Any, Final

from passport.keys import KeyFileUnusable, KeyRing
from passport.runtime import Runtime

LOOKED_EVERY_SECONDS: Final = 15

_LOG: Final = logging.getLogger(__name__)


def reread(runtime: Runtime) -> Runtime:
    """The same process with the signing keys, and those of the device CA, that the key file holds now.

    A file that cannot be read, or that holds the secrets of another installation, changes nothing.
    """
    known = runtime.ring
    try:
        found = KeyRing.load(runtime.settings.key_file)
    except KeyFileUnusable as error:
        _LOG.error("signing keys stay as they were: %s", type(error).__name__)
        return runtime
    taken = replace(
        known,
        signing_keys=found.signing_keys,
        id_token_keys=found.id_token_keys,
        device_authorities=found.device_authorities,
    )
    return runtime if found == known or found != taken else replace(runtime, ring=taken)


async def keep_signing_keys(state: Any) -> None:
    """Look at the key file now and then as long as the process serves; `state` holds its runtime."""
    while True:
        await sleep(LOOKED_EVERY_SECONDS)
        state.runtime = reread(state.runtime)
