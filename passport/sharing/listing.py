"""Consents as their person reads them: found by the disclosure, told in words with the names of the directory.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from consent.model import Consent, Provision, Status
from consent.read import read_consent
from fhirstore.parse import Tree, parse
from fhirstore.search.query import parse_query
from fhirstore.types import PROPOSABLE, resource_type
from passport import disclosure
from passport.audit.query import recorded
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sharing.categories import named
from passport.sharing.consents import preset_in, reason_of
from passport.sharing.words import category, ending, said
from passport.subjects import Caller

State = Literal["waiting", "active", "upcoming", "ended", "withdrawn", "declined", "unreadable"]

PAGE: Final = 200
MOST: Final = 2_000
"""Consents that are told at once; of more the newest."""

_STATES: Final[Mapping[Status, State]] = {
    Status.PROPOSED: "waiting",
    Status.ACTIVE: "active",
    Status.REJECTED: "declined",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One Consent of somebody: its tree, what the engine reads of it, and how it stands now."""

    tree: Tree
    read: Consent
    state: State

    @property
    def root(self) -> Provision | None:
        """What it says, where that is still read."""
        return self.read.root

    def as_json(self, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
        """The JSON of it; `names` are what the directory calls whom it names."""
        told: dict[str, Any] = {
            "id": self.tree["id"],
            "consent": f"{PROPOSABLE}/{self.tree['id']}",
            "patient": self.read.patient,
            "state": self.state,
            "version": self.read.version,
            "written": self.tree["meta"]["lastUpdated"],
        }
        beside = {"preset": preset_in(self.tree), "reason": reason_of(self.tree)}
        told |= {name: value for name, value in beside.items() if value is not None}
        if self.state == "waiting":
            told["by"] = [_somebody(name, names) for name in requesters_of(self.tree)]
        return told if self.root is None else {**told, **_said(self.root, names, zone)}


async def consents_of(
    runtime: Runtime, caller: Caller, address: str, patient: str | None, statuses: Sequence[Status]
) -> list[Listed]:
    """The Consents that the caller may read, the newest first; of one patient, or of whoever shares theirs."""
    pairs = [("status", ",".join(statuses)), ("_sort", "-_lastUpdated"), ("_count", str(PAGE))]
    pairs += [] if patient is None else [("patient", patient)]
    found: list[Tree] = []
    cursor: str | None = None
    while len(found) < MOST:
        page = await disclosure.search(
            runtime,
            caller,
            _query(runtime, [*pairs, *([] if cursor is None else [("_cursor", cursor)])]),
            recorded("GET", address, pairs),
            address.encode(),
        )
        found += [parse(entry.body) for entry in page.entries]
        cursor = page.cursor
        if cursor is None:
            break
    return [listed(tree, runtime.clock(), runtime.settings.zone) for tree in found]


def listed(tree: Tree, now: datetime, zone: ZoneInfo) -> Listed:
    """A Consent as it stands now; one that has ended by itself is told as such."""
    reference, version = f"{PROPOSABLE}/{tree['id']}", int(tree["meta"]["versionId"])
    read = read_consent(tree, reference=reference, version=version, zone=zone)
    if not isinstance(read, Consent):
        unread = Consent(reference=reference, version=version, patient=None, status=Status.ERROR, root=None)
        # It was enforceable when it was written, and what is not enforced any more shows nothing.
        return Listed(tree, unread, "unreadable")
    return Listed(tree, read, _state(read, now))


def actors_of(consents: Sequence[Listed]) -> set[str]:
    """Whom these name at their root, and who asked."""
    return {
        name
        for one in consents
        for name in (*(one.root.actors if one.root else ()), *requesters_of(one.tree))
    }


def requesters_of(tree: Mapping[str, Any]) -> list[str]:
    """Who put a request, as it says itself."""
    named_ones = (one.get("reference") for one in tree.get("performer", ()))
    return [name for name in named_ones if isinstance(name, str)]


def _query(runtime: Runtime, pairs: list[tuple[str, str]]) -> Any:
    settings = runtime.settings
    return parse_query(
        (resource_type(PROPOSABLE),),
        pairs,
        keys=runtime.keys,
        zone=settings.zone,
        base_urls=(settings.fhir_url,),
        sifting=True,
        now=runtime.clock(),
    )


def _state(read: Consent, now: datetime) -> State:
    state = _STATES.get(read.status, "withdrawn")
    period = read.root.period if read.root else None
    if period is None or state not in ("active", "waiting"):
        return state
    if period.end is not None and period.end <= now:
        return "ended"
    return "upcoming" if state == "active" and period.start is not None and now < period.start else state


def _somebody(reference: str, names: Mapping[str, str]) -> dict[str, str]:
    return {"reference": reference} | ({"name": names[reference]} if reference in names else {})


def _said(root: Provision, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    told: dict[str, Any] = {
        "effect": str(root.effect),
        "with": [_somebody(actor, names) for actor in sorted(root.actors)],
        "purposes": sorted(root.purposes),
        "categories": [{"category": name, **category(name).as_json()} for name in named(root.classes)],
        "codes": sorted("|".join(coding) for coding in root.codes),
    }
    if root.confidentiality:
        told["confidentiality"] = sorted(level.name for level in root.confidentiality)
    period, data = root.period, root.data_period
    if period is not None and period.end is not None:
        told["until"] = written_instant(period.end)
    if data is not None:
        edges = {"start": data.start, "end": data.end}
        told["data_period"] = {name: written_instant(edge) for name, edge in edges.items() if edge}
    return {**told, "ends": ending(period, zone).as_json(), "text": said(root, names, zone).as_json()}
