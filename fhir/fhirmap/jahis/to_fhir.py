"""A whole お薬手帳 file to FHIR resources.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, https://www.jahis.jp/standard/contents_type=33
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fhirmap.deviations import Deviation
from fhirmap.identity import Stamp
from fhirmap.jahis.decode import split_lines
from fhirmap.jahis.limits import Findings, limited
from fhirmap.jahis.medicines import Subject, medicines
from fhirmap.jahis.model import Notebook, Origin, Person, Visit
from fhirmap.jahis.parts import joined
from fhirmap.jahis.read import read_notebook
from fhirmap.jahis.remarks import bought_record, memo_record, remark_record
from fhirmap.jsonformat import Json


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file becomes.

    `resources` refer to the given patient, to each other by `urn:uuid:` (`fhirmap.bundle.url_of`), and
    to nothing else; a MedicationRequest comes before the dispense that names it. `person` is what the
    file says of the person: compare it with the Patient before storing anything. `version` is the nn of
    JAHISTCnn as far as it is known, `origin` who hands the file to whom.
    """

    resources: tuple[Json, ...]
    person: Person | None
    deviations: tuple[Deviation, ...]
    version: int
    origin: Origin


def import_jahis(data: bytes, *, patient: str, source: str, until: date | None = None) -> Imported:
    """Map a file; nothing that a person could read is refused, each deviation is reported.

    The work is bounded: each line is looked at once, and no more is made of them than `fhirmap.jahis.limits` says,
    however they refer to each other.

    Not mapped, as it is a person's or an institution's directory data: addresses and phone numbers,
    record 701, and from record 1 everything that `person` does not hold.

    Args:
        data: the bytes as handed in; limit their size before.
        patient: reference of the Patient in the passport, such as `Patient/1`.
        source: reference of who hands the file in; identifiers differ between sources.
        until: the last day that is believed, such as tomorrow; what was dispensed later is reported and left out.

    Raises:
        UnreadableSource: empty, not text, or without a JAHISTC header.
        DifferentPersons: the file names two persons.
        TooMuch: it becomes more than any file that a person carries.
    """
    findings = Findings()
    lines, of_text = split_lines(data)
    lines, of_parts = joined(lines)
    findings.add(*of_text, *of_parts)
    notebook = read_notebook(lines, findings, until=until)
    subject = Subject(patient, notebook.origin, Stamp(patient, source))
    resources = limited(_records(subject, notebook), findings)
    return Imported(resources, notebook.person, findings.listed(), notebook.version, notebook.origin)


def _records(subject: Subject, notebook: Notebook) -> Iterator[Json | Deviation]:
    for remark in notebook.remarks:
        if (record := remark_record(subject, remark)) is not None:
            yield record
    yield from (bought_record(subject, each) for each in notebook.over_the_counter)
    yield from (memo_record(subject, each, None) for each in notebook.memos)
    for visit in notebook.visits:
        if visit.ahead:
            continue
        yield from medicines(subject, visit)
        yield from _orphaned_notes(subject, visit)


def _orphaned_notes(subject: Subject, visit: Visit) -> Iterator[Json]:
    """Notes stand with the medicines of their visit; without any medicine they stand alone."""
    day = visit.day.isoformat() if visit.day else None
    for rp in visit.rps:
        if not rp.drugs:
            yield from (memo_record(subject, note, day) for note in rp.notes)
    if not any(rp.drugs for rp in visit.rps):
        yield from (memo_record(subject, note, day) for note in visit.notes)
