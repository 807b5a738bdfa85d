"""The statement that knows a device again: by its key or gateway, its model, and the serial number on its record.

http://hl7.org/fhir/R4/device-definitions.html#Device.serialNumber
"""

from typing import Final

from passport.sql import Prepared

SAME_DEVICE: Final = Prepared(
    """
SELECT device.device_key
FROM device
JOIN identifier_index ON identifier_index.patient_key = device.patient_key
    AND identifier_index.record_key = device.device_key AND identifier_index.value = %(serial)s
WHERE device.patient_key = %(patient_key)s AND device.model = %(model)s AND device.status <> 'revoked'
    AND (device.jwk = %(jwk)s::jsonb OR device.next_jwk = %(jwk)s::jsonb
        OR device.gateway_key = %(gateway_key)s::bigint)
    AND (%(enrolled_by)s::text IS NULL OR device.enrolled_by = %(enrolled_by)s::text)
ORDER BY device.enrolled_at, device.device_id
LIMIT 1
""",
    {},
)
"""The first device of a person that was enrolled with the same model, serial number, and key or gateway, and not
revoked since: by whomever, or by one caller alone."""

HOLD: Final = Prepared("SELECT pg_advisory_xact_lock(%(device)s)", {})
"""Let enrolments of one device for one person come one by one until the transaction ends: each sees those before."""
