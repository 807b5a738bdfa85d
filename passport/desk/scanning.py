"""The paper that was signed at the desk: scanned, kept with the patient, and shown to no clerk again.

http://hl7.org/fhir/R4/documentreference.html
http://hl7.org/fhir/R4/binary.html

The image is a Binary that follows its DocumentReference, so that whoever is let see the one is let see the other, and
nobody else: the patient, and whom they share documents with. Both are sealed with the patient's own key.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from consent import systems
from fhirstore.parse import Tree
from passport.admission import Desk
from passport.authority import Basis
from passport.intake import write
from passport.outcomes import Invalid
from passport.pieces import Write
from passport.records import written_instant

SCAN_MAX_BYTES: Final = 2_097_152

_BEGINNINGS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
"""What a scanner sends, and how it begins."""

_CONSENT_DOCUMENT: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_RESTRICTED: Final = {"system": systems.CONFIDENTIALITY, "code": "R"}


@dataclass(frozen=True, slots=True)
class Scan:
    """A page or several, as the scanner made them."""

    content_type: str
    data: bytes


def scan_of(value: object) -> Scan:
    """Read a scan: `contentType` and `data` in base 64.

    Raises:
        Invalid: it is none, too long, or not of the type that it says.
    """
    tree = value if isinstance(value, Mapping) else {}
    kind, data = tree.get("contentType"), tree.get("data")
    if not isinstance(kind, str) or kind not in _BEGINNINGS or not isinstance(data, str):
        expected = f"`contentType`, one of {', '.join(_BEGINNINGS)}, and `data` in base 64"
        raise Invalid(f"got no scan, expected {expected}", ("scan",))
    try:
        content = a2b_base64(data, strict_mode=True)
    except ValueError:
        # Beside binascii's own error: what is no ASCII at all.
        raise Invalid("got `data` that is not base 64", ("scan.data",)) from None
    if len(content) > SCAN_MAX_BYTES:
        raise Invalid(f"got a scan of more than {SCAN_MAX_BYTES} bytes, expected fewer", ("scan.data",))
    if not content.startswith(_BEGINNINGS[kind]):
        raise Invalid("got a scan that is not what `contentType` says", ("scan.contentType",))
    return Scan(kind, content)


async def keep(desk: Desk, patient: str, scan: Scan, title: str) -> tuple[str, str]:
    """Store a scan; its DocumentReference, which is `preliminary` until two clerks agree, and its Binary."""
    document_id, binary_id = desk.runtime.new_id(), desk.runtime.new_id()
    binary: Tree = {
        "resourceType": "Binary",
        "id": binary_id,
        "contentType": scan.content_type,
        "securityContext": {"reference": f"DocumentReference/{document_id}"},
        "data": b64encode(scan.data).decode(),
    }
    attachment = {
        "contentType": scan.content_type,
        "url": f"Binary/{binary_id}",
        "size": len(scan.data),
        # FHIR names no other hash here; nothing rests on it.
        "hash": b64encode(sha1(scan.data, usedforsecurity=False).digest()).decode(),
        "title": title,
        "creation": written_instant(desk.now),
    }
    document: Tree = {
        "resourceType": "DocumentReference",
        "id": document_id,
        "meta": {"security": [_RESTRICTED]},
        "status": "current",
        "docStatus": "preliminary",
        "type": {"coding": [_CONSENT_DOCUMENT], "text": title},
        "subject": {"reference": patient},
        "date": written_instant(desk.now),
        "content": [{"attachment": attachment}],
    }
    writes = [
        Write("create", "DocumentReference", document, id=document_id, on=Basis.DESK),
        Write("create", "Binary", binary, id=binary_id, on=Basis.DESK),
    ]
    await write(desk, writes)
    return f"DocumentReference/{document_id}", f"Binary/{binary_id}"


async def agreed(desk: Desk, document: str) -> None:
    """Say of a scan that two clerks agreed on what it says."""
    id_ = document.partition("/")[2]
    await write(desk, [Write("update", "DocumentReference", id=id_, patch=_final, on=Basis.DESK)])


async def taken_back(desk: Desk, document: str, page: str) -> None:
    """Take a scan back: it was an error, and its image goes."""
    writes = [
        Write("delete", "Binary", id=page.partition("/")[2], on=Basis.DESK),
        Write("update", "DocumentReference", id=document.partition("/")[2], patch=_error, on=Basis.DESK),
    ]
    await write(desk, writes)


def _final(tree: Tree) -> Tree:
    return {**tree, "docStatus": "final"}


def _error(tree: Tree) -> Tree:
    return {**tree, "status": "entered-in-error", "docStatus": "entered-in-error"}
