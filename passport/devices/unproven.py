"""Messages that no device signed: of nobody, noted beside the device that they name, and bounded.

https://owasp.org/www-project-application-security-verification-standard/

Whoever sends bytes to a device's address is not the device, so the log of its person names nobody. One row in a
minute says that there were some: nobody fills another one's log. A message that its device signed is taken whatever
failed at its network address.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import uuid4

from fhirstore.tables import NOBODY
from passport.admission import Request
from passport.audit.record import AuditRow, record
from passport.devices.errors import Unverified
from passport.identity.pace.limits import Limit, require, within
from passport.patients.store import HOLDERS
from passport.runtime import Runtime
from passport.sql import fetch

FAILURES_MAX: Final = 10
"""Such messages from one network address within the window; then it is told to wait."""

WINDOW: Final = timedelta(minutes=1)

_FAILURES: Final = Limit("device messages that nobody signed", FAILURES_MAX, WINDOW)
_NOTED: Final = Limit("log of device messages that nobody signed", 1, WINDOW)
"""Of one device: a counter that others fill, by which no answer changes."""


@asynccontextmanager
async def noted(runtime: Runtime, request: Request, *, address: str) -> AsyncIterator[None]:
    """Let the block take a message about a device; one that nobody signed is noted when it was undone.

    Args:
        runtime: the running service.
        request: what is asked about the device.
        address: the network address that the message came from.

    Raises:
        Unverified: nobody signed it.
        TooMany: nobody signed it, as others from this address before.
    """
    try:
        yield
    except Unverified as refusal:
        await _note(runtime, request, refusal, address)
        raise


async def _note(runtime: Runtime, request: Request, refusal: Unverified, address: str) -> None:
    """Cost the same whether there is such a device or not.

    Raises:
        TooMany: the address sent too many lately.
    """
    now, device = runtime.clock(), request.about or ""
    keys = [runtime.keys.reference(device)]
    async with runtime.pool.connection() as connection, connection.transaction():
        await require(runtime, connection, _FAILURES, address, now=now)
        if not await within(runtime, connection, _NOTED, device, now=now):
            return
        held = await fetch(connection, HOLDERS, {"record_keys": keys})
        row = AuditRow(
            patient_key=held[0].patient_key if held else NOBODY,
            audit_id=uuid4(),
            recorded=now,
            action=request.verb,
            kind="",
            outcome=refusal.outcome,
            query=request.query,
            detail=refusal.code,
        )
        await record(connection, [row])
