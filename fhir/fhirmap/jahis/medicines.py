"""Medicines of a visit to MedicationDispense, MedicationRequest and MedicationStatement.

https://hl7.org/fhir/R4/medicationdispense.html and JP Core 1.2,
https://jpfhir.jp/fhir/core/1.2.0/StructureDefinition-jp-medicationdispense.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fhirmap.deviations import Deviation
from fhirmap.identity import Stamp, full_url
from fhirmap.jahis import codes
from fhirmap.jahis.dosage import dosage
from fhirmap.jahis.model import PATIENT, PROFESSIONAL, Drug, Institution, Note, Origin, Prescriber, Rp, Visit
from fhirmap.jahis.supply import Supply, duration, quantity, supply_of
from fhirmap.jsonformat import Json, present

JP_CORE = "http://jpfhir.jp/fhir/core/StructureDefinition/"
INSTITUTION_EXTENSION = "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
CREATORS = {PROFESSIONAL: "医療関係者", PATIENT: "患者等", "8": "その他", "9": "不明"}
UNKNOWN_CODE = "the code belongs to no code system known here, kept without one"
AUTHORED_ON_NOTE = "処方日は記録になく、調剤等年月日を処方日として記した。"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the records are about, who may have written them, and what names them."""

    patient: str
    origin: Origin
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class _Line:
    """One medicine with everything that it takes to state it."""

    visit: Visit
    rp: Rp
    order: int
    drug: Drug
    supply: Supply

    @property
    def day(self) -> str | None:
        return self.visit.day.isoformat() if self.visit.day else None

    @property
    def identity(self) -> tuple[object, ...]:
        """What the medicine is recognised by when the same source hands it in again.

        Notes are left out: a remark added later must not make the same medicine a second one.
        """
        drug, usage, by = self.drug, self.rp.usage, self.visit.dispenser
        return (
            self.day,
            by and (by.code or by.name),
            self.rp.number,
            *(drug.name, drug.code, drug.dose, drug.unit),
            *((usage.name, usage.quantity, usage.unit, usage.form) if usage else ()),
        )


def medicines(subject: Subject, visit: Visit) -> Iterator[Json | Deviation]:
    """Yield the records of a visit, requests before the dispenses that they authorise."""
    for rp in visit.rps:
        for order, drug in enumerate(rp.drugs, start=1):
            line = _Line(visit, rp, order, drug, supply_of(drug, rp.usage))
            if line.supply.deviation and rp.usage:
                yield Deviation(rp.usage.line, "301", line.supply.deviation)
            if not codes.is_coded(drug):
                yield Deviation(drug.line, "201", UNKNOWN_CODE)
            yield from _records(subject, line)


def _records(subject: Subject, line: _Line) -> Iterator[Json]:
    if not _by_professional(subject, line.drug):
        yield _statement(subject, line)
        return
    request = _request(subject, line, line.rp.prescriber) if line.rp.prescriber else None
    if request is not None:
        yield request
    yield _dispense(subject, line, request)


def _by_professional(subject: Subject, drug: Drug) -> bool:
    if drug.creator is None:
        return subject.origin == "provider"
    return drug.creator == PROFESSIONAL


def _dispense(subject: Subject, line: _Line, request: Json | None) -> Json:
    identifier = subject.stamp.identifier("MedicationDispense", *line.identity)
    total = quantity(line.supply.total, line.drug.unit)
    complete = line.day and total and "code" in total and line.rp.number
    return present(
        {
            "resourceType": "MedicationDispense",
            "meta": {"profile": [JP_CORE + "JP_MedicationDispense"]} if complete else None,
            "identifier": _identifiers(line, identifier),
            "status": "completed",
            "medicationCodeableConcept": codes.medication(line.drug),
            "subject": {"reference": subject.patient},
            "performer": _performers(line.visit),
            "authorizingPrescription": request and [{"reference": _url(request)}],
            "quantity": total,
            "daysSupply": duration(line.supply),
            "whenHandedOver": line.day,
            "note": annotations([*line.drug.notes, *line.rp.notes, *line.visit.notes]),
            "dosageInstruction": dosage(line.rp, line.drug, line.supply),
        }
    )


