"""From a reference to the subject that may sign in as it: does it exist, and what kind of caller is it?

http://hl7.org/fhir/R4/practitionerrole.html

A person acts in one PractitionerRole. The role names its practitioner, so nobody signs in to another's role.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from fhirstore.tables import NOBODY
from passport.audit.names import Named, named
from passport.identity import store
from passport.identity.persons import OFFICES, city_kind, office_of
from passport.outcomes import Invalid
from passport.patients.store import DEAD
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Kind, Subject

KINDS_BY_TYPE: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "Patient": "patient",
        "RelatedPerson": "proxy",
        "Practitioner": "practitioner",
        "PractitionerRole": "practitioner",
        "Organization": "service",
        "Device": "service",
    }
)
"""What signs in as what; a Device that belongs to a patient is of kind device instead."""


class UnknownPrincipal(Invalid):
    """Nobody can sign in as this reference."""

    def __init__(self) -> None:
        offices = " or ".join(f"`{office}`" for office in OFFICES)
        expected = f"an existing {', '.join(KINDS_BY_TYPE)}, {offices}"
        super().__init__(f"got a reference that nobody signs in as, expected {expected}", ("subject",))


async def principal(
    runtime: Runtime,
    connection: Connection,
    reference: str,
    *,
    purpose: str,
    scopes: frozenset[str],
    now: datetime,
) -> Subject:
    """Return the subject that signs in as `reference`, in the open transaction, whose wall it moves.

    Args:
        runtime: the running service.
        connection: a connection inside a transaction.
        reference: `Type/id`, or a person of the city such as `operator/suzuki`.
        purpose: the purpose of use of the session to come.
        scopes: its scopes.
        now: the instant at which a role has to be valid.

    Raises:
        UnknownPrincipal: there is no such resource, it was deleted, or its type signs nobody in; a role that is
            not a practitioner's now; or somebody who died.
    """
    kind = city_kind(reference)
    person, role, own = reference, office_of(reference), None
    if kind is None:
        record = await _existing(runtime, connection, reference)
        kind = "device" if _is_cuff(record) else KINDS_BY_TYPE[record.type]
        own = record.patient_key if kind == "patient" else None
        if own is not None and await fetch(connection, DEAD, {"patient_key": own, "now": now}):
            raise UnknownPrincipal
        if kind == "proxy":
            scopes = await _left_to_proxy(connection, runtime.keys.reference(reference), scopes, now)
        if record.type == "PractitionerRole":
            person, role = await _practitioner(runtime, connection, reference, now), reference
    return Subject(
        kind=kind,
        reference=person,
        role=role,
        client=None,
        patient_key=own,
        patient=person if own is not None else None,
        purpose=purpose,
        scopes=scopes,
        session_id=None,
        opened_patient_key=None,
    )


async def _left_to_proxy(
    connection: Connection, proxy_key: int, scopes: frozenset[str], now: datetime
) -> frozenset[str]:
    """The scopes of somebody who acts for a patient; a guardian whose child is of age has none left.

    Raises:
        UnknownPrincipal: they act no more.
    """
    for row in await fetch(connection, store.PROXY, {"proxy_key": proxy_key}):
        if row.ended_at is not None:
            raise UnknownPrincipal
        if row.guardian and row.until <= now:
            return frozenset()
    return scopes


async def resident_concerned(runtime: Runtime, connection: Connection, subject: Subject) -> int | None:
    """The patient_key of the passport that a patient or a proxy opens, None for anybody else.

    Like `principal` it moves the wall of the open transaction, to that passport.
    """
    if subject.kind not in {"patient", "proxy"}:
        return None
    return (await _existing(runtime, connection, subject.reference)).patient_key


async def _existing(runtime: Runtime, connection: Connection, reference: str) -> Named:
    key = runtime.keys.reference(reference)
    record = (await named(connection, [key])).get(key)
    if record is None or record.deleted or record.reference != reference or record.type not in KINDS_BY_TYPE:
        raise UnknownPrincipal
    return record


async def _practitioner(runtime: Runtime, connection: Connection, role: str, now: datetime) -> str:
    """The practitioner whose role it is now."""
    params = {"role_key": runtime.keys.reference(role), "now": now}
    rows = await fetch(connection, store.ROLE_MEMBERS, params)
    records = (await named(connection, [row.container for row in rows])).values()
    people = [record for record in records if record.type == "Practitioner" and not record.deleted]
    if len(people) != 1:
        raise UnknownPrincipal
    return people[0].reference


def _is_cuff(record: Named) -> bool:
    return record.type == "Device" and record.patient_key != NOBODY
