"""Who acts for which organization, and what people of the directory are called.

http://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Collection, Mapping
from typing import Any

from consent.directory import MembershipKind, edges
from fhirstore.parse import Tree
from passport.admission import Desk
from passport.disclosure import directory_trees
from passport.sharing.legible import legible


async def organizations_of(desk: Desk, role: str) -> set[str]:
    """The organizations of a role, as the directory has it now."""
    trees = await directory_trees(desk, [role])
    return {
        step.container
        for tree in trees.values()
        for step in edges({**tree, "id": role.partition("/")[2]}, desk.runtime.settings.zone)
        if step.kind is MembershipKind.ORGANIZATION and step.period.holds(desk.now)
    }


async def names_of(desk: Desk, references: Collection[str]) -> dict[str, str]:
    """What these are called, as far as the directory knows them; a role by its person and its organization."""
    trees = await directory_trees(desk, sorted(references))
    further = {name for tree in trees.values() for name in _parts(tree)} - trees.keys()
    known = {**trees, **await directory_trees(desk, sorted(further))}
    names = {reference: _name(known, tree) for reference, tree in trees.items()}
    legibly = {reference: legible(name) for reference, name in names.items()}
    return {reference: name for reference, name in legibly.items() if name}


def _parts(tree: Tree) -> list[str]:
    """Whom a role names by literal references."""
    named = (tree.get(part, {}).get("reference") for part in ("practitioner", "organization"))
    return [name for name in named if isinstance(name, str)]


def _name(known: Mapping[str, Tree], tree: Tree) -> str:
    if tree["resourceType"] == "PractitionerRole":
        parts = (_name(known, known[part]) for part in reversed(_parts(tree)) if part in known)
        return " ".join(filter(None, parts))
    name: Any = tree.get("name")
    return name if isinstance(name, str) else _person(name)


def _person(names: Any) -> str:
    """The first name of a person as it is written, or put together of its parts."""
    first: Mapping[str, Any] = next(iter(names or ()), {})
    text = first.get("text")
    return str(text) if text else " ".join(filter(None, (first.get("family"), *first.get("given", ()))))
