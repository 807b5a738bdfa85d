"""What a session needs at an address outside of `/fhir`, before anything is read or written for it.

https://www.rfc-editor.org/rfc/rfc6750#section-3.1

Most sessions are somebody's own and narrowed by nothing. One by which an app acts, or that was narrowed, gets what its
scopes say and nothing else: either the address does what some scope of records means too, or it is for one's own
sessions alone. An address of which nothing is said is for these. Which address needs what is said in
`passport.routes.needed`; below `/fhir` each record is asked about.
"""

from dataclasses import dataclass
from enum import Enum

from passport.identity.record_scopes import Right


class Kept(Enum):
    """What is not said by a scope of records."""

    OWN = "for a session of one's own that nothing narrows"
    ITSELF = "for every session, about that session alone"
    RECORDS = "below /fhir: scopes are asked for with each record"
    TOKENLESS = "asked without a session"


@dataclass(frozen=True, slots=True)
class Scoped:
    """A right on one of these types.

    `whole` is on all records of the type, else on some of them: which ones is asked again with each record. `hidden`
    answers as if nothing were there, and `left_over` lets somebody through too who acts for another person and to whom
    no scope is left. `in_person` lets a session through with no app between, whatever its scopes: what it begins keeps
    them.
    """

    right: Right
    types: tuple[str, ...]
    whole: bool = True
    hidden: bool = False
    left_over: bool = False
    in_person: bool = False


Needs = Kept | Scoped
