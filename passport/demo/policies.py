"""The policies of the city: written by two operators, they count for every resident.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Any, Final

from passport.demo import consents
from passport.demo.books import Books
from passport.demo.client import Caller, TokenSource, granted
from passport.demo.personas import SANDBOX
from passport.demo.town import Institution, sandbox_patient

OPERATOR: Final = ("operator", "HOPERAT")
SECOND_OPERATOR: Final = ("operator/second", "HOPERAT")


def write(base_url: str, tokens: TokenSource, policy: dict[str, Any]) -> None:
    """One operator proposes a policy, another puts it into force.

    Raises:
        Refused: it was not taken.
    """
    proposing, confirming = tokens([OPERATOR, SECOND_OPERATOR])
    with Caller(base_url, proposing) as first, Caller(base_url, confirming) as second:
        path = f"/fhir/{first.create({**policy, 'status': 'proposed'})}"
        proposed = granted(second.get(path)).json()
        granted(second.put(path, {**proposed, "status": "active"}))


def open_sandbox(base_url: str, tokens: TokenSource, books: Books) -> None:
    """The organization that conformance suites act as, a patient for them, and its policies; once."""
    if SANDBOX in books.references:
        return
    (token,) = tokens([OPERATOR])
    with Caller(base_url, token) as operator:
        organization = operator.create(
            Institution(SANDBOX, "適合性試験（サンドボックス）", "other").resource({})
        )
        books.references[f"{SANDBOX}-patient"] = operator.create(sandbox_patient())
    for policy in consents.sandbox_policies(organization):
        write(base_url, tokens, policy)
    books.references[SANDBOX] = organization
