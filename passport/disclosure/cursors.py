"""What a page's cursor is bound to: it opens for nobody else, and for no other question.

http://hl7.org/fhir/R4/http.html#paging
"""

from hashlib import sha256

from passport.admission import Desk


def cursor_context(desk: Desk, question: bytes) -> bytes:
    """A cursor opens for the same caller, in the same role, for the same purpose and the same question."""
    subject = desk.subject
    caller = "\0".join((subject.reference, subject.role or "", subject.client or "", subject.purpose))
    return sha256(caller.encode() + b"\0" + question).digest()
