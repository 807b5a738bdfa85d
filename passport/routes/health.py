"""Whether the process lives, and whether it can serve: for those who restart it and those who route to it.

https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

import orjson
import psycopg
from fastapi import APIRouter, Request, Response
from psycopg_pool import PoolTimeout

from passport.health.readiness import require_ready
from passport.outcomes import Unavailable
from passport.routes.messages import runtime_of

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> Response:
    """The process answers; nothing else is asked."""
    return _status("alive", 200)


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """The database answers and is migrated; 503 otherwise. It is ready too while records wait for new labels."""
    try:
        waits = await require_ready(runtime_of(request))
    except (psycopg.Error, PoolTimeout, Unavailable):
        return _status("unavailable", 503)
    return _status("ready", 200, **({"labels": "waiting"} if waits else {}))


def _status(status: str, code: int, **more: str) -> Response:
    body = orjson.dumps({"status": status, **more})
    return Response(body, code, headers={"Cache-Control": "no-store"}, media_type="application/json")
