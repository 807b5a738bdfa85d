"""What `$meta-add` and `$meta-delete` ask for: profiles, tags and security labels to add to a record or to take away.

http://hl7.org/fhir/R4/resource-operation-meta-add.html
http://hl7.org/fhir/R4/resource-operation-meta-delete.html

Whatever it changes is a new version here: a version is sealed, and says what it said when somebody read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirstore.elements import Code, codes_in
from fhirstore.parse import Tree
from passport.outcomes import Invalid

PROFILE, TAG, SECURITY = "profile", "tag", "security"
LISTS: Final = (PROFILE, TAG, SECURITY)

_PLACE: Final = "Parameters.parameter[0].valueMeta"


@dataclass(frozen=True, slots=True)
class MetaChange:
    """Lists of a Meta by name, and whether they are added or taken away; calling it gives the changed copy."""

    lists: Mapping[str, tuple[Any, ...]]
    adds: bool

    @property
    def labels_only(self) -> bool:
        """Whether it is about security labels and nothing else."""
        return set(self.lists) == {SECURITY}

    @property
    def taken(self) -> frozenset[Code]:
        """The labels that are taken away."""
        return frozenset() if self.adds else frozenset(codes_in(self.lists.get(SECURITY, ())))

    def __call__(self, tree: Tree) -> Tree:
        """A copy of a record with this change; what is there already is not added, what is not there not missed."""
        meta = dict(tree.get("meta", {}))
        for name, named in self.lists.items():
            before = meta.pop(name, [])
            known = {_identity(each) for each in (before if self.adds else named)}
            kept = before if self.adds else [each for each in before if _identity(each) not in known]
            added = [each for each in named if _identity(each) not in known] if self.adds else []
            if after := [*kept, *added]:
                meta[name] = after
        return {**tree, "meta": meta}


def read_change(tree: Tree, *, adds: bool) -> MetaChange:
    """Read the body of the operation.

    Raises:
        Invalid: it is no Parameters with one `meta` that names a profile, a tag or a label.
    """
    listed = tree.get("parameter")
    if tree.get("resourceType") != "Parameters" or not isinstance(listed, list) or len(listed) != 1:
        raise Invalid("got no Parameters with one parameter, expected `meta`", ("Parameters.parameter",))
    (given,) = listed
    meta = given.get("valueMeta") if isinstance(given, dict) and given.get("name") == "meta" else None
    if not isinstance(meta, dict) or not meta or not meta.keys() <= set(LISTS):
        names = ", ".join(f"`{name}`" for name in LISTS)
        raise Invalid(f"got no `meta` with a `valueMeta` of {names} alone, expected one", (_PLACE,))
    return MetaChange({name: _named(name, meta[name]) for name in LISTS if name in meta}, adds)


def _named(name: str, values: Any) -> tuple[Any, ...]:
    place = f"{_PLACE}.{name}"
    if not isinstance(values, list) or not values:
        raise Invalid("got no list with anything in it, expected one", (place,))
    for value in values:
        if not (isinstance(value, str) if name == PROFILE else _is_coding(value)):
            raise Invalid("got what names nothing, expected an address or a Coding with a code", (place,))
    return tuple(values)


def _is_coding(value: Any) -> bool:
    return isinstance(value, dict) and "coding" not in value and bool(codes_in([value]))


def _identity(value: Any) -> object:
    """What two of a list are one by: an address, or system and code; versions and displays do not tell them apart."""
    return value if isinstance(value, str) else next(iter(codes_in([value])), str(value))