def _request(subject: Subject, line: _Line, prescriber: Prescriber) -> Json:
    identifier = subject.stamp.identifier("MedicationRequest", *line.identity)
    institution = prescriber.institution
    number = codes.institution_identifier(institution) if institution else None
    days = duration(line.supply) if line.supply.days is not None else None
    dispense = {"quantity": quantity(line.supply.total, line.drug.unit), "expectedSupplyDuration": days}
    instructions = dosage(line.rp, line.drug, line.supply)
    complete = line.day and line.rp.number and any("text" in each for each in instructions)
    return present(
        {
            "resourceType": "MedicationRequest",
            "meta": {"profile": [JP_CORE + "JP_MedicationRequest"]} if complete else None,
            "extension": number and [{"url": INSTITUTION_EXTENSION, "valueIdentifier": number}],
            "identifier": _identifiers(line, identifier),
            "status": "completed",
            "intent": "order",
            "reportedBoolean": True,
            "medicationCodeableConcept": codes.medication(line.drug),
            "subject": {"reference": subject.patient},
            "authoredOn": line.day,
            "requester": _requester(prescriber),
            "note": line.day and [{"text": AUTHORED_ON_NOTE}],
            "dosageInstruction": instructions,
            "dispenseRequest": present(dispense),
        }
    )


def _statement(subject: Subject, line: _Line) -> Json:
    identifier = subject.stamp.identifier("MedicationStatement", *line.identity)
    return present(
        {
            "resourceType": "MedicationStatement",
            "identifier": _identifiers(line, identifier),
            "status": "unknown",
            "medicationCodeableConcept": codes.medication(line.drug),
            "subject": {"reference": subject.patient},
            "effectiveDateTime": line.day,
            "informationSource": information_source(subject, line.drug.creator),
            "note": annotations([*line.drug.notes, *line.rp.notes, *line.visit.notes]),
            "dosage": dosage(line.rp, line.drug, line.supply),
        }
    )


def information_source(subject: Subject, creator: str | None) -> Json | None:
    """Return the person as the source of what the person wrote."""
    return {"reference": subject.patient} if creator == PATIENT else None


def annotations(notes: list[Note]) -> list[Json]:
    """Return notes, each led by the name of its record and with the kind of its author."""
    return [
        present(
            {
                "authorString": CREATORS.get(note.creator or ""),
                "time": note.written.isoformat() if note.written else None,
                "text": f"{note.label}：{note.text}",
            }
        )
        for note in notes
    ]


def _url(resource: Json) -> str:
    return full_url(resource["resourceType"], resource["identifier"][0]["value"])


def _identifiers(line: _Line, identifier: Json) -> list[Json]:
    if not line.rp.number:
        return [identifier]
    return [
        identifier,
        {"system": codes.RP_NUMBER, "value": line.rp.number},
        {"system": codes.ORDER_IN_RP, "value": str(line.order)},
    ]


def _performers(visit: Visit) -> list[Json]:
    actors = [_organization(visit.dispenser, visit.dispenser.name)] if visit.dispenser else []
    actors += [{"type": "Practitioner", "display": name} for name in visit.pharmacists]
    return [{"actor": actor} for actor in actors if len(actor) > 1]


def _requester(prescriber: Prescriber) -> Json | None:
    """Name the doctor with the place in one line; the place alone where no doctor is named."""
    institution = prescriber.institution
    place = " ".join(
        part for part in (institution.name if institution else None, prescriber.department) if part
    )
    if prescriber.doctor:
        display = f"{prescriber.doctor}（{place}）" if place else prescriber.doctor
        return {"type": "PractitionerRole", "display": display}
    return _organization(institution, place) if institution else None


def _organization(institution: Institution, display: str | None) -> Json:
    identifier = codes.institution_identifier(institution)
    return present({"type": "Organization", "identifier": identifier, "display": display})
