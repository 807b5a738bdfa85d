"""Persons of the city: operators, auditors, clerks and device approvers, each a subject of their own in an office.

https://pages.nist.gov/800-63-4/sp800-63a.html

Rules that ask for two persons compare these subjects. One human being may have two of them, as a physician may be an
auditor too: whoever hands out such a login names the Practitioner beside it, and two subjects of one Practitioner are
one person.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from passport.identity import store
from passport.outcomes import Invalid, Refused
from passport.sql import Connection, fetch
from passport.subjects import APPROVER, AUDITOR, CLERK, OPERATOR, Kind

OFFICES: Final[Mapping[str, Kind]] = MappingProxyType(
    {OPERATOR: "operator", AUDITOR: "auditor", CLERK: "clerk", APPROVER: "approver"}
)

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{2,63}")
_PRACTITIONER: Final = re.compile(r"Practitioner/[A-Za-z0-9\-.]{1,64}")


def city_kind(reference: str) -> Kind | None:
    """The kind of a subject that acts for the city, None for any other."""
    office, slash, name = reference.partition("/")
    return OFFICES.get(office) if not slash or LOGIN.fullmatch(name) else None


def office_of(reference: str) -> str | None:
    """The office that a person of the city acts in; None for others, and where an office alone is named."""
    office, slash, _ = reference.partition("/")
    return office if slash and city_kind(reference) is not None else None


def person_for(reference: str, login: str) -> str:
    """The person who signs in with `login`, where a code is for an office.

    Raises:
        Invalid: it is for another person than the login's.
    """
    if city_kind(reference) is None:
        return reference
    office = reference.partition("/")[0]
    person = f"{office}/{login}"
    if reference not in {office, person}:
        raise Invalid(f"got another person than the login's, expected `{office}` or `{person}`", ("subject",))
    return person


def practitioner_of(reference: object) -> str | None:
    """The Practitioner whom a code of the city is for as well, None where none is named.

    Raises:
        Invalid: it is no reference of one.
    """
    if reference is None:
        return None
    if not isinstance(reference, str) or not _PRACTITIONER.fullmatch(reference):
        raise Invalid("got no reference such as `Practitioner/1` in `person`", ("person",))
    return reference


async def one_person(connection: Connection, *subjects: str) -> bool:
    """Whether two of these subjects are one person, as far as it is known."""
    rows = await fetch(connection, store.PERSONS, {"subjects": list(subjects)})
    known = {row.subject: row.person for row in rows}
    persons = [known.get(subject, subject) for subject in subjects]
    return len(set(persons)) < len(persons)


async def require_another(
    connection: Connection,
    first: str,
    second: str,
    text: str = "expected another person than the one who proposed it",
) -> None:
    """Let only somebody else than the `first` do what needs two.

    Raises:
        Refused: the `second` is the same person; `text` says so.
    """
    if await one_person(connection, first, second):
        raise Refused(text)
