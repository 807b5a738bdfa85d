"""The town's institutions and people as FHIR resources: what an operator writes into the directory.

http://hl7.org/fhir/R4/organization.html
http://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from passport.demo.residents import Resident

Tree = dict[str, Any]
References = Mapping[str, str]
"""What each key of the demo became on the server: `hospital` → `Organization/…`."""

TOWN: Final = "架空市"
RESIDENT_NUMBER: Final = "http://passport.example/resident-number"

_ORGANIZATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/organization-type"
_NAME_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_RELATION: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Institution:
    """An organization; `part_of` is the key of the one above it."""

    key: str
    name: str
    kind: str = "prov"
    part_of: str | None = None

    def resource(self, references: References) -> Tree:
        """The Organization, its parent being written already."""
        tree: Tree = {
            "resourceType": "Organization",
            "active": True,
            "type": [{"coding": [{"system": _ORGANIZATION_TYPE, "code": self.kind}]}],
            "name": self.name,
        }
        if self.part_of is not None:
            tree["partOf"] = {"reference": references[self.part_of]}
        return tree


@dataclass(frozen=True, slots=True)
class Clinician:
    """A physician or pharmacist, and the one role in which they act; `key` names that role."""

    key: str
    name: str
    kana: str
    at: str
    profession: str = "doctor"

    def practitioner(self) -> Tree:
        """The person."""
        return {"resourceType": "Practitioner", "active": True, "name": _names(self.name, self.kana)}

    def role(self, references: References) -> Tree:
        """The person's role at the institution, both being written already."""
        return {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": references[person_key(self)]},
            "organization": {"reference": references[self.at]},
            "code": [{"coding": [{"system": _ROLE, "code": self.profession}]}],
        }


def person_key(clinician: Clinician) -> str:
    """The key of the Practitioner behind a role's key."""
    return f"{clinician.key}-person"


# Parents stand before their parts.
INSTITUTIONS: Final = (
    Institution("hospital", f"{TOWN}立 見本中央病院"),
    Institution("internal-medicine", "見本中央病院 循環器内科", "dept", part_of="hospital"),
    Institution("emergency", "見本中央病院 救急科", "dept", part_of="hospital"),
    Institution("hospital-elsewhere", "例示総合病院"),
    Institution("clinic", "雛形内科クリニック"),
    Institution("pharmacy", "れいじ薬局 駅前店"),
    Institution("telemedicine", "遠隔高血圧外来 てほん", "prov"),
)

CLINICIANS: Final = (
    Clinician("physician", "見本 医子", "ミホン イコ", at="internal-medicine"),
    Clinician("physician_elsewhere", "例示 医郎", "レイジ イロウ", at="hospital-elsewhere"),
    Clinician("emergency_physician", "架空 救", "カクウ スクウ", at="emergency"),
    Clinician("general_practitioner", "雛形 診", "ヒナガタ シン", at="clinic"),
    Clinician("pharmacist", "仮名 調", "カメイ シラベ", at="pharmacy", profession="pharmacist"),
)


def patient(resident: Resident, number: int) -> Tree:
    """A resident as the operator registers them; `number` counts from 1."""
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": RESIDENT_NUMBER, "value": f"R-{number:05d}"}],
        "name": _names(resident.name, resident.kana),
        "gender": resident.gender,
        "birthDate": resident.born.isoformat(),
        "address": [
            {"use": "home", "text": f"架空県{TOWN}見本町{number}番地", "city": TOWN, "country": "JP"}
        ],
    }


def sandbox_patient() -> Tree:
    """Whom conformance suites write about, so that no resident's records are touched."""
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": RESIDENT_NUMBER, "value": "R-00000"}],
        "name": _names("適合性 試験", "テキゴウセイ シケン"),
    }


def related_person(patient_reference: str) -> Tree:
    """The child in another town who acts for the resident of the persona file."""
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": {"reference": patient_reference},
        "relationship": [{"coding": [{"system": _RELATION, "code": "CHILD"}]}],
        "name": _names("見本 遠也", "ミホン トオヤ"),
    }


def _names(name: str, kana: str) -> list[Tree]:
    return [_name(name, "IDE"), _name(kana, "SYL")]


def _name(name: str, representation: str) -> Tree:
    family, _, given = name.partition(" ")
    return {
        "extension": [{"url": _NAME_REPRESENTATION, "valueCode": representation}],
        "use": "official",
        "text": name,
        "family": family,
        "given": [given],
    }
