"""References: what they look like, and what they reach inside their own resource.

http://hl7.org/fhir/R4/references.html
http://hl7.org/fhir/R4/domainresource.html#invs (dom-2 to dom-5)

Nobody asks here whether a target exists: that would tell the caller of records that it may not see.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from fhirstore.validate.bindings.value_sets import RESOURCE_TYPES

Node = Mapping[str, Any]
Finding = tuple[str, str, str]
"""An issue code, the path below the resource, and the text of a problem."""

_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_RESTFUL: Final = re.compile(rf"(?:https?://\S+/)?([A-Z][A-Za-z]+)/{_ID}(?:/_history/{_ID})?")
_FRAGMENT: Final = re.compile(r"#[A-Za-z0-9\-.]*")
_ABSOLUTE: Final = re.compile(
    r"https?://[^\s/]\S*|urn:oid:[0-9.]+|urn:uuid:[0-9A-Fa-f\-]{36}"
    r"|(?!urn:(?:oid|uuid):|https?:)[a-z][a-z0-9+.\-]*:\S+"
)


def reference_problem(node: Node, targets: frozenset[str]) -> str | None:
    """Return what is wrong with the literal reference of a Reference element, or None.

    Args:
        node: the element.
        targets: the resource types that it may name; none for any.
    """
    reference = node.get("reference")
    if not isinstance(reference, str):
        return None
    match = _RESTFUL.fullmatch(reference)
    if match is None:
        if _FRAGMENT.fullmatch(reference) or _ABSOLUTE.fullmatch(reference):
            return None
        return (
            "expected `Type/id`, an absolute URL, `urn:uuid:` with a UUID, `urn:oid:` with an OID, or `#id`"
        )
    if match[1] not in RESOURCE_TYPES:
        # Another's address, which only looks like one of FHIR.
        return "expected a reference to a type of R4" if match.start(1) == 0 else None
    if targets and match[1] not in targets:
        return f"expected a reference to {' or '.join(sorted(targets))}"
    if node.get("type", match[1]) != match[1]:
        return "expected the type that the reference names"
    return None


def type_problem(node: Node, targets: frozenset[str]) -> str | None:
    """Return what is wrong with the type that a Reference element states, or None.

    Args:
        node: the element.
        targets: the resource types that it may name; none for any.
    """
    type_ = node.get("type")
    if not isinstance(type_, str) or type_ in (targets or RESOURCE_TYPES):
        return None
    return f"expected {' or '.join(sorted(targets)) or 'a type of R4'}"


def containment_problems(node: Node, fragments: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with the resources that one contains.

    Args:
        node: the container.
        fragments: the `#id` references inside it and inside what it contains.
    """
    for index, inner in _contained(node):
        yield from _contained_problems(inner, f".contained[{index}]", fragments)
    ids = [_fragment_of(inner) for _, inner in _contained(node) if "id" in inner]
    if len(set(ids)) != len(ids):
        yield "invariant", ".contained", "expected each contained resource to have its own id"


def inside(node: Node) -> Mapping[str, object]:
    """Return the type behind each `#id` of a container: of what it contains, and behind `#` its own."""
    contained = {
        _fragment_of(inner): inner.get("resourceType") for _, inner in _contained(node) if "id" in inner
    }
    return {"#": node.get("resourceType"), **contained}


def fragment_problem(
    fragment: str, targets: frozenset[str], there: Mapping[str, object]
) -> tuple[str, str] | None:
    """Return the issue code and the text of what is wrong with a `#id` reference, or None.

    Args:
        fragment: the reference.
        targets: the resource types that it may name; none for any.
        there: what `inside` found in its container.
    """
    if fragment not in there:
        text = f"ref-1: expected a contained resource for every `#id`, {_shown(fragment)} has none"
        return "invariant", text
    if targets and there[fragment] not in targets:
        return "value", f"expected a reference to {' or '.join(sorted(targets))}"
    return None


def _contained(node: Node) -> list[tuple[int, Node]]:
    contained = node.get("contained")
    listed = enumerate(contained) if isinstance(contained, list) else ()
    return [(index, inner) for index, inner in listed if isinstance(inner, dict)]


def _fragment_of(inner: Node) -> str:
    return f"#{inner.get('id', '')}"


def _contained_problems(inner: Node, path: str, fragments: Collection[str]) -> Iterator[Finding]:
    meta = inner.get("meta")
    if "contained" in inner:
        yield "invariant", f"{path}.contained", "dom-2: expected no resource contained in a contained one"
    named = "id" in inner and _fragment_of(inner) in fragments
    if not named and not _refers_to_container(inner):
        yield "invariant", path, "dom-3: expected a reference to the contained resource"
    if isinstance(meta, dict) and ("versionId" in meta or "lastUpdated" in meta):
        yield "invariant", f"{path}.meta", "dom-4: expected no version of a contained resource"
    if isinstance(meta, dict) and "security" in meta:
        yield (
            "invariant",
            f"{path}.meta.security",
            "dom-5: expected no security label on a contained resource",
        )


def _refers_to_container(node: object) -> bool:
    if isinstance(node, dict):
        return node.get("reference") == "#" or any(map(_refers_to_container, node.values()))
    return isinstance(node, list) and any(map(_refers_to_container, node))


def _shown(fragment: str) -> str:
    return f"`{fragment}`" if _FRAGMENT.fullmatch(fragment) else "one"
