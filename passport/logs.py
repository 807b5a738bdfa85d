"""Logs without values: an exception's message may quote what was being read, so only its class is written.

https://docs.python.org/3/library/logging.html#filter-objects
"""

import logging
from typing import Final

SERVER: Final = "uvicorn.error"
DRIVER: Final = "psycopg"
OAUTH: Final = "authlib"
ASKING: Final = ("httpx", "httpcore")


class WithoutValues(logging.Filter):
    """Replaces a traceback by the names of its exception and of the function that raised it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record through, without what it could tell about a person."""
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = "failed: %s", (record.exc_info[0].__name__,)
            record.exc_info = record.exc_text = None
        return True


def keep_values_out() -> None:
    """Install the filter on the server's log, once."""
    log = logging.getLogger(SERVER)
    if not any(isinstance(known, WithoutValues) for known in log.filters):
        log.addFilter(WithoutValues())
    # What fails in a pipeline is raised there; the driver warns once more that the rest of it was not run.
    logging.getLogger(DRIVER).setLevel(logging.ERROR)
    # It would write each token that it issues, for whoever debugs.
    logging.getLogger(OAUTH).setLevel(logging.ERROR)
    # They would write where a provider is asked, and with what.
    for name in ASKING:
        logging.getLogger(name).setLevel(logging.WARNING)
