"""What a person asks before saving: the drafts, what they take the place of, and as whom to look.

http://hl7.org/fhir/R4/consent.html
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeGuard, TypeVar

from consent import systems
from consent.model import Action, Purpose
from consent.provision import MAX_NODES
from fhirstore.parse import Tree
from passport.members import check_members
from passport.outcomes import Invalid

MOST_DRAFTS: Final = 20
MOST_PROVISIONS: Final = MAX_NODES
"""Provisions of all drafts together: whatever can be saved by itself can be asked about."""

MOST_ACTORS: Final = 100
"""Actors that all drafts together name, counted wherever they are named."""

MOST_VALUES: Final = 2_000
"""Whatever else the provisions of all drafts together list: codes, purposes, labels, records."""

DEFAULT_COUNT: Final = 20
MOST_COUNT: Final = 200

ONLOOKERS: Final = systems.ACTORS - systems.COLLECTIVES
"""Who can act: whoever is in a CareTeam or a Group acts as themselves."""

_Code = TypeVar("_Code", bound=StrEnum)

_REFERENCE: Final = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}")
_EDIT: Final = frozenset({"patient", "drafts", "replaces"})
_COUNTED_APART: Final = frozenset({"actor", "provision"})
_LOOK: Final = frozenset({"actor", "purpose", "action", "client", "count", "cursor"})


@dataclass(frozen=True, slots=True)
class Edit:
    """What is about to be saved: drafts of Consents, and the references of those whose place they take."""

    patient: str
    drafts: tuple[Tree, ...]
    replaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """As whom the records are looked at, for what, and which page of them."""

    actor: str
    purpose: Purpose
    action: Action
    client: str | None
    count: int
    cursor: str | None


def edit_of(tree: Mapping[str, Any]) -> Edit:
    """Read the edit that a person wants to know about.

    Raises:
        Invalid: another member than `patient`, `drafts` and `replaces`, or one of another form.
    """
    check_members(tree, _EDIT)
    return _edit(tree)


def preview_of(tree: Mapping[str, Any]) -> tuple[Edit, Look]:
    """Read an edit and as whom to look.

    Raises:
        Invalid: a member that is not known, missing, or of another form.
    """
    check_members(tree, _EDIT | _LOOK)
    client = tree.get("client")
    return _edit(tree), Look(
        actor=_reference(tree, "actor", ONLOOKERS),
        purpose=_code(tree, "purpose", Purpose),
        action=_code(tree, "action", Action) if "action" in tree else Action.ACCESS,
        client=None if client is None else _reference(tree, "client", {"Device", "Organization"}),
        count=_count(tree.get("count", DEFAULT_COUNT)),
        cursor=_cursor(tree.get("cursor")),
    )


def _edit(tree: Mapping[str, Any]) -> Edit:
    drafts, replaces = _list(tree, "drafts"), _list(tree, "replaces")
    if len(drafts) > MOST_DRAFTS or len(replaces) > MOST_DRAFTS:
        raise Invalid(f"got more than {MOST_DRAFTS} at once, expected at most that many", ("drafts",))
    for place, draft in enumerate(drafts):
        if not isinstance(draft, dict) or draft.get("resourceType") != "Consent":
            raise Invalid("got a draft that is no Consent, expected one", (f"drafts[{place}]",))
    _check_size(drafts)
    for place, name in enumerate(replaces):
        if not isinstance(name, str) or _kind(name) != "Consent":
            raise Invalid("got no reference such as `Consent/1`, expected one", (f"replaces[{place}]",))
    return Edit(_patient(tree, drafts), tuple(drafts), tuple(dict.fromkeys(replaces)))


def _check_size(drafts: list[Tree]) -> None:
    """Refuse what takes too long to compare and to count, before anything is looked up.

    Raises:
        Invalid: the drafts together hold more provisions, actors or other values than one answer is about.
    """
    provisions = [each for draft in drafts for each in _provisions(draft)]
    listed = [(name, len(found)) for each in provisions for name, found in each.items() if _is_list(found)]
    for most, got, named in (
        (MOST_PROVISIONS, len(provisions), "provisions"),
        (MOST_ACTORS, sum(length for name, length in listed if name == "actor"), "actors"),
        (MOST_VALUES, sum(length for name, length in listed if name not in _COUNTED_APART), "values"),
    ):
        if got > most:
            text = f"got {got} {named} in all drafts together, expected at most {most}"
            raise Invalid(text, ("drafts",), code="too-costly")


def _provisions(draft: Tree) -> Iterator[Mapping[str, Any]]:
    """Every provision of a draft, at whatever depth, whatever else is wrong with it."""
    waiting = [draft.get("provision")]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.append(found.get("provision"))
        elif _is_list(found):
            waiting += found


def _is_list(found: object) -> TypeGuard[list[Any]]:
    return isinstance(found, list)


def _patient(tree: Mapping[str, Any], drafts: list[Tree]) -> str:
    """The patient who is named, or else whom the drafts name; all of them the same one."""
    named = [_drafted_for(draft) for draft in drafts]
    patient = tree.get("patient", named[0] if named else None)
    if not isinstance(patient, str) or _kind(patient) != "Patient":
        raise Invalid(
            "got no draft of a Consent and no `patient`, expected drafts that name their patient, or whose they are, "
            "such as `Patient/1`",
            ("patient",),
        )
    for place, name in enumerate(named):
        if name != patient:
            text = "got a draft of another patient than the others, expected one patient"
            raise Invalid(text, (f"drafts[{place}].patient",))
    return patient


def _drafted_for(draft: Tree) -> object:
    patient = draft.get("patient")
    return patient.get("reference") if isinstance(patient, dict) else None


def _list(tree: Mapping[str, Any], name: str) -> list[Any]:
    found = tree.get(name, [])
    if not isinstance(found, list):
        raise Invalid("got something else than a list, expected one", (name,))
    return found


def _reference(tree: Mapping[str, Any], name: str, types: Collection[str]) -> str:
    found = tree.get(name)
    if not isinstance(found, str) or _kind(found) not in types:
        raise Invalid(f"got no reference to one of {', '.join(sorted(types))}, expected one", (name,))
    return found


def _kind(reference: str) -> str | None:
    parts = _REFERENCE.fullmatch(reference)
    return parts[1] if parts else None


def _code(tree: Mapping[str, Any], name: str, codes: type[_Code]) -> _Code:
    found = tree.get(name)
    if isinstance(found, str) and found in codes.__members__.values():
        return codes(found)
    raise Invalid(f"got another code, expected one of {', '.join(codes)}", (name,))


def _count(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST_COUNT:
        raise Invalid(f"got another number, expected one from 0 to {MOST_COUNT}", ("count",))
    return found


def _cursor(found: object) -> str | None:
    if found is not None and not isinstance(found, str):
        raise Invalid("got something else than a text, expected the `next` of the page before", ("cursor",))
    return found
