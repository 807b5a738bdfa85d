"""One operation as the description tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

JSON: Final = "application/json"
FHIR: Final = "application/fhir+json"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    `body` is an OpenAPI `content`; `parameters` are names in the query, each with what it is for; `success`
    are the statuses of an answer that is none of the errors, `errors` those of an OperationOutcome.
    """

    summary: str
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, str] | None = None
    success: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = (400, 401, 403, 404)


def json_body(example: Mapping[str, Any], media_type: str = JSON) -> Mapping[str, Any]:
    """A body with an example of it."""
    return {media_type: {"schema": {"type": "object"}, "example": example}}
