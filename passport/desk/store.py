"""The statements of the city desk, each named for what it does.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Final

from passport.sql import Prepared

_MATTER: Final = """
SELECT m.patient_key, m.matter_id, m.kind, m.content, m.document, m.proposed_by, m.proposed_at, m.decided_by,
    m.decided_at, m.outcome, m.results, p.patient_id, p.wrapped_key
FROM desk_matter AS m JOIN patient AS p USING (patient_key)
"""

PROPOSE: Final = Prepared(
    """
INSERT INTO desk_matter (patient_key, matter_id, kind, content, document, proposed_by, proposed_at, results)
VALUES (%(patient_key)s, %(matter_id)s, %(kind)s, %(content)s, %(document)s, %(proposed_by)s, %(now)s, '{}')
""",
    {},
)
"""Keep what a clerk entered, until another one decides it."""

WAITING: Final = Prepared(
    f"{_MATTER} WHERE m.decided_at IS NULL AND m.kind = ANY (%(kinds)s::text[]) "
    "ORDER BY m.proposed_at, m.matter_id LIMIT %(limit)s",
    {},
)
"""What waits for a second clerk, the oldest first."""

ONE: Final = Prepared(f"{_MATTER} WHERE m.matter_id = %(matter_id)s AND m.kind = ANY (%(kinds)s::text[])", {})
"""One matter."""

OF_KIND: Final = Prepared(
    f"{_MATTER} WHERE m.kind = %(kind)s AND (%(matter_id)s::uuid IS NULL OR m.matter_id = %(matter_id)s) "
    "ORDER BY m.proposed_at DESC, m.matter_id LIMIT %(limit)s",
    {},
)
"""The newest matters of a kind, or one of them."""

HOLD: Final = Prepared(
    f"{_MATTER} WHERE m.matter_id = %(matter_id)s AND m.kind = ANY (%(kinds)s::text[]) FOR UPDATE OF m", {}
)
"""One matter, held until the transaction ends: it is decided once."""

DECIDE: Final = Prepared(
    """
UPDATE desk_matter SET decided_by = %(decided_by)s, decided_at = %(now)s, outcome = %(outcome)s,
    results = %(results)s
WHERE patient_key = %(patient_key)s AND matter_id = %(matter_id)s
""",
    {},
)
"""Say what became of a matter."""

SHARING: Final = Prepared(
    """
SELECT DISTINCT consent_key FROM consent_grant
WHERE patient_key = ANY (%(patient_keys)s::bigint[]) AND effect = 1
    AND (%(consent_keys)s::bigint[] IS NULL OR consent_key = ANY (%(consent_keys)s))
ORDER BY consent_key
""",
    {},
)
"""The consents of these patients by which anybody sees or writes anything now; all of them, or of these."""
