"""Reads of a transaction: each shows something, or the whole is refused for it.

http://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson

from fhirstore.errors import Problem
from passport.outcomes import Outcome, PassportError
from passport.transactions.entries import Asked

MOST_READS: Final = 200
"""Reads of a transaction that writes: what it has locked stays so until they are done."""

_OUTCOMES: Final[Mapping[int, Outcome]] = {401: "refused", 403: "refused", 404: "not-found", 410: "not-found"}


class TooManyReads(PassportError):
    """A transaction that writes asks for too much beside."""

    outcome = "invalid"

    def __init__(self, got: int) -> None:
        text = f"got {got} reads beside writes, expected at most {MOST_READS}; others go into a batch"
        super().__init__(413, "too-costly", text)


class FailedRead(PassportError):
    """A read of a transaction that was answered with `status` and an OperationOutcome: that is the answer to the whole.

    `entry` is what was asked for.
    """

    def __init__(self, entry: Asked, status: int, outcome: bytes) -> None:
        self.entry = entry
        issues = orjson.loads(outcome)["issue"] if outcome else [{}]
        said = f"a read was answered {status} {HTTPStatus(status).phrase}"
        place = f"{entry.place}.request.url"
        self._problems = tuple(
            Problem("error", issue.get("code", "processing"), place, issue.get("diagnostics", said))
            for issue in issues
        )
        super().__init__(status, self._problems[0].code, self._problems[0].text, (place,))
        self.outcome = _OUTCOMES.get(status, "error" if status >= 500 else "invalid")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was said of the read, at its entry."""
        return self._problems
