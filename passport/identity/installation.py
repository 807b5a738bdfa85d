"""Tokens for whoever holds the folder of a demo: `passport token`, and the personas of the demo.

A production installation gives nobody a token in this way.
"""

from datetime import timedelta
from typing import Final

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import scopes as smart
from passport.identity import tokens
from passport.identity.persons import city_kind
from passport.identity.principals import KINDS_BY_TYPE, UnknownPrincipal, principal
from passport.identity.purposes import grantable
from passport.outcomes import Invalid, Refused
from passport.runtime import Runtime
from passport.subjects import Kind, Subject

LIFETIME_MAX: Final = timedelta(hours=24)
DEMO_LIFETIME: Final = timedelta(hours=2)
"""How long the tokens of a demo's personas are good for, and those of `passport token` unless it is told."""


async def issue_for(
    runtime: Runtime,
    reference: str,
    *,
    purpose: str,
    scope: str = "",
    lifetime: timedelta = DEMO_LIFETIME,
) -> tokens.Issued:
    """Issue a token to act as `reference`, and audit it.

    Args:
        runtime: the service's parts; its clock says when.
        reference: a Patient, Practitioner, PractitionerRole, RelatedPerson, Device or Organization as
            `Type/id`, or an office such as `clerk`, or one of their persons such as `clerk/suzuki`.
        purpose: the purpose of use, any but BTG.
        scope: SMART scopes, separated by spaces; empty narrows nothing.
        lifetime: how long it is good for, at most a day; by default as long as the demo's personas.

    Raises:
        Refused: this is a production installation.
        UnknownPrincipal: nobody can sign in as the reference.
        Invalid: purpose, scope or lifetime is not one that can be given.
    """
    settings = runtime.settings
    if not settings.hands_out_tokens:
        raise Refused("this is a production installation, tokens are given to whoever signs in")
    if not timedelta(0) < lifetime <= LIFETIME_MAX:
        raise Invalid(f"got another lifetime, expected 1 s to {LIFETIME_MAX}", ("ttl",))
    now = runtime.clock()
    given = smart.read(scope, _kind(reference), sandbox=settings.sandbox)
    async with runtime.pool.connection() as connection, connection.transaction():
        subject = await principal(
            runtime, connection, reference, purpose=grantable(purpose), scopes=given, now=now
        )
        smart.checked(given, subject.kind, sandbox=settings.sandbox)
        # Whoever holds the folder showed it now, and no later.
        issued = await tokens.issue(
            runtime, connection, subject, now=now, lifetime=lifetime, authenticated_at=now
        )
        await record(connection, [_row(runtime, subject, issued)])
    return issued


def _kind(reference: str) -> Kind:
    kind = city_kind(reference) or KINDS_BY_TYPE.get(reference.partition("/")[0])
    if kind is None:
        raise UnknownPrincipal
    return kind


def _row(runtime: Runtime, subject: Subject, issued: tokens.Issued) -> AuditRow:
    return AuditRow(
        patient_key=subject.patient_key or NOBODY,
        audit_id=tokens.random_uuid(runtime),
        recorded=issued.issued_at,
        action="token",
        kind=subject.kind,
        subject=subject.reference,
        role=subject.role,
        purpose=subject.purpose,
        query="passport token",
        outcome="success",
        detail=str(issued.session_id),
    )
