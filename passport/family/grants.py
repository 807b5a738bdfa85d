"""The Consents by which somebody acts for a patient, and what takes them out of a Consent again.

http://hl7.org/fhir/R4/consent.html
http://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent import systems
from fhirstore.parse import Tree
from passport.outcomes import Invalid
from passport.records import written_instant
from passport.sharing.categories import classes_of

RELATIONSHIPS: Final[Mapping[str, str]] = {
    "spouse": "SPS",
    "parent": "PRN",
    "child": "CHILD",
    "sibling": "SIB",
    "grandparent": "GRPRN",
    "grandchild": "GRNDCHILD",
    "relative": "FAMMEMB",
    "friend": "FRND",
    "guardian": "GUARD",
}
"""How somebody is related, in codes of http://terminology.hl7.org/CodeSystem/v3-RoleCode."""

NAME_MAX_CHARACTERS: Final = 120
MEMBERS: Final = frozenset({"name", "relationship", "categories", "decides"})

_ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_APART: Final = sorted(systems.UNNAMED_EXCLUDED)
_PURPOSE: Final = "FAMRQT"
_WRITING: Final = ("collect", "correct")

Classes = Collection[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Relative:
    """Who is to act for a patient: what they may see (`classes`, everything where there is none), and whether they may
    decide about further Consents.
    """

    name: str
    relationship: str
    classes: tuple[Mapping[str, str], ...]
    decides: bool


def relative_of(tree: Mapping[str, Any]) -> Relative:
    """Read who is to act.

    Raises:
        Invalid: no name, no known relationship, or an unfit scope.
    """
    name, relationship, decides = tree.get("name"), tree.get("relationship"), tree.get("decides", False)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_MAX_CHARACTERS:
        raise Invalid(f"got no text of 1 to {NAME_MAX_CHARACTERS} characters in `name`", ("name",))
    if not isinstance(relationship, str) or relationship not in RELATIONSHIPS:
        expected = ", ".join(RELATIONSHIPS)
        raise Invalid(f"got another relationship, expected one of {expected}", ("relationship",))
    if not isinstance(decides, bool):
        raise Invalid("got no boolean in `decides`", ("decides",))
    classes = tuple(classes_of(tree["categories"])) if "categories" in tree else ()
    return Relative(name.strip(), relationship, classes, decides)


def related_person(patient: str, relative: Relative, id_: str, until: str | None) -> Tree:
    """The RelatedPerson who acts."""
    return {
        "resourceType": "RelatedPerson",
        "id": id_,
        "active": True,
        "patient": {"reference": patient},
        "relationship": [{"coding": [{"system": _ROLE_CODE, "code": RELATIONSHIPS[relative.relationship]}]}],
        "name": [{"text": relative.name}],
        **({"period": {"end": until}} if until is not None else {}),
    }


def consents(
    patient: str, proxy: str, relative: Relative, until: str | None, now: datetime
) -> Iterator[Tree]:
    """What lets them see, and decide where they may; `until` is a FHIR dateTime."""
    seen: list[Classes] = [relative.classes]
    if not relative.classes:
        # Without classes a provision leaves out what has to be named.
        seen = [(), [_class(name) for name in _APART]]
    for classes in seen:
        yield _consent(patient, _permit(proxy, ("access",), classes, until), now)
    if relative.decides:
        if relative.classes:
            yield _consent(patient, _permit(proxy, ("access",), [_class("Consent")], until), now)
        yield _consent(patient, _permit(proxy, _WRITING, [_class("Consent")], until), now)


def without(tree: Tree, proxy: str) -> Tree:
    """A Consent that gives somebody nothing any more; it ends where it would say something else without them."""
    provision = tree.get("provision", {})
    kept = _without(provision, proxy)
    return {**tree, "status": "inactive"} if kept is None else {**tree, "provision": kept}


def ending(tree: Tree, until: str) -> Tree:
    """A Consent whose root ends at another instant."""
    provision = tree.get("provision", {})
    return {**tree, "provision": {**provision, "period": {**provision.get("period", {}), "end": until}}}


def retired(tree: Tree, now: datetime) -> Tree:
    """The RelatedPerson of somebody who acts no more."""
    return {**tree, "active": False, "period": {**tree.get("period", {}), "end": written_instant(now)}}


def _without(provision: Mapping[str, Any], proxy: str) -> Tree | None:
    actors = provision.get("actor", [])
    others = [one for one in actors if one.get("reference", {}).get("reference") != proxy]
    if actors and not others:
        # A provision without actors would be for everybody.
        return None
    children = [_without(child, proxy) for child in provision.get("provision", [])]
    if None in children:
        return None
    changed = {name: value for name, value in (("actor", others), ("provision", children)) if value}
    return {**provision, **changed}


def _consent(patient: str, provision: Tree, now: datetime) -> Tree:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": systems.CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [_CATEGORY]}],
        "patient": {"reference": patient},
        "dateTime": written_instant(now),
        "policyRule": {"coding": [{"system": systems.ACT_CODE, "code": "OPTIN"}]},
        "provision": provision,
    }


def _permit(proxy: str, actions: Collection[str], classes: Classes, until: str | None) -> Tree:
    role = "AUT" if "collect" in actions else "IRCP"
    tree: Tree = {
        "type": "permit",
        "actor": [
            {
                "role": {"coding": [{"system": systems.PARTICIPATION, "code": role}]},
                "reference": {"reference": proxy},
            }
        ],
        "action": [{"coding": [{"system": systems.CONSENT_ACTION, "code": action}]} for action in actions],
        "purpose": [{"system": systems.ACT_REASON, "code": _PURPOSE}],
    }
    if until is not None:
        tree["period"] = {"end": until}
    return {**tree, "class": list(classes)} if classes else tree


def _class(name: str) -> dict[str, str]:
    return {"system": systems.RESOURCE_TYPES, "code": name}
