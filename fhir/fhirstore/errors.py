"""The problems of a resource, and the one error tree of the store.

http://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a resource; its text names elements and codes, never a person's data.

    `code` is of http://hl7.org/fhir/issue-type; `expression` a FHIRPath such as
    `Observation.component[1].valueQuantity.unit`, empty where the place is not known; `line` and
    `column` count from 1 and are given where the text itself could not be read.
    """

    severity: Severity
    code: str
    expression: str
    text: str
    line: int | None = None
    column: int | None = None


class FhirStoreError(Exception):
    """Anything that this package raises."""


class WeakSecret(FhirStoreError):
    """A key has an unusable length."""

    def __init__(self, got: int, least: int, most: int) -> None:
        super().__init__(f"got a key of {got} bytes, expected {least} to {most}")


class UnknownType(FhirStoreError):
    """The resource type is not one that this store holds."""

    def __init__(self, name: str) -> None:
        super().__init__(f"got resource type `{name[:64]}`, expected one that this store has")
        self.name = name


class Refused(FhirStoreError):
    """A resource is refused; `problems` says why, all at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.text for problem in self.problems))


class ParseError(Refused):
    """A text is not a JSON object as FHIR allows it, or exceeds a limit."""


class InvalidResource(Refused):
    """A resource breaks the specification."""


class BodyError(FhirStoreError):
    """A stored body cannot be read."""


class BodyForged(BodyError):
    """A stored body was changed, or belongs to another patient, type, id or version."""

    def __init__(self) -> None:
        super().__init__(
            "got a body that does not open under its own row's key, patient, type, id and version"
        )


class UnknownCodec(BodyError):
    """A stored body names a codec that this version does not have."""

    def __init__(self, codec: int) -> None:
        super().__init__(f"got codec {codec}, expected one of this version's")
