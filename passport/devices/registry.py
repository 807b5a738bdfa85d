"""Reading and writing the registry of device models.

http://hl7.org/fhir/R4/device-definitions.html#Device.modelNumber
"""

from typing import Any, Final

from consent.model import Action
from fhirstore.parse import Limits, parse
from fhirstore.tables import NOBODY
from passport.admission import Request, admitted
from passport.audit.query import recorded
from passport.devices import store
from passport.devices.models import DeviceModel, device_model
from passport.outcomes import Refused
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Caller

MODEL_MAX_BYTES: Final = 8_192
_LIMITS: Final = Limits(size_bytes=MODEL_MAX_BYTES, depth=2)


async def put_model(runtime: Runtime, caller: Caller, name: str, body: bytes) -> tuple[DeviceModel, bool]:
    """Write one model; tell whether it is new.

    Raises:
        Refused: the caller is no device approver.
        ParseError, Invalid: the body does not describe a model.
    """
    request = Request(Action.CORRECT, "update", recorded("PUT", f"devices/models/{name}"), None, "write")
    async with admitted(runtime, caller, request) as desk:
        if desk.subject.kind != "approver":
            raise Refused("models are registered by device approvers")
        model = device_model(name, parse(body, _LIMITS))
        earlier = await model_of(desk.connection, name)
        await fetch(desk.connection, store.PUT_MODEL, {**model.as_json(), "gateway": model.gateway})
        await desk.audit(desk.row(NOBODY))
    return model, earlier is None


async def models(runtime: Runtime, caller: Caller) -> list[DeviceModel]:
    """The registry, for whoever is signed in."""
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", "GET devices/models")) as desk:
        rows = await fetch(desk.connection, store.MODELS, {})
        await desk.audit(desk.row(NOBODY))
        return [_model(row) for row in rows]


async def model_of(connection: Connection, name: str) -> DeviceModel | None:
    """One model of the registry."""
    rows = await fetch(connection, store.MODEL, {"model": name})
    return next(map(_model, rows), None)


def _model(row: Any) -> DeviceModel:
    return DeviceModel(
        row.model, row.manufacturer, row.display, frozenset(row.readings), row.active, row.gateway
    )
