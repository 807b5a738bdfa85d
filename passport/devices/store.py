"""The statements of devices, each named for what it does; who runs them stands in a transaction.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from typing import Final

from passport.sql import Prepared

_ENROLMENT_COLUMNS: Final = """
SELECT device.patient_key, patient.patient_id, patient.wrapped_key, device.device_key, device.device_id,
    device.model, device_model.readings, device.kid, device.jwk, device.consent_id, device.enrolled_at,
    CASE
        WHEN device.status <> 'approved' THEN device.status
        WHEN EXISTS (
            SELECT 1 FROM consent_grant
            WHERE consent_grant.patient_key = device.patient_key
                AND consent_grant.consent_key = device.consent_key AND consent_grant.effect = 1
        ) THEN 'active'
        ELSE 'suspended'
    END AS status
"""

ENROLMENT: Final = Prepared(
    f"""
{_ENROLMENT_COLUMNS}
FROM locator
JOIN device ON device.patient_key = locator.patient_key AND device.device_key = locator.record_key
JOIN patient ON patient.patient_key = device.patient_key
JOIN device_model ON device_model.model = device.model
WHERE locator.record_key = %(device_key)s
""",
    {},
)
"""A device by its id alone, as its person's Consent has it now."""

ENROLMENTS: Final = Prepared(
    f"""
{_ENROLMENT_COLUMNS}
FROM device
JOIN patient ON patient.patient_key = device.patient_key
JOIN device_model ON device_model.model = device.model
WHERE device.patient_key = %(patient_key)s
ORDER BY device.enrolled_at DESC, device.device_id
""",
    {},
)
"""All devices of a person, the newest first."""

ENROL: Final = Prepared(
    """
INSERT INTO device (patient_key, device_key, device_id, model, kid, jwk, status, enrolled_at)
VALUES (%(patient_key)s, %(device_key)s, %(device_id)s, %(model)s, %(kid)s, %(jwk)s, 'pending', %(now)s)
""",
    {},
)
"""Remember a device and its key; it may do nothing yet."""

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
SELECT model, manufacturer, display, readings, active FROM device_model ORDER BY model
""",
    {},
)
"""The registry."""

MODEL: Final = Prepared(
    """
SELECT model, manufacturer, display, readings, active FROM device_model WHERE model = %(model)s
""",
    {},
)
"""One model of the registry."""

PUT_MODEL: Final = Prepared(
    """
INSERT INTO device_model (model, manufacturer, display, readings, active)
VALUES (%(model)s, %(manufacturer)s, %(display)s, %(readings)s, %(active)s)
ON CONFLICT (model) DO UPDATE SET manufacturer = excluded.manufacturer, display = excluded.display,
    readings = excluded.readings, active = excluded.active
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
SELECT quarantine.patient_key, wrapped_key, quarantine_id, source, reason, content, received_at
FROM quarantine JOIN patient USING (patient_key)
WHERE patient_key = %(patient_key)s AND (
    %(before)s::timestamptz IS NULL OR (received_at, quarantine_id) < (%(before)s, %(before_id)s::uuid)
)
ORDER BY received_at DESC, quarantine_id DESC
LIMIT %(limit)s
""",
    {},
)
"""The newest quarantined readings of a person, those before a place in the order of time and id if one is given."""
