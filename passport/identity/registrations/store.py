"""The statements of registering clients, each named for what it does.

https://www.rfc-editor.org/rfc/rfc7591
"""

from typing import Final

from passport.identity.store import CLIENT_COLUMNS
from passport.sql import Prepared

HOLD_REGISTRATION: Final = Prepared("SELECT pg_advisory_xact_lock(%(client_key)s)", {})
"""Let whatever is done about one client come one by one until the transaction ends, registered before or not."""

PROPOSE: Final = Prepared(
    """
INSERT INTO client_proposal (client_id, registration, proposed_by, proposed_at, expires_at)
VALUES (%(client_id)s, %(registration)s, %(by)s, %(now)s, %(expires_at)s)
ON CONFLICT (client_id) DO UPDATE SET registration = excluded.registration, proposed_by = excluded.proposed_by,
    proposed_at = excluded.proposed_at, expires_at = excluded.expires_at
""",
    {},
)
"""Keep what is proposed of a client, in the place of what was proposed before."""

DROP_PROPOSAL: Final = Prepared("DELETE FROM client_proposal WHERE client_id = %(client_id)s", {})
"""Let a proposal wait no more."""

PUT_CLIENT: Final = Prepared(
    f"""
INSERT INTO client ({CLIENT_COLUMNS})
VALUES (%(client_id)s, %(name)s, %(subject)s, %(profile)s, %(redirect_uris)s, %(grant_types)s, %(auth_method)s,
    %(introspects)s, %(identity_algorithm)s,
    %(jwks)s, %(purposes)s, %(scopes)s, 'active', %(asked_by)s, %(approved_by)s)
ON CONFLICT (client_id) DO UPDATE SET name = excluded.name, subject = excluded.subject,
    redirect_uris = excluded.redirect_uris, grant_types = excluded.grant_types,
    auth_method = excluded.auth_method, introspects = excluded.introspects,
    identity_algorithm = excluded.identity_algorithm, jwks = excluded.jwks,
    purposes = excluded.purposes, scopes = excluded.scopes, state = excluded.state,
    asked_by = excluded.asked_by, approved_by = excluded.approved_by
WHERE client.profile = excluded.profile
RETURNING {CLIENT_COLUMNS}
""",
    {},
)
"""Register what was approved; a client of another profile stays, and nothing comes back."""

END_CLIENT: Final = Prepared(
    f"UPDATE client SET state = 'ended' WHERE client_id = %(client_id)s RETURNING {CLIENT_COLUMNS}", {}
)
"""End a client, or one that waits."""

_LISTED: Final = f"""
SELECT listed.client_id, {", ".join(f"client.{name.strip()}" for name in CLIENT_COLUMNS.split(",")[1:])},
    proposal.registration, proposal.proposed_by, proposal.proposed_at, proposal.expires_at
FROM (SELECT client_id FROM client UNION SELECT client_id FROM client_proposal) AS listed
LEFT JOIN client USING (client_id)
LEFT JOIN client_proposal AS proposal ON proposal.client_id = listed.client_id AND proposal.expires_at > %(now)s
"""

REGISTRATION: Final = Prepared(
    f"{_LISTED} WHERE listed.client_id = %(client_id)s"
    " AND (client.client_id IS NOT NULL OR proposal.client_id IS NOT NULL)",
    {},
)
"""What is registered and what is proposed of one client."""

WAITING: Final = Prepared(
    f"""{_LISTED}
WHERE (client.state = 'waiting' OR proposal.client_id IS NOT NULL) AND listed.client_id > %(after)s
ORDER BY listed.client_id LIMIT %(most)s
""",
    {},
)
"""Clients about which an operator has something to do, in the order of their ids."""

IN_STATE: Final = Prepared(
    f"{_LISTED} WHERE client.state = %(state)s AND listed.client_id > %(after)s"
    " ORDER BY listed.client_id LIMIT %(most)s",
    {},
)
"""Clients in a state, in the order of their ids."""
