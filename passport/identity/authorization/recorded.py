"""What became of a request to the authorization server: its audit row, and the answer to what is refused.

https://profiles.ihe.net/ITI/IUA/
"""

from authlib.oauth2 import OAuth2Error

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import tokens
from passport.identity.authorization.core import Answer, Turn
from passport.identity.authorization.errors import RETRY
from passport.identity.scopes import told
from passport.outcomes import Outcome


def refused(refusal: OAuth2Error) -> Answer:
    """The answer to what is not granted."""
    status, body, headers = refusal()
    return Answer(status, body, headers={name: value for name, value in headers if name == RETRY})


async def audit(turn: Turn, action: str, query: str, error: str | None, *, detail: str) -> None:
    """Keep what became of a request, in its transaction."""
    subject, client = turn.subject, turn.client
    outcome: Outcome = "success" if error is None else "refused"
    own = NOBODY if subject is None or subject.patient_key is None else subject.patient_key
    row = AuditRow(
        patient_key=own,
        audit_id=tokens.random_uuid(turn.runtime),
        recorded=turn.now,
        action=action,
        kind=subject.kind if subject else "service" if client else "",
        outcome=outcome,
        subject=subject.reference if subject else client.subject if client else None,
        role=subject.role if subject else None,
        client=subject.client if subject else None,
        purpose=subject.purpose if subject and error is None else None,
        query=query,
        detail=error or detail,
        session_id=turn.session_id,
        scopes=sorted(told(subject.scopes)) if subject and error is None else (),
    )
    await record(turn.connection, [row])
