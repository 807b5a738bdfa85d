"""The last word of fhir.resources: its models must accept what the walk accepts.

https://github.com/nazrulworld/fhir.resources

The models are of R4B. Where they refuse what R4 allows, `_R4_ALLOWS` says so. What they alone accept
(numbers in strings, empty objects, Python names of fields, any resource type that does not exist) never
reaches them, since the walk has refused it.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fhirstore.errors import Problem

_CODES: Final = {"missing": "required", "model_field_validation.missing": "required"}
_R4_ALLOWS: Final = frozenset({("extra_forbidden", "valueMeta"), ("uuid_version", "valueUuid")})


def model_problems(tree: Mapping[str, Any]) -> list[Problem]:
    """Return what the models of fhir.resources find; the resource's type must be one that they have."""
    # Imported on first use, as the schema's models are.
    from fhir.resources.R4B import get_fhir_model_class

    name = tree["resourceType"]
    try:
        get_fhir_model_class(name).model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return [_problem(name, each) for each in found if not _allowed(each)]
    return []


def _allowed(error: ErrorDetails) -> bool:
    location = error["loc"]
    return bool(location) and (error["type"], str(location[-1])) in _R4_ALLOWS


def _problem(name: str, error: ErrorDetails) -> Problem:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"] if step != "root")
    text = f"expected what R4 defines ({error['type'].replace('_', ' ')})"
    return Problem("error", _CODES.get(error["type"], "structure"), name + "".join(steps), text)
