"""Coming back to one's passkeys: two clerks see who it is, and print a code that is good once.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.2
"""

from collections.abc import Mapping
from re import compile as pattern
from typing import Any, Final

from passport.admission import Desk
from passport.desk.matters import Matter
from passport.desk.people import check_of_age
from passport.family.ending import held
from passport.identity.codes import login_of
from passport.identity.passkeys import recovery
from passport.members import check_members
from passport.outcomes import Invalid, NotFound
from passport.records import written_instant

RECOVERY_MEMBERS: Final = frozenset({"kind", "patient", "scan", "login", "person"})

_PROXY: Final = pattern(r"RelatedPerson/[A-Za-z0-9\-.]{1,64}")


async def recovery_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read who is to come back: the patient, or a `person` who acts for them.

    Raises:
        Invalid: an unfit member.
        NotFound: nobody of that name acts for the patient.
        Conflict: a guardian acts for the patient still, or they have no passkey.
    """
    check_members(tree, RECOVERY_MEMBERS)
    login = None if "login" not in tree else login_of(tree["login"])
    person = tree.get("person", patient)
    await _check_person(desk, desk.standing.asked, patient, person)
    return {"person": person, "login": await recovery.login_of(desk.connection, person, login)}


async def recovery_agreed(desk: Desk, matter: Matter) -> tuple[tuple[str, ...], dict[str, str]]:
    """Print the code."""
    person, login = matter.content["person"], matter.content["login"]
    await _check_person(desk, matter.patient_key, matter.patient, person)
    printed = await recovery.print_code(
        desk.runtime, desk.connection, person, login, matter.patient_key, now=desk.now
    )
    return (), {"code": printed.code, "until": written_instant(printed.until)}


async def _check_person(desk: Desk, patient_key: int | None, patient: str, person: object) -> None:
    if person == patient:
        await check_of_age(desk, patient)
        return
    if not isinstance(person, str) or not _PROXY.fullmatch(person):
        raise Invalid("got no reference such as `RelatedPerson/1` in `person`", ("person",))
    row = await held(desk, person.partition("/")[2])
    if row is None or row.patient_key != patient_key or row.ended_at is not None:
        raise NotFound("nobody of this name acts for the patient")
