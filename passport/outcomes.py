"""Every error of the service, its HTTP status, and the OperationOutcome that it is answered with.

http://hl7.org/fhir/R4/operationoutcome.html

Texts name what was got and what was expected; they never hold health data, and for a denied record they are
those of an unknown one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Final, Literal

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from consent.errors import ConsentError
from fhirstore.errors import FhirStoreError, InvalidResource, ParseError, Problem, UnknownType
from fhirstore.search.cursor import BadCursor
from fhirstore.search.test import SearchError
from passport.interactions import PATCH_FORMATS

FHIR_JSON: Final = "application/fhir+json; charset=utf-8"

_CHALLENGE: Final = 'Bearer realm="passport"'
_REJECTED: Final = (
    ', error="invalid_token", error_description="the access token is unknown, expired or ended"'
)

Outcome = Literal["success", "refused", "not-found", "invalid", "error"]
"""How a request ended, as its audit row states it."""

NOTHING_PERMITS: Final = (
    "nothing permits this request; a permit is asked for with a Consent of status `proposed` for the patient"
)
"""One text for all who may ask: it tells how, and neither whether there is a patient nor what is stored of them."""

_NOTHING_PERMITS_EVER: Final = "nothing permits this request to whoever acts as {kind}"
_ASKING: Final = frozenset({"practitioner", "service", "proxy"})
"""Who may put a Consent to a patient: nobody else is told to."""


class PassportError(Exception):
    """Anything that this package raises.

    `status` is the HTTP status, `code` of http://hl7.org/fhir/issue-type, `text` what the caller reads,
    `expression` the places in the caller's own input, `outcome` what the audit row says. `unproven` tells that who asks
    is not who they say: no row of the log names them, and whoever took their word writes one that names nobody.
    """

    outcome: Outcome = "error"
    unproven: ClassVar[bool] = False

    def __init__(self, status: int, code: str, text: str, expression: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.expression = tuple(expression)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The issues of the OperationOutcome."""
        return tuple(Problem("error", self.code, place, self.text) for place in self.expression or ("",))

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer carries beside its body."""
        return {}


class Unauthenticated(PassportError):
    """No token, or one that is `presented` and is unknown, expired or ended: the three look the same."""

    outcome = "refused"

    def __init__(
        self,
        text: str = "got no valid access token, expected `Authorization: Bearer …` that has not ended",
        *,
        presented: bool = False,
    ) -> None:
        super().__init__(401, "login", text)
        self._presented = presented

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge of RFC 6750, section 3: an error is told to whoever presented a token, and to nobody else."""
        return {"WWW-Authenticate": _CHALLENGE + (_REJECTED if self._presented else "")}


