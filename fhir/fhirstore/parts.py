"""A resource in its surroundings: what it contains, and what its references reach without the store.

http://hl7.org/fhir/R4/references.html#contained
http://hl7.org/fhir/R4/bundle.html#references

A relative reference in a Bundle entry stands on the base of the entry's full URL: a Bundle from a
hospital speaks of that hospital's `Patient/7`, not of ours.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhirstore.elements import References, is_address, values_at

Node = Mapping[str, Any]
NESTED = ("contained", "entry")
"""The elements that hold other resources."""
_OUTCOME = ("entry", "response", "outcome")


@dataclass(frozen=True, slots=True)
class Placed:
    """A resource where it stands.

    `near` are the resources that it can reach inside the whole: contained ones as `#id`, entries of its
    Bundle by their full URL. `addressed` is false for what has no identity of its own: a contained
    resource, or an entry whose full URL is a `urn:`. `whole` is true for what stands by itself.
    """

    tree: Node
    references: References
    near: Mapping[str, Node]
    addressed: bool = True
    whole: bool = False

    @property
    def reference(self) -> str | None:
        """Return the literal reference to this resource, None where it has no identity."""
        if not self.addressed or "id" not in self.tree:
            return None
        return self.references.literal(_type_and_id(self.tree))

    def neighbour(self, element: object) -> Node | None:
        """Return the resource inside the same whole to which a Reference element points."""
        text = element.get("reference") if isinstance(element, dict) else None
        if not isinstance(text, str):
            return None
        return self.near.get(self.references.literal(text) or text)

    def parts(self) -> Iterator["Placed"]:
        """Yield the contained resources, the entries' resources and what answered them, one level down."""
        for node in _nodes(self.tree, "contained"):
            yield Placed(node, self.references, self.near, addressed=False)
        for outcome in values_at(self.tree, (_OUTCOME,)):
            if isinstance(outcome, dict):
                yield Placed(outcome, self.references, _contained(outcome), addressed=False)
        entries = [entry for entry in _nodes(self.tree, "entry") if isinstance(entry.get("resource"), dict)]
        if not entries:
            return
        near = {_address(entry, self.references): entry["resource"] for entry in entries}
        for entry in entries:
            node, url = entry["resource"], entry.get("fullUrl")
            inside = self.references.within(url)
            yield Placed(node, inside, ChainMap(_contained(node), near), addressed=is_address(url))


def placed(tree: Node, references: References) -> Placed:
    """Return a resource that stands by itself."""
    return Placed(tree, references, _contained(tree), whole=True)


def _nodes(tree: Node, name: str) -> list[Any]:
    return [node for node in values_at(tree, ((name,),)) if isinstance(node, dict)]


def _contained(tree: Node) -> dict[str, Node]:
    return {f"#{node['id']}": node for node in _nodes(tree, "contained") if "id" in node}


def _address(entry: Node, references: References) -> str:
    url = entry.get("fullUrl")
    return references.literal(url if isinstance(url, str) else _type_and_id(entry["resource"])) or ""


def _type_and_id(tree: Node) -> str:
    return f"{tree.get('resourceType')}/{tree.get('id')}"
