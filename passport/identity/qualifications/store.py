"""The statements of qualifications, each named for what it does.

https://www.iso.org/standard/63019.html
"""

from typing import Final

from passport.sql import Prepared

CHALLENGE: Final = Prepared(
    """
WITH forgotten AS (DELETE FROM qualification_challenge WHERE expires_at < %(now)s - interval '1 hour')
INSERT INTO qualification_challenge (challenge_hash, login_id, expires_at)
VALUES (%(challenge_hash)s, %(login_id)s, %(expires_at)s)
""",
    {},
)
"""Keep a challenge for somebody at a browser, and forget those that are long over."""

TAKE: Final = Prepared(
    """
DELETE FROM qualification_challenge
WHERE challenge_hash = %(challenge_hash)s AND login_id = %(login_id)s AND expires_at > %(now)s
RETURNING challenge_hash
""",
    {},
)
"""Take a challenge at the browser that it was made for, once."""

RECORD: Final = Prepared(
    """
INSERT INTO qualification (qualification_id, subject, role, titles, certificate_hash, authority, serial, starts, ends,
    revocation, recorded_at)
VALUES (%(qualification_id)s, %(subject)s, %(role)s, %(titles)s, %(certificate_hash)s, %(authority)s, %(serial)s,
    %(starts)s, %(ends)s, %(revocation)s, %(now)s)
ON CONFLICT (certificate_hash) DO UPDATE SET role = excluded.role, revocation = excluded.revocation,
    recorded_at = excluded.recorded_at
WHERE qualification.subject = excluded.subject
RETURNING qualification_id, titles, authority, serial, starts, ends, revocation, recorded_at
""",
    {},
)
"""Keep what a certificate says of somebody; nothing comes back where it is somebody else's."""

OF_PERSON: Final = Prepared(
    """
SELECT qualification_id, titles, authority, serial, starts, ends, revocation, recorded_at FROM qualification
WHERE subject = %(subject)s AND ends > %(now)s
ORDER BY recorded_at DESC, qualification_id
""",
    {},
)
"""What certificates say of somebody that are not over."""
