"""Telling people what becomes of the sign-in codes for them.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4

The resident is told whose passport a code opens. Who acts for them is told as well, once they signed in: before that
there is nobody to read it but whoever has the code.
"""

from datetime import datetime
from typing import Literal

from passport.identity import tokens
from passport.identity.principals import resident_concerned
from passport.notices import tell as write
from passport.runtime import Runtime
from passport.sql import Connection
from passport.subjects import Subject

Event = Literal["sign-in-code-issued", "sign-in-code-proposed", "sign-in-code-withdrawn"]


async def tell(
    runtime: Runtime, connection: Connection, subject: Subject, kind: Event, *, known: bool, now: datetime
) -> int | None:
    """Tell of a code; the patient_key of whose passport it opens, None for clinicians and the city.

    Like `principal` it moves the wall of the open transaction, to that passport. `known` says whether they ever
    signed in.
    """
    concerned = await resident_concerned(runtime, connection, subject)
    if concerned is None:
        return None
    recipients = (None, subject.reference) if subject.kind == "proxy" and known else (None,)
    for recipient in recipients:
        notice_id, about = tokens.random_uuid(runtime), {"for": subject.reference}
        await write(connection, concerned, kind, about, notice_id=notice_id, now=now, recipient=recipient)
    return concerned
