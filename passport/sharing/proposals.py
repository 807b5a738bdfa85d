"""What a proposal may say of itself, whichever way it is put: who asks, and why.

http://hl7.org/fhir/R4/consent.html

Its person reads it as said by the service. So nobody asks in another one's name, and the reason is one that a request
by the sharing route could give as well.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from fhirstore.errors import Problem
from passport.outcomes import Invalid
from passport.sharing.consents import REASON
from passport.sharing.legible import is_legible

REASON_CHARACTERS: Final = range(4, 501)
REASON_EXPECTED: Final = (
    f"{REASON_CHARACTERS.start} to {REASON_CHARACTERS.stop - 1} characters in one line, all of them visible"
)


def is_reason(text: object) -> bool:
    """Whether these are words that a person can be shown as a reason."""
    return isinstance(text, str) and len(text.strip()) in REASON_CHARACTERS and is_legible(text.strip())


def check_proposal(tree: Mapping[str, Any], requester: Collection[str | None]) -> None:
    """Refuse a proposal that names another requester than its author, or gives a reason that cannot be shown.

    Args:
        tree: the Consent, valid.
        requester: by which references its author is known.

    Raises:
        Invalid: it does.
    """
    if problems := list(_problems(tree, requester)):
        raise Invalid(problems, status=422)


def _problems(tree: Mapping[str, Any], requester: Collection[str | None]) -> Iterator[Problem]:
    for at, one in enumerate(tree.get("performer", ())):
        if one.get("reference") not in requester:
            text = "got another performer, expected nobody but who puts the proposal"
            yield Problem("error", "business-rule", f"Consent.performer[{at}]", text)
    reasons = [(at, one) for at, one in enumerate(tree.get("extension", ())) if one.get("url") == REASON]
    for at, one in reasons:
        if len(reasons) > 1 or not is_reason(one.get("valueString")):
            text = f"got no reason that can be shown, expected one of {REASON_EXPECTED}"
            yield Problem("error", "business-rule", f"Consent.extension[{at}].valueString", text)