class InsufficientAuthentication(Unauthenticated):
    """The caller is known, and has to prove anew who they are: more lately, or by a second factor."""

    def __init__(self, text: str, *, max_age: timedelta | None = None, acr: str | None = None) -> None:
        super().__init__(text)
        self._max_age, self._acr = max_age, acr

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge of RFC 9470, section 3."""
        wanted = ', error="insufficient_user_authentication"'
        if self._max_age is not None:
            wanted += f', max_age="{int(self._max_age.total_seconds())}"'
        if self._acr is not None:
            wanted += f', acr_values="{self._acr}"'
        return {"WWW-Authenticate": _CHALLENGE + wanted}


class Refused(PassportError):
    """The caller may not do this; said before anything is looked up."""

    outcome = "refused"

    def __init__(self, text: str = NOTHING_PERMITS, expression: Iterable[str] = ()) -> None:
        super().__init__(403, "forbidden", text, expression)

    def tell(self, kind: str) -> None:
        """Say what holds for this kind of caller, whatever was asked."""
        if self.text == NOTHING_PERMITS and kind not in _ASKING:
            self.text = _NOTHING_PERMITS_EVER.format(kind=kind)


class OutOfScope(Refused):
    """The session's scopes do not allow this; `missing` is what the log says of it, such as `Observation.s`.

    The answer names it as scopes of whoever asks. Where what is stored decided, `tells` is False and it names none.
    """

    def __init__(self, missing: Iterable[str], *, tells: bool = True) -> None:
        super().__init__("the session's scopes do not allow this")
        self.missing = tuple(missing)
        self._tells = tells
        self._scopes: tuple[str, ...] = ()

    def name_for(self, context: str) -> None:
        """Say which scopes are missing: `context` is the one of whoever asks, such as `user`."""
        if self._tells:
            self._scopes = tuple(f"{context}/{each}" for each in self.missing if "." in each)
        if self._scopes:
            self.text = f"{self}, expected {', '.join(f'`{each}`' for each in self._scopes)}"

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge of RFC 6750, section 3.1."""
        scopes = f', scope="{" ".join(self._scopes)}"' if self._scopes else ""
        return {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"{scopes}'}


class NotFound(PassportError):
    """Absent, deleted before it was seen, or not for this caller: one identical answer."""

    outcome = "not-found"

    def __init__(self, text: str = "no such resource") -> None:
        super().__init__(404, "not-found", text)


class NoOperation(PassportError):
    """No operation of this name is carried out at this address; others may be."""

    outcome = "not-found"

    def __init__(self, name: str) -> None:
        text = f"got operation `{name[:64]}`, expected one that `/fhir/metadata` names for this address"
        super().__init__(404, "not-supported", text)


class Gone(PassportError):
    """The caller could see the record, and it was deleted."""

    outcome = "not-found"

    def __init__(self, text: str = "the resource was deleted") -> None:
        super().__init__(410, "deleted", text)


class NotAllowed(PassportError):
    """The method does not go with this address, for anyone or for this caller."""

    outcome = "refused"

    def __init__(self, text: str = "this method is not allowed here", allowed: Iterable[str] = ()) -> None:
        super().__init__(405, "not-supported", text)
        self.allowed = tuple(allowed)

    @property
    def headers(self) -> Mapping[str, str]:
        """The methods that the address does take, for anyone."""
        return {"Allow": ", ".join(self.allowed)} if self.allowed else {}


def not_taken(method: str, allowed: Iterable[str]) -> NotAllowed:
    """An address that takes other methods than this one."""
    listed = tuple(allowed)
    return NotAllowed(
        f"got {method}, which is not allowed here, expected one of {', '.join(listed)}", allowed=listed
    )


class NothingToUpdate(NotAllowed):
    """An update of what is not there for this caller, whether it is there or not: one identical answer."""

    def __init__(self) -> None:
        super().__init__(
            "there is nothing of this id to update; a new record is created by POST, which gives it an id"
        )


class Overtaken(NothingToUpdate):
    """Somebody else wrote the first version of this record at the same instant; asked again, it is an update."""


class Conflict(PassportError):
    """The state of what the caller may see does not go with the request."""

    outcome = "invalid"

    def __init__(self, text: str, expression: Iterable[str] = ()) -> None:
        super().__init__(409, "conflict", text, expression)


class PreconditionFailed(PassportError):
    """The current version is another one than the request is made for, or there is one and should be none.

    `seen` is its number where whoever asks may read it.
    """

    outcome = "invalid"

    def __init__(self, text: str = "", *, seen: int | None = None) -> None:
        shown = "" if seen is None else f' `W/"{seen}"`,'
        is_none = f"the current version is{shown} none that `If-Match` or `If-None-Match` allows"
        super().__init__(412, "conflict", text or is_none)


class Invalid(PassportError):
    """The caller's input breaks the specification (400) or a rule about its meaning (422)."""

    outcome = "invalid"

    def __init__(
        self,
        problems: str | Iterable[Problem],
        expression: Iterable[str] = (),
        *,
        status: Literal[400, 422] = 400,
        code: str = "invalid",
    ) -> None:
        self._problems = () if isinstance(problems, str) else tuple(problems)
        text = problems if isinstance(problems, str) else "; ".join(found.text for found in self._problems)
        super().__init__(status, code, text, expression)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every finding at once, where there are several; one that names no place has the one of all."""
        first = next(iter(self.expression), "")
        named = (found if found.expression else replace(found, expression=first) for found in self._problems)
        return tuple(named) or super().problems


class TooLarge(PassportError):
    """The body is longer than the service reads."""

    outcome = "invalid"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(413, "too-long", f"got a longer body, expected at most {most_bytes} bytes")


class UnsupportedMedia(PassportError):
    """The body's media type, or its encoding, is not one that this address reads."""

    outcome = "invalid"

    def __init__(self, expected: str, got: str = "", header: str = "Content-Type") -> None:
        shown = f"{header} `{got[:64]}`" if got else f"no {header}"
        super().__init__(415, "not-supported", f"got {shown}, expected `{expected}`")


class UnsupportedPatch(UnsupportedMedia):
    """The patch is of no format that is read: merging what was sent with what is stored is none of them."""

    def __init__(self, got: str = "") -> None:
        super().__init__("` or `".join(PATCH_FORMATS), got)

    @property
    def headers(self) -> Mapping[str, str]:
        """The formats that are read: RFC 5789, section 3.1."""
        return {"Accept-Patch": ", ".join(PATCH_FORMATS)}


class TooMany(PassportError):
    """The caller's own requests are too many; nobody else's count."""

    outcome = "refused"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(429, "throttled", f"got too many requests, expected a pause of {retry_seconds} s")
        self.retry_seconds = retry_seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.retry_seconds)}


