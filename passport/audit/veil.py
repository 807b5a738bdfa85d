"""What an auditor sees of a request without a case: that it was made, and neither what was asked for nor of whom.

https://profiles.ihe.net/ITI/BALP/
https://www.iso.org/standard/63553.html (ISO 25237, pseudonymization)

Parameters keep their names and lose their values. A patient is a pseudonym, the same within one session, so that
requests about one person are seen to belong together; whom the question names itself is no secret.
"""

import re
from base64 import b32encode
from collections.abc import Collection
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final
from uuid import UUID

from passport.audit.log import Logged
from passport.audit.query import MASK
from passport.subjects import Subject

PSEUDONYM: Final = "patient-"
PSEUDONYM_BYTES: Final = 10

_PATIENT: Final = re.compile(r"(?<![A-Za-z0-9])Patient/[A-Za-z0-9.\-]+")
# A parameter that names whose records are asked for, also behind a link.
_WHOSE: Final = re.compile(r"(?:.*[.:])?(?:patient|subject)(?::Patient)?")
_OF_PATIENT: Final = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9.\-]{1,64})|([A-Za-z0-9.\-]{1,64})")


@dataclass(frozen=True, slots=True)
class Veil:
    """Over what one session is shown; `named` are the references that its question names."""

    secret: bytes
    session: bytes
    named: Collection[str]

    @classmethod
    def over(cls, subject: Subject, secret: bytes, named: Collection[str]) -> "Veil":
        """The veil of whoever asks."""
        session: UUID | None = subject.session_id
        return cls(secret, subject.reference.encode() if session is None else session.bytes, named)

    def reference(self, reference: str) -> str:
        """A reference, or the pseudonym of a patient whom the question does not name."""
        return _PATIENT.sub(lambda found: self._called(found[0]), reference)

    def query(self, query: str) -> str:
        """The text of a request, or of a scope, without the values of its parameters."""
        asked, mark, rest = query.partition("?")
        path = self.reference(asked)
        return path + mark + "&".join(self._parameter(pair) for pair in rest.split("&") if pair)

    def row(self, row: Logged) -> Logged:
        """A row of the log as it shows through."""
        return replace(
            row,
            patient=self._optional(row.patient),
            subject=self._optional(row.subject),
            behalf_of=self._optional(row.behalf_of),
            query=self.query(row.query),
            # The search arguments of a scope are as much of what was asked for as those of the query.
            scopes=tuple(sorted({self.query(scope) for scope in row.scopes})),
            detail=self.reference(row.detail),
            called=self.reference,
        )

    def _called(self, patient: str) -> str:
        if patient in self.named:
            return patient
        keyed = blake2b(self.session, digest_size=PSEUDONYM_BYTES, key=self.secret, person=b"audit pseudonym")
        keyed.update(patient.encode())
        return PSEUDONYM + b32encode(keyed.digest()).decode().lower()

    def _optional(self, reference: str | None) -> str | None:
        return None if reference is None else self.reference(reference)

    def _parameter(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not value or not _WHOSE.fullmatch(name):
            return f"{name}{equals}{value and MASK}"
        return name + equals + ",".join(map(self._whose, value.split(",")))

    def _whose(self, value: str) -> str:
        """Whom a value names, by reference or by a bare id."""
        found = _OF_PATIENT.fullmatch(value)
        return self._called(f"Patient/{found[1] or found[2]}") if found else MASK
