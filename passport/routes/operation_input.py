"""What an operation is given: by GET in the address, by POST also as a Parameters resource.

http://hl7.org/fhir/R4/operations.html#request
"""

from typing import Any, Final

from fastapi import Request

from fhirstore.parse import Tree, parse
from passport.outcomes import Invalid
from passport.routes.messages import fhir_body, has_body

MOST_PARAMETERS: Final = 200


async def operation_input(request: Request) -> list[tuple[str, str]]:
    """Names and values as they came, those of the address first.

    Raises:
        Invalid: a body that is no Parameters resource with one plain value each.
        UnsupportedMedia: a body that is no FHIR JSON.
    """
    pairs = request.query_params.multi_items()
    if request.method == "POST" and has_body(request):
        pairs += _pairs(parse(await fhir_body(request)))
    if len(pairs) > MOST_PARAMETERS:
        raise Invalid(f"got {len(pairs)} parameters, expected at most {MOST_PARAMETERS}")
    return pairs


def _pairs(tree: Tree) -> list[tuple[str, str]]:
    if tree.get("resourceType") != "Parameters" or set(tree) - {"resourceType", "id", "meta", "parameter"}:
        raise Invalid("got a body that is no plain Parameters, expected one", ("Parameters",))
    listed = tree.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid("got no list, expected one", ("Parameters.parameter",))
    return [_pair(each, f"Parameters.parameter[{at}]") for at, each in enumerate(listed)]


def _pair(element: Any, place: str) -> tuple[str, str]:
    names = set(element) - {"name"} if isinstance(element, dict) else set()
    name = element.get("name") if isinstance(element, dict) else None
    if not isinstance(name, str) or len(names) != 1 or not (kind := names.pop()).startswith("value"):
        raise Invalid("got a parameter that has not one plain value, expected a name and a value", (place,))
    return name, _text(element[kind], place)


def _text(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict) and set(value) <= {"reference", "type", "display"}:
        value = value.get("reference")
    if isinstance(value, str | int):
        return str(value)
    raise Invalid("got a value of another type, expected a plain one or a reference", (place,))
