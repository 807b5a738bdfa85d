"""Guardians of children: two clerks let them act until the child is of age, and then they see nothing by themselves.

https://laws.e-gov.go.jp/law/129AC0000000089 (民法 4 条, 818 条)
http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.period

The end stands in three places that one birth date decides: in the period of each Consent, so that it holds in the
decision; in `family_proxy.until`, which no session of the guardian outlives; and in the notices that wait for that
instant. Where the birth date is corrected all of them move with it, in the same transaction.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from fhirstore.parse import parse
from passport.admission import Desk
from passport.authority import Basis
from passport.family import store
from passport.family.age import of_age
from passport.family.grants import Relative, consents, related_person
from passport.family.inviting import Begun, remember, signing_in
from passport.identity import tokens
from passport.intake import write
from passport.notices import Kind, tell
from passport.outcomes import Conflict
from passport.pieces import Write
from passport.records import opened_body, written_instant
from passport.sql import fetch


async def begin(desk: Desk, patient_key: int, child: str, relative: Relative) -> Begun:
    """Let a guardian act for a child, as two clerks found; `child` is the child's Patient.

    Raises:
        Conflict: nobody knows when the child is of age, or it is.
    """
    until = await of_age_at(desk, patient_key, child)
    proxy_id = desk.runtime.new_id()
    written = await write(desk, list(_writes(desk, child, proxy_id, relative, until)))
    granted = tuple(one.reference for one in written if one.reference.startswith("Consent/"))
    begun = await signing_in(desk, proxy_id, granted)
    notices = await _tell(desk, patient_key, begun.proxy, until)
    await remember(desk, patient_key, proxy_id, begun, guardian=True, until=until, notices=notices)
    return begun


def _writes(desk: Desk, child: str, proxy_id: str, relative: Relative, until: datetime) -> Iterator[Write]:
    proxy, end = f"RelatedPerson/{proxy_id}", written_instant(until)
    person = related_person(child, relative, proxy_id, None)
    yield Write("create", "RelatedPerson", person, id=proxy_id, on=Basis.DESK)
    for tree in consents(child, proxy, relative, end, desk.now):
        yield Write("create", "Consent", tree, on=Basis.DESK)


async def of_age_at(desk: Desk, patient_key: int, child: str) -> datetime:
    """When a child is of age.

    Raises:
        Conflict: its birth date is not known, or it is of age.
    """
    await desk.widen(patient_key)
    place = {"patient_key": patient_key, "record_key": desk.runtime.keys.reference(child)}
    rows = await fetch(desk.connection, store.CHILD, place)
    birth_date = None
    for row in rows:
        body = opened_body(row, desk.runtime.ring.unwrap(patient_key, row.wrapped_key), row.type)
        birth_date = parse(body).get("birthDate")
    until = of_age(birth_date, desk.runtime.settings.zone)
    if until is None:
        raise Conflict(
            "got a child whose birth date is not registered, expected one who is known to be a minor"
        )
    if until <= desk.now:
        raise Conflict("got somebody who is of age, expected a minor: they decide for themselves")
    return until


async def _tell(desk: Desk, patient_key: int, guardian: str, until: datetime) -> list[UUID]:
    """Tell the child of its guardian now, and both of the hand-over when it comes."""
    about = {"guardian": guardian}

    async def leave(kind: Kind, at: datetime, recipient: str | None = None) -> UUID:
        notice_id = tokens.random_uuid(desk.runtime)
        await tell(
            desk.connection, patient_key, kind, about, notice_id=notice_id, now=at, recipient=recipient
        )
        return notice_id

    await leave("guardian-began", desk.now)
    return [await leave("came-of-age", until), await leave("guardianship-ended", until, guardian)]
