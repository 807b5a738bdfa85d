"""An application on a port of the loopback, behind the service's own protocol and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from passport.protocol import Protocol


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[int]:
    """Its port, as long as it is wanted."""
    config = uvicorn.Config(app, lifespan="off", http=Protocol, log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()
