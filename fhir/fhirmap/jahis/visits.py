"""Records 5 to 601: visits, who dispensed and prescribed, and the medicines.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 3. The order of the records carries their
relation: 5 opens a visit, 51 and 55 own what follows, RP numbers bind 201 to 301.
"""

from collections.abc import Callable
from datetime import date
from typing import Final, TypeVar

from fhirmap.deviations import Deviation
from fhirmap.jahis.check import NO_CODE, Record
from fhirmap.jahis.limits import MAX_DRUGS_OF_RP, MAX_SHARED
from fhirmap.jahis.model import Drug, Institution, Note, Prescriber, Rp, Usage, Visit
from fhirmap.jahis.records import RECORDS

Report = Callable[[Record, str], None]
Text = TypeVar("Text", str, Note)

_NOT_READ: Final = "belongs to a medicine that is not imported, not imported"


def note_of(record: Record) -> Note | None:
    """Return the free text of a record under its label; None where it is empty."""
    text = record.get("content")
    label = RECORDS[record.number].label
    return Note(label, text, record.get("creator"), record.day("written")) if text else None


def _institution(record: Record) -> Institution:
    return Institution(*(record.get(key) for key in ("name", "prefecture", "table", "code")))


def _rp_number(record: Record) -> str:
    return (record.get("rp") or "").lstrip("0")


class VisitReader:
    """The place in the file: the visit, the prescriber and the RPs that are open."""

    def __init__(self, visits: list[Visit], report: Report, until: date | None = None) -> None:
        self._visits = visits
        self._report = report
        self._until = until
        self._prescriber: Prescriber | None = None
        self._rps: dict[str, Rp] = {}
        self._passed_over: set[str] = set()  # RPs whose last medicine is not imported
        self.handlers: dict[str, Callable[[Record], None]] = {
            "5": self._open,
            "11": self._dispenser,
            "15": self._pharmacist,
            "51": self._prescribing_institution,
            "55": self._doctor,
            "201": self._drug,
            "281": self._drug_supplement,
            "291": self._drug_note,
            "301": self._usage,
            "311": self._usage_supplement,
            "391": self._rp_note,
            **dict.fromkeys(("401", "411", "421", "501", "601"), self._visit_note),
        }

    def unfinished(self) -> list[Deviation]:
        """Report medicines without usage and usages without medicine."""
        found = []
        for rp in (rp for visit in self._visits for rp in visit.rps):
            if rp.usage is None:
                text = "no usage (301) has its RP number"
                found += [Deviation(drug.line, "201", text) for drug in rp.drugs]
            elif not rp.drugs:
                found.append(Deviation(rp.usage.line, "301", "no medicine (201) has its RP number"))
        return found

    def _open(self, record: Record) -> None:
        day = record.day("date")
        ahead = day is not None and self._until is not None and day > self._until
        if ahead:
            self._report(record, "field 2 `調剤等年月日` is in the future; what it dates is not imported")
        self._visits.append(Visit(day, ahead))
        self._prescribed_by(None)

    def _prescribed_by(self, prescriber: Prescriber | None) -> None:
        self._prescriber, self._rps, self._passed_over = prescriber, {}, set()

    def _add(self, record: Record, texts: list[Text], text: Text) -> None:
        """Let an owner have a text, which each of its medicines repeats: no more than `MAX_SHARED` of a kind."""
        if len(texts) >= MAX_SHARED:
            self._report(record, f"further than {MAX_SHARED} of its kind, not imported")
            return
        texts.append(text)

    def _visit(self, record: Record) -> Visit:
        if not self._visits:
            self._report(record, "stands before any date of dispensing (5), read as a visit without date")
            self._visits.append(Visit(None))
        return self._visits[-1]

    def _dispenser(self, record: Record) -> None:
        visit = self._visit(record)
        if visit.dispenser is not None:
            self._report(record, "second dispensing institution of a visit, not imported")
        visit.dispenser = visit.dispenser or _institution(record)

    def _pharmacist(self, record: Record) -> None:
        if name := record.get("name"):
            self._add(record, self._visit(record).pharmacists, name)

    def _prescribing_institution(self, record: Record) -> None:
        self._visit(record)
        self._prescribed_by(Prescriber(_institution(record)))

    def _doctor(self, record: Record) -> None:
        self._visit(record)
        institution = self._prescriber.institution if self._prescriber else None
        self._prescribed_by(Prescriber(institution, record.get("name"), record.get("department")))

    def _rp(self, record: Record) -> Rp:
        number = _rp_number(record)
        if number not in self._rps:
            self._rps[number] = Rp(number, self._prescriber)
            self._visit(record).rps.append(self._rps[number])
        return self._rps[number]

    def _drug(self, record: Record) -> None:
        if problem := self._left_out(record):
            self._report(record, problem)
            self._passed_over.add(_rp_number(record))
            return
        self._passed_over.discard(_rp_number(record))
        generic = record.get("generic_code") if record.get("generic_code_type") != NO_CODE else None
        drug = Drug(
            line=record.line,
            name=record.get("name"),
            dose=record.number_at("dose"),
            unit=record.get("unit"),
            code_type=record.get("code_type"),
            code=record.get("code"),
            generic_name=record.get("generic_name"),
            generic_code=generic,
            creator=record.get("creator"),
        )
        if drug.dose is None and (words := record.get("dose")):
            drug.supplements.append(f"用量：{words}{drug.unit or ''}")
        self._rp(record).drugs.append(drug)

    def _left_out(self, record: Record) -> str | None:
        """Why a medicine is not imported."""
        if record.get("name") is None and record.get("code") is None:
            return "names no medicine, not imported"
        if len(self._rp(record).drugs) >= MAX_DRUGS_OF_RP:
            return f"further than {MAX_DRUGS_OF_RP} of its RP, not imported"
        return None

    def _owner(self, record: Record) -> Drug | Rp | None:
        """What a text on a medicine belongs to; None where that medicine is not imported."""
        if _rp_number(record) in self._passed_over:
            self._report(record, _NOT_READ)
            return None
        rp = self._rp(record)
        if not rp.drugs:
            self._report(record, "stands before any medicine (201) of its RP, read as of the whole RP")
            return rp
        return rp.drugs[-1]

    def _drug_supplement(self, record: Record) -> None:
        owner = self._owner(record)
        if owner and (text := record.get("content")):
            self._add(record, owner.supplements, text)

    def _drug_note(self, record: Record) -> None:
        owner = self._owner(record)
        if owner and (note := note_of(record)):
            self._add(record, owner.notes, note)

    def _usage(self, record: Record) -> None:
        rp, name = self._rp(record), record.get("name")
        if rp.usage is not None:
            self._report(record, "second usage of its RP, only its name is read")
            if name:
                self._add(record, rp.supplements, name)
            return
        rp.usage = Usage(
            line=record.line,
            name=name,
            quantity=record.number_at("quantity"),
            unit=record.get("unit"),
            form=record.get("form"),
            code=record.get("code") if record.get("code_type") != NO_CODE else None,
        )
        if rp.usage.quantity is None and (words := record.get("quantity")):
            self._add(record, rp.supplements, f"調剤数量：{words}{rp.usage.unit or ''}")

    def _usage_supplement(self, record: Record) -> None:
        if text := record.get("content"):
            self._add(record, self._rp(record).supplements, text)

    def _rp_note(self, record: Record) -> None:
        if note := note_of(record):
            self._add(record, self._rp(record).notes, note)

    def _visit_note(self, record: Record) -> None:
        if note := note_of(record):
            self._add(record, self._visit(record).notes, note)
