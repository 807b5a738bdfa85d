"""The person of an お薬手帳 file as a Patient, for showing a file that belongs to nobody yet.

https://jpfhir.jp/fhir/core/1.2.0/StructureDefinition-jp-patient.html
"""

from fhirmap.jahis.model import Person
from fhirmap.jsonformat import Json, present

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def to_patient(person: Person) -> Json:
    """Return a Patient with the name in kanji (IDE) and kana (SYL), as far as the file has them."""
    return present(
        {
            "resourceType": "Patient",
            "name": [
                {
                    "extension": [{"url": REPRESENTATION, "valueCode": representation}],
                    "use": "official",
                    "text": text,
                }
                for representation, text in (("IDE", person.name), ("SYL", person.kana))
                if text
            ],
            "gender": person.sex,
            "birthDate": person.birth_date.isoformat() if person.birth_date else None,
        }
    )
