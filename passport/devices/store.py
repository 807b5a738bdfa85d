"""The statements of devices, each named for what it does; who runs them stands in a transaction.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from typing import Final

from passport.sql import Prepared


def _status(device: str) -> str:
    """Where a device stands: what its row says, and whether its person's Consent still lets it collect."""
    return f"""
    CASE
        WHEN {device}.status <> 'approved' THEN {device}.status
        WHEN EXISTS (
            SELECT 1 FROM consent_grant
            WHERE consent_grant.patient_key = {device}.patient_key
                AND consent_grant.consent_key = {device}.consent_key AND consent_grant.effect = 1
        ) THEN 'active'
        ELSE 'suspended'
    END"""


_ENROLMENT_COLUMNS: Final = f"""
SELECT device.patient_key, patient.patient_id, patient.wrapped_key, device.device_key, device.device_id,
    device.model, device_model.readings, device_model.gateway AS forwards,
    coalesce(device.jwk, gateway.jwk) AS jwk,
    CASE WHEN device.jwk IS NULL THEN gateway.next_jwk ELSE device.next_jwk END AS next_jwk,
    device.consent_id, device.enrolled_at, {_status("device")} AS status,
    gateway.device_id AS gateway_id, device.gateway_key,
    CASE WHEN gateway.device_key IS NOT NULL THEN {_status("gateway")} END AS gateway_status
"""
_ENROLMENT_TABLES: Final = """
JOIN patient ON patient.patient_key = device.patient_key
JOIN device_model ON device_model.model = device.model
LEFT JOIN device AS gateway
    ON gateway.patient_key = device.patient_key AND gateway.device_key = device.gateway_key
"""

ENROLMENT: Final = Prepared(
    f"""
{_ENROLMENT_COLUMNS.strip()}
FROM locator
JOIN device ON device.patient_key = locator.patient_key AND device.device_key = locator.record_key
{_ENROLMENT_TABLES.strip()}
WHERE locator.record_key = %(device_key)s
""",
    {},
)
"""A device by its id alone, as its person's Consent has it now, and the gateway that signs for it."""

ENROLMENTS: Final = Prepared(
    f"""
{_ENROLMENT_COLUMNS.strip()}
FROM device
{_ENROLMENT_TABLES.strip()}
WHERE device.patient_key = ANY (%(patient_keys)s::bigint[])
ORDER BY device.enrolled_at DESC, device.device_id
""",
    {},
)
"""All devices of a person by these registrations, the newest first."""

ENROL: Final = Prepared(
    """
INSERT INTO device (patient_key, device_key, device_id, model, jwk, gateway_key, status, enrolled_at, enrolled_by)
VALUES (%(patient_key)s, %(device_key)s, %(device_id)s, %(model)s, %(jwk)s, %(gateway_key)s, 'pending', %(now)s,
    %(enrolled_by)s)
""",
    {},
)
"""Remember a device and its key, or the gateway that signs for it; it may do nothing yet."""

ANNOUNCE_KEY: Final = Prepared(
    """
UPDATE device SET next_jwk = %(jwk)s WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s
""",
    {},
)
"""Keep the key that a device goes on with, beside the one that it has."""

TAKE_KEY: Final = Prepared(
    """
UPDATE device SET jwk = next_jwk, next_jwk = NULL
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s AND next_jwk = %(jwk)s
""",
    {},
)
"""Let a device go on with the key that it announced; the former one is nothing from then on."""

CERTIFY: Final = Prepared(
    """
INSERT INTO device_certificate (patient_key, device_key, thumbprint, kid, content, issued_at, ends_at)
VALUES (%(patient_key)s, %(device_key)s, %(thumbprint)s, %(kid)s, %(content)s, %(now)s, %(ends_at)s)
""",
    {},
)
"""Keep which certificate a device was given."""

CERTIFIED: Final = Prepared(
    """
SELECT ends_at FROM device_certificate
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s AND thumbprint = %(thumbprint)s
    AND ends_at > %(now)s
""",
    {},
)
"""Whether a certificate is a device's, and is good."""

CERTIFIED_LATELY: Final = Prepared(
    """
SELECT kid, content FROM device_certificate
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s AND issued_at > %(since)s
ORDER BY issued_at DESC
""",
    {},
)
"""Which certificates a device was given lately, the newest first."""

CLAIM: Final = Prepared(
    """
INSERT INTO device_claim (claim_id, code_hash, model, serial, jwk, expires_at)
VALUES (%(claim_id)s, %(code_hash)s, %(model)s, %(serial)s, %(jwk)s, %(expires_at)s)
""",
    {},
)
"""Keep what a device says of itself, until somebody enters its code."""

FORGET_CLAIMS: Final = Prepared("DELETE FROM device_claim WHERE expires_at < %(before)s", {})
"""Forget claims that nobody can ask about any more."""

