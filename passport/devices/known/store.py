"""The statement that knows a device again: by its key, its model, and the serial number on its record.

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
WHERE device.patient_key = %(patient_key)s AND device.model = %(model)s AND device.jwk = %(jwk)s
    AND device.status <> 'revoked'
ORDER BY device.enrolled_at, device.device_id
LIMIT 1
""",
    {},
)
"""The first device of a person that was enrolled with the same model, serial number and key, and not revoked since."""
