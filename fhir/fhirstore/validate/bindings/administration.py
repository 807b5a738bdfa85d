"""Required bindings of persons, places, devices and encounters.

http://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import DAYS, ENCOUNTER_STATUS, EPISODE_STATUS, GENDER, codes

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Coverage", "status"): codes("active cancelled draft entered-in-error"),
        ("Device", "status"): codes("active inactive entered-in-error unknown"),
        ("DeviceDeviceName", "type"): codes(
            """
            udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other
            """
        ),
        ("DeviceMetric", "category"): codes("measurement setting calculation unspecified"),
        ("DeviceMetric", "color"): codes("black red green yellow blue magenta cyan white"),
        ("DeviceMetric", "operationalStatus"): codes("on off standby entered-in-error"),
        ("DeviceMetricCalibration", "state"): codes(
            "not-calibrated calibration-required calibrated unspecified"
        ),
        ("DeviceMetricCalibration", "type"): codes("unspecified offset gain two-point"),
        ("DeviceUdiCarrier", "entryType"): codes("barcode rfid manual card self-reported unknown"),
        ("Encounter", "status"): ENCOUNTER_STATUS,
        ("EncounterLocation", "status"): codes("planned active reserved completed"),
        ("EncounterStatusHistory", "status"): ENCOUNTER_STATUS,
        ("EpisodeOfCare", "status"): EPISODE_STATUS,
        ("EpisodeOfCareStatusHistory", "status"): EPISODE_STATUS,
        ("Group", "type"): codes("person animal practitioner device medication substance"),
        ("Location", "mode"): codes("instance kind"),
        ("Location", "status"): codes("active suspended inactive"),
        ("LocationHoursOfOperation", "daysOfWeek"): DAYS,
        ("Patient", "gender"): GENDER,
        ("PatientContact", "gender"): GENDER,
        ("PatientLink", "type"): codes("replaced-by replaces refer seealso"),
        ("Person", "gender"): GENDER,
        ("PersonLink", "assurance"): codes("level1 level2 level3 level4"),
        ("Practitioner", "gender"): GENDER,
        ("PractitionerRoleAvailableTime", "daysOfWeek"): DAYS,
        ("RelatedPerson", "gender"): GENDER,
    }
)
