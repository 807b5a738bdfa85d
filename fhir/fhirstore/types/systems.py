"""The code systems that the specification fixes for elements, and those that codes usually come in.

http://hl7.org/fhir/R4/terminologies-systems.html
"""

from typing import Final

ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
SNOMED_CT: Final = "http://snomed.info/sct"
YJ: Final = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
HOT9: Final = "http://medis.or.jp/CodeSystem/master-HOT9"

MEDICINE_SYSTEMS: Final = (YJ, ATC, HOT9)

EVENT_STATUS: Final = "http://hl7.org/fhir/event-status"
REQUEST_STATUS: Final = "http://hl7.org/fhir/request-status"
PUBLICATION_STATUS: Final = "http://hl7.org/fhir/publication-status"
