"""Units that UCUM does not have, wherever a resource says that they are of UCUM.

http://hl7.org/fhir/R4/datatypes.html#Quantity

The binding is open to all of UCUM, so that nothing is refused for it; but such an amount has no size, and no search
by an amount in another unit finds it.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from fhirstore.elements import UCUM
from fhirstore.errors import Problem
from fhirstore.matching.ucum import unit
from fhirstore.validate.walk import MOST_PROBLEMS

_SHOWN: Final = 32


def unit_problems(tree: Mapping[str, Any]) -> list[Problem]:
    """Return a warning for each code that is said to be of UCUM and is none, at most `MOST_PROBLEMS`.

    Args:
        tree: a resource that R4 finds valid.
    """
    found = (
        Problem(
            "warning",
            "code-invalid",
            f"{place}.code",
            f"got unit `{code[:_SHOWN]}`, which UCUM does not have: a search by an amount does not convert it",
        )
        for place, code in _of_ucum(tree, str(tree.get("resourceType", "")))
        if unit(code) is None
    )
    return list(islice(found, MOST_PROBLEMS))


def _of_ucum(node: object, place: str) -> Iterator[tuple[str, str]]:
    # Recurses no deeper than the parser let the tree be.
    if isinstance(node, dict):
        if node.get("system") == UCUM and isinstance(code := node.get("code"), str):
            yield place, code
        for name, value in node.items():
            yield from _of_ucum(value, f"{place}.{name}")
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from _of_ucum(value, f"{place}[{at}]")