class Unavailable(PassportError):
    """The service cannot keep its promises now, so it answers nothing."""

    def __init__(self, text: str = "the service is not available, try again later") -> None:
        super().__init__(503, "transient", text)


class TimedOut(PassportError):
    """A statement ran longer than statements may; the work was undone."""

    def __init__(self) -> None:
        super().__init__(503, "timeout", "the answer took too long, expected a narrower question")


# The first row whose class fits; whatever fits none is a fault of ours and is answered as one.
_TRANSLATIONS: Final[tuple[tuple[type[Exception], Literal[400, 404, 422, 503]], ...]] = (
    (ParseError, 400),
    (InvalidResource, 422),
    (UnknownType, 404),
    (SearchError, 400),
    (BadCursor, 400),
    (ConsentError, 422),
    (psycopg.OperationalError, 503),
    (psycopg.InterfaceError, 503),
    (PoolTimeout, 503),
)

FAULT_TEXT: Final = "the service failed, and nothing was answered"


def translated(error: Exception) -> PassportError:
    """Return the error that a caller is answered with for any exception; a foreign text stays here."""
    if isinstance(error, PassportError):
        return error
    if isinstance(error, psycopg.errors.QueryCanceled):
        return TimedOut()
    status = next((status for kind, status in _TRANSLATIONS if isinstance(error, kind)), None)
    if status == 503:
        return Unavailable()
    if status == 404:
        return PassportError(404, "not-supported", f"{error}, see `/fhir/metadata`")
    if status in (400, 422) and isinstance(error, FhirStoreError | ConsentError):
        findings = getattr(error, "problems", None) or str(error)
        place = getattr(error, "parameter", "")
        code = "invalid" if status == 400 else "processing"
        return Invalid(findings, (place,) if place else (), status=status, code=code)
    return PassportError(500, "exception", FAULT_TEXT)


@contextmanager
def naming(place: str | Callable[[], str]) -> Iterator[None]:
    """Have an error that names no place in the caller's input name this one, such as `Bundle.entry[2]`.

    A place that has to be looked for is given as what finds it, and is looked for where there is an error alone.
    """
    try:
        yield
    except (PassportError, FhirStoreError) as error:
        known = translated(error)
        if not any(problem.expression for problem in known.problems):
            found = place() if callable(place) else place
            known.expression = (found,) if found else known.expression
        if known is error:
            raise
        raise known from error


def operation_outcome(error: PassportError) -> bytes:
    """Return the OperationOutcome of an error as JSON; the same error gives the same bytes."""
    return issues_outcome(error.problems)


def issues_outcome(problems: Iterable[Problem]) -> bytes:
    """Return the OperationOutcome of findings as JSON, in their order."""
    issues = [_issue(problem) for problem in problems]
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": issues})


def _issue(problem: Problem) -> dict[str, object]:
    place = f" (line {problem.line}, column {problem.column})" if problem.line is not None else ""
    issue: dict[str, object] = {
        "severity": problem.severity,
        "code": problem.code,
        "diagnostics": problem.text + place,
    }
    if problem.expression:
        issue["expression"] = [problem.expression]
    return issue
