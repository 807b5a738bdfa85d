"""Documents, forms, files, and terminology.

http://hl7.org/fhir/R4/foundation-module.html
http://hl7.org/fhir/R4/documents.html
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths
from fhirstore.types.systems import LOINC, PUBLICATION_STATUS

DOCUMENTS: Final = (
    ResourceType(name="Bundle", number=TypeNumber(22)),
    ResourceType(
        name="DocumentReference",
        number=TypeNumber(39),
        patients=paths("subject", "author", "context.sourcePatientInfo"),
        codes=paths("type"),
        systems=(LOINC,),
        categories=paths("category"),
        times=paths("context.period", "date"),
        authors=paths("author"),
        status=("status",),
        status_system="http://hl7.org/fhir/document-reference-status",
    ),
    # Nobody could say what is in it: the record that it belongs to says who may see it.
    ResourceType(
        name="Binary",
        number=TypeNumber(40),
        patients=paths("securityContext"),
        follows=paths("securityContext"),
        bound=True,
    ),
    ResourceType(
        name="Composition",
        number=TypeNumber(41),
        patients=paths(
            "subject", "author", "attester.party", "section*.author", "section*.focus", "section*.entry"
        ),
        codes=paths("type"),
        systems=(LOINC,),
        categories=paths("category"),
        times=paths("event.period", "date"),
        authors=paths("author", "section*.author"),
        status=("status",),
        status_system="http://hl7.org/fhir/composition-status",
    ),
    ResourceType(
        name="Questionnaire",
        number=TypeNumber(42),
        directory=True,
        codes=paths("code"),
        systems=(LOINC,),
        times=paths("date"),
        status=("status",),
        status_system=PUBLICATION_STATUS,
    ),
    ResourceType(
        name="QuestionnaireResponse",
        number=TypeNumber(43),
        patients=paths("subject", "author", "source"),
        times=paths("authored"),
        authors=paths("author", "source"),
        status=("status",),
        status_system="http://hl7.org/fhir/questionnaire-answers-status",
    ),
    ResourceType(
        name="ValueSet",
        number=TypeNumber(44),
        sandbox=True,
        times=paths("date"),
        status=("status",),
        status_system=PUBLICATION_STATUS,
    ),
    ResourceType(
        name="CodeSystem",
        number=TypeNumber(45),
        sandbox=True,
        times=paths("date"),
        status=("status",),
        status_system=PUBLICATION_STATUS,
    ),
)
