"""A sign-in code that waits for another operator, as operators see it: for whom it is, and never the code.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from passport.records import written_instant


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row of `code_proposal`."""

    row: Any

    @property
    def digest(self) -> str:
        """A name of what is proposed: another code for the same person has another one."""
        row = self.row
        # The hash of a code is salted, so it tells one code from another, and nothing of either.
        content = [row.login, row.secret_hash, row.subject, row.role, row.purposes, row.scopes, row.person]
        return sha256(orjson.dumps(content)).hexdigest()

    @property
    def as_json(self) -> dict[str, Any]:
        """What a second operator reads before they confirm it; times are RFC 3339 in UTC."""
        row = self.row
        return {
            "login": row.login,
            "subject": row.subject,
            "role": row.role,
            "purposes": list(row.purposes),
            "scopes": list(row.scopes),
            "person": row.person,
            "by": row.proposed_by,
            "at": written_instant(row.proposed_at),
            "until": written_instant(row.expires_at),
            "proposal": self.digest,
        }
