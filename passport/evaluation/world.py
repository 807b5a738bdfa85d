"""One world as it comes: a JSON object with consents, a directory, records and a request.

http://hl7.org/fhir/R4/consent.html

Nothing is validated but what has to be understood: a record is taken as it is given. A consent that cannot be
enforced is refused with every reason, as the service refuses it, and the others decide without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from consent.model import Action, Consent, Purpose
from consent.read import read_consent
from fhirstore.elements import References
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse
from passport.evaluation.errors import UnreadableWorld

LIMITS: Final = Limits(size_bytes=64 * 1_048_576, depth=68)
"""Of one line: much, and each resource in it as deep as the service takes one."""

_HERE: Final = References()

_Choice = TypeVar("_Choice", bound=StrEnum)


class Refusal(NamedTuple):
    """A consent that cannot be enforced, and why."""

    consent: str
    issue: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, why, for what, and when.

    `starts` are what a caller acts as; the directory says what else that makes of them. `purpose` and `action` are
    None where they are none that there is: such a request is refused. `client` is the application of a person.
    """

    starts: tuple[str, ...]
    purpose: Purpose | None
    action: Action | None
    at: datetime
    client: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What is tried; `directory` is by reference, `records` by the name that the answer gives them."""

    consents: tuple[Consent, ...]
    refused: tuple[Refusal, ...]
    directory: Mapping[str, Tree]
    records: Mapping[str, Tree]
    asked: Asked


def read_world(line: bytes, zone: ZoneInfo) -> World:
    """Read a world.

    Args:
        line: the JSON of `world_of`.
        zone: the passport's time zone, for dates without time of day.

    Raises:
        UnreadableWorld: it is not JSON, or not a world.
    """
    try:
        return world_of(parse(line, LIMITS), zone)
    except ParseError as error:
        raise UnreadableWorld(str(error)) from None


def world_of(tree: Mapping[str, Any], zone: ZoneInfo) -> World:
    """Read a world that was parsed: `consents`, `directory` and `records` as lists, and `request`.

    Raises:
        UnreadableWorld: one of them is of another form.
    """
    consents: list[Consent] = []
    refused: list[Refusal] = []
    for place, resource in enumerate(_resources(tree, "consents")):
        read = _consent(resource, f"consents[{place}]", zone)
        if isinstance(read, Consent):
            consents.append(read)
        else:
            refused.append(read)
    return World(
        consents=tuple(consents),
        refused=tuple(refused),
        directory=dict(_named(tree, "directory")),
        records=_records(tree),
        asked=_asked(tree.get("request")),
    )


def _resources(tree: Mapping[str, Any], name: str) -> Sequence[Tree]:
    found = tree.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UnreadableWorld(f"got no list of resources as `{name}`, expected one")
    return found


def _named(tree: Mapping[str, Any], name: str) -> Iterator[tuple[str, Tree]]:
    """The resources by their references; by their place where they have none."""
    for place, resource in enumerate(_resources(tree, name)):
        kind, id_ = resource.get("resourceType"), resource.get("id")
        known = isinstance(kind, str) and isinstance(id_, str)
        reference = _HERE.literal(f"{kind}/{id_}") if known else None
        yield reference or f"{name}[{place}]", resource


def _records(tree: Mapping[str, Any]) -> dict[str, Tree]:
    records = dict(_named(tree, "records"))
    if len(records) < len(tree.get("records", ())):
        raise UnreadableWorld("got two records of one type and id, expected each once")
    return records


def _consent(resource: Tree, place: str, zone: ZoneInfo) -> Consent | Refusal:
    id_ = resource.get("id")
    name = id_ if isinstance(id_, str) else place
    if resource.get("resourceType") != "Consent":
        return Refusal(name, "resourceType: got another type, expected `Consent`")
    read = read_consent(resource, reference=f"Consent/{name}", version=1, zone=zone)
    if isinstance(read, Consent):
        return read
    return Refusal(name, "; ".join(f"{issue.expression}: {issue.text}" for issue in read))


def _asked(request: object) -> Asked:
    if not isinstance(request, dict):
        raise UnreadableWorld("got no object as `request`, expected actors, purpose, action and time")
    starts, client = request.get("actors"), request.get("client")
    if not isinstance(starts, list) or not starts or not all(isinstance(one, str) for one in starts):
        raise UnreadableWorld("got no list of references as `request.actors`, expected at least one")
    if not isinstance(client, str | None):
        raise UnreadableWorld("got no reference as `request.client`, expected one or none")
    return Asked(
        starts=tuple(dict.fromkeys(starts)),
        purpose=_one_of(Purpose, request, "purpose"),
        action=_one_of(Action, request, "action"),
        at=_instant(request.get("time")),
        client=client,
    )


def _one_of(choices: type[_Choice], request: Mapping[str, Any], name: str) -> _Choice | None:
    value = request.get(name)
    if not isinstance(value, str):
        raise UnreadableWorld(f"got no `request.{name}`, expected one of {', '.join(choices)}")
    return choices(value) if value in choices.__members__.values() else None


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise UnreadableWorld("got no instant as `request.time`, expected one such as 2026-01-01T00:00:00Z")
    return instant