CLAIMED: Final = Prepared(
    """
SELECT claim_id, model, serial, jwk, expires_at, redeemed_at, device_id FROM device_claim
WHERE claim_id = %(claim_id)s
""",
    {},
)
"""What became of a claim."""

REDEEMABLE: Final = Prepared(
    """
SELECT claim_id, model, serial, jwk FROM device_claim
WHERE code_hash = %(code_hash)s AND expires_at > %(now)s AND redeemed_at IS NULL
""",
    {},
)
"""The claim of a code that is still good."""

REDEEM: Final = Prepared(
    """
UPDATE device_claim SET redeemed_at = %(now)s, device_id = %(device_id)s
WHERE claim_id = %(claim_id)s AND expires_at > %(now)s AND redeemed_at IS NULL
RETURNING claim_id
""",
    {},
)
"""Spend a code; of any number at once the first gets it, and the others nothing."""

ENROLLED: Final = Prepared(
    """
SELECT status FROM device
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s AND status <> 'revoked'
""",
    {},
)
"""Whether a device is enrolled and was not revoked."""

LOCK: Final = Prepared(
    """
SELECT status FROM device WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s FOR UPDATE
""",
    {},
)
"""Hold a device until the transaction ends: its messages and the changes of its state come one by one."""

CHANGE: Final = Prepared(
    """
UPDATE device SET status = %(status)s, consent_id = %(consent_id)s, consent_key = %(consent_key)s
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s
""",
    {},
)
"""Note where a device stands in its life, and the Consent that approved it."""

MODELS: Final = Prepared(
    """
SELECT model, manufacturer, display, readings, active, gateway FROM device_model ORDER BY model
""",
    {},
)
"""The registry."""

MODEL: Final = Prepared(
    """
SELECT model, manufacturer, display, readings, active, gateway FROM device_model WHERE model = %(model)s
""",
    {},
)
"""One model of the registry."""

PUT_MODEL: Final = Prepared(
    """
INSERT INTO device_model (model, manufacturer, display, readings, active, gateway)
VALUES (%(model)s, %(manufacturer)s, %(display)s, %(readings)s, %(active)s, %(gateway)s)
ON CONFLICT (model) DO UPDATE SET manufacturer = excluded.manufacturer, display = excluded.display,
    readings = excluded.readings, active = excluded.active, gateway = excluded.gateway
""",
    {},
)
"""Write one model of the registry."""

ANSWERED: Final = Prepared(
    """
SELECT digest, answer FROM device_message
WHERE patient_key = %(patient_key)s AND device_key = %(device_key)s AND counter = %(counter)s
""",
    {},
)
"""What was answered to this counter, and to which bytes."""

KNOWN: Final = Prepared(
    """
SELECT reading, observation_id FROM device_reading
WHERE patient_key = %(patient_key)s AND reading = ANY(%(readings)s)
""",
    {},
)
"""Which of these readings are stored already, and as what."""

ANSWER: Final = Prepared(
    """
INSERT INTO device_message (patient_key, device_key, counter, digest, answer, received_at)
VALUES (%(patient_key)s, %(device_key)s, %(counter)s, %(digest)s, %(answer)s, %(now)s)
""",
    {},
)
"""Remember the answer; the counter is taken from now on."""

REMEMBER: Final = Prepared(
    """
INSERT INTO device_reading (patient_key, reading, observation_id)
SELECT %(patient_key)s, reading, observation_id
FROM unnest(%(readings)s::uuid[], %(observation_ids)s::text[]) AS rows (reading, observation_id)
""",
    {},
)
"""Remember readings, so that one that comes again is found."""

QUARANTINE: Final = Prepared(
    """
INSERT INTO quarantine (patient_key, quarantine_id, source, reason, content, received_at)
SELECT %(patient_key)s, quarantine_id, %(source)s, reason, content, %(now)s
FROM unnest(%(ids)s::uuid[], %(reasons)s::text[], %(contents)s::bytea[])
    AS rows (quarantine_id, reason, content)
ON CONFLICT (patient_key, quarantine_id) DO NOTHING
""",
    {},
)
"""Keep readings that cannot be believed, sealed."""

QUARANTINED: Final = Prepared(
    """
SELECT own.patient_key, patient.wrapped_key, quarantine_id, source, reason, content, received_at
FROM unnest(%(patient_keys)s::bigint[]) AS own (patient_key)
CROSS JOIN LATERAL (
    SELECT quarantine_id, source, reason, content, received_at FROM quarantine
    WHERE quarantine.patient_key = own.patient_key AND (
        %(before)s::timestamptz IS NULL OR (received_at, quarantine_id) < (%(before)s, %(before_id)s::uuid)
    )
    ORDER BY received_at DESC, quarantine_id DESC
    LIMIT %(limit)s
) AS newest
JOIN patient ON patient.patient_key = own.patient_key
ORDER BY received_at DESC, quarantine_id DESC
LIMIT %(limit)s
""",
    {},
)
"""The newest quarantined readings of a person, those before a place in the order of time and id if one is given."""
