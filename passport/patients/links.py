"""What a merge writes into a Patient, and what takes it out again.

http://hl7.org/fhir/R4/patient-definitions.html#Patient.link
"""

from collections.abc import Callable
from typing import Any, Final

from fhirstore.parse import Tree

Patch = Callable[[Tree], Tree]

REPLACES: Final = "replaces"
REPLACED_BY: Final = "replaced-by"
LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"


def linked(tree: Tree, other: str, kind: str) -> Tree:
    """The Patient with a link to another registration of the same person."""
    link = {"other": {"reference": other}, "type": kind}
    return {**tree, "link": [*(one for one in _links(tree) if one != link), link]}


def unlinked(tree: Tree, other: str, kind: str) -> Tree:
    """The Patient without that link."""
    link = {"other": {"reference": other}, "type": kind}
    kept = [one for one in _links(tree) if one != link]
    rest = {name: value for name, value in tree.items() if name != "link"}
    return {**rest, "link": kept} if kept else rest


def retired(tree: Tree) -> Tree:
    """The Patient of a registration that is in use no more."""
    return {**tree, "active": False}


def activity_of(tree: Tree) -> bool | None:
    """What a Patient says of its being in use."""
    active = tree.get("active")
    return active if isinstance(active, bool) else None


def reinstated(tree: Tree, was_active: bool | None) -> Tree:
    """The Patient as it was in use before; what was said since then stands."""
    if tree.get("active") is not False:
        return tree
    rest = {name: value for name, value in tree.items() if name != "active"}
    return rest if was_active is None else {**rest, "active": was_active}


def provenance(target: str, activity: str, reason: str | None, recorded: str) -> dict[str, Any]:
    """The Provenance of a Patient that a merge or its undoing wrote.

    `activity` is a code of the life of records: `merge` or `unmerge`.
    """
    coding = {"system": LIFECYCLE, "code": activity}
    tree: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": recorded,
        "activity": {"coding": [coding]},
        "agent": [{"who": {"display": "operator"}}],
    }
    return tree if reason is None else {**tree, "reason": [{"text": reason}]}


def _links(tree: Tree) -> list[Any]:
    links = tree.get("link", [])
    return links if isinstance(links, list) else []
