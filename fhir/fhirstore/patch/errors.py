"""Why a patch is refused: it cannot be read, or it does not fit the resource.

http://hl7.org/fhir/R4/http.html#patch
"""

from fhirstore.errors import InvalidResource, ParseError, Problem


class UnreadablePatch(ParseError):
    """The document is no patch; `place` is where it stops being one."""

    def __init__(self, text: str, place: str = "") -> None:
        super().__init__([Problem("error", "invalid", place, text)])


class PatchFails(InvalidResource):
    """An operation cannot be carried out on the resource as it is; `place` names the operation."""

    def __init__(self, text: str, place: str) -> None:
        super().__init__([Problem("error", "processing", place, text)])
