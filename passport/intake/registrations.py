"""What is written by who does not read it: its content shows neither in an answer nor in a refusal.

http://hl7.org/fhir/R4/http.html#ops
https://www.rfc-editor.org/rfc/rfc6902#section-4.6

A patch that fits or fails tells of what it is held against, `test` and FHIRPath in so many words. So an operator, who
may not read a registration, replaces it by what they know themselves, and reads of it which labels it bears. A session
that was not given to read a record is told which version of it was made, and nothing that was kept.
"""

from dataclasses import replace

from fhirstore.parse import Tree, parse, serialise
from fhirstore.subset import SUBSETTED
from passport.admission import Desk
from passport.labelling import security_of
from passport.outcomes import Refused
from passport.pieces import Current, Piece, Write, Written
from passport.records import written_instant


def check_patched(desk: Desk, one: Write, current: Current | None) -> None:
    """Refuse a patch of a registration that its caller does not read, whether it is there or not.

    Raises:
        Refused: it is one.
    """
    if one.shows and one.type == "Patient" and desk.subject.kind == "operator" and not _readable(current):
        raise Refused("who does not read a registration does not patch it, but replaces it as a whole")


def told(desk: Desk, piece: Piece, written: Written) -> Written:
    """What the caller is told of a record that was written.

    Of a registration that an operator does not read, its labels; of what else the session was not given to read, the
    version alone: labels and tags are kept from the version before.
    """
    current = piece.current
    if current is None or current.readable:
        return written
    registered = piece.facts.type.is_patient and desk.subject.kind == "operator"
    if current.given and not registered:
        return written
    meta: Tree = {
        "versionId": str(written.version),
        "lastUpdated": written_instant(written.last_updated),
        "security": list(security_of(parse(written.body))) if registered else [],
        "tag": [dict(SUBSETTED)],
    }
    tree = {
        "resourceType": piece.write.type,
        "id": piece.id,
        "meta": {name: one for name, one in meta.items() if one},
    }
    return replace(written, body=serialise(tree))


def _readable(current: Current | None) -> bool:
    return current is not None and current.readable
