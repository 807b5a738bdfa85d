"""Lines of an お薬手帳 file to the notebook that they tell, as leniently as a person reads.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 3.
"""

from collections.abc import Callable
from datetime import date

from fhirmap.deviations import Deviation
from fhirmap.errors import DifferentPersons
from fhirmap.jahis.check import Header, Record, check
from fhirmap.jahis.decode import Line, half_width
from fhirmap.jahis.limits import MAX_SHARED, Findings
from fhirmap.jahis.model import Notebook, OverTheCounter, Person, Remark, Sex
from fhirmap.jahis.records import NEWEST_VERSION
from fhirmap.jahis.visits import VisitReader, note_of

SEXES: dict[str | None, Sex] = {"1": "male", "2": "female"}


def read_notebook(lines: list[Line], findings: Findings, *, until: date | None = None) -> Notebook:
    """Read lines, the first of which is a header; each is looked at once, what deviates goes to `findings`.

    Raises:
        DifferentPersons: the file names two persons.
    """
    header, deviations = _header(lines[0])
    findings.add(*deviations)
    reader = _Reader(
        Notebook(header.version, "provider" if header.from_provider else "patient"), findings, until
    )
    for line in lines:
        if line.header_version is None:
            record, found = check(line, header)
            findings.add(*found)
            if record is not None:
                reader.take(record)
    if reader.notebook.person is None:
        findings.add(Deviation(0, "1", "the file does not say whom it is about"))
    findings.add(*reader.visits.unfinished())
    return reader.notebook


def _header(line: Line) -> tuple[Header, list[Deviation]]:
    version = line.header_version or 0
    known = 1 <= version <= NEWEST_VERSION
    found = []
    if not known:
        found.append(f"got version {version:02}, expected 01 to {NEWEST_VERSION:02}; read as the newest")
    category = half_width(line.fields[0]) if line.fields else ""
    if category not in ("1", "2"):
        found.append("output category is neither 1 nor 2, read as 1")
    header = Header(version if known else NEWEST_VERSION, from_provider=category != "2")
    return header, [Deviation(line.number, line.record, text) for text in found]


class _Reader:
    """Reads what the whole file says of the person, and hands the rest to the visits."""

    def __init__(self, notebook: Notebook, findings: Findings, until: date | None) -> None:
        self.notebook = notebook
        self._findings = findings
        self._bought: dict[str | None, OverTheCounter] = {}  # the last one of each sequence number
        self.visits = VisitReader(notebook.visits, self._report, until)
        self._handlers: dict[str, Callable[[Record], None]] = {
            "1": self._person,
            "2": self._remark,
            "3": self._over_the_counter,
            "31": self._ingredient,
            "4": self._memo,
            "701": self._pharmacist_of_choice,
            **self.visits.handlers,
        }

    def take(self, record: Record) -> None:
        """Read one record; 911 was read with the parts."""
        if handler := self._handlers.get(record.number):
            handler(record)

    def _report(self, record: Record, text: str) -> None:
        self._findings.add(Deviation(record.line, record.number, text))

    def _person(self, record: Record) -> None:
        birth_date, sex = record.day("birth_date"), SEXES.get(record.get("sex"))
        person = Person(record.get("name"), record.get("kana"), birth_date, sex)
        first = self.notebook.person
        if first is not None and _differ(first, person):
            raise DifferentPersons(f"line {record.line}: got a second person, expected one in a file")
        self.notebook.person = first or person
        if record.get("blood_type") or record.get("weight"):
            self._report(record, "blood type and weight have no date and are not imported")

    def _remark(self, record: Record) -> None:
        if text := record.get("content"):
            remark = Remark(record.get("kind"), text, record.get("creator"))
            self.notebook.remarks.append(remark)

    def _over_the_counter(self, record: Record) -> None:
        if record.get("name") is None and record.get("jan") is None:
            self._report(record, "names no medicine, not imported")
            return
        bought = OverTheCounter(
            name=record.get("name"),
            start=record.day("start"),
            end=record.day("end"),
            creator=record.get("creator"),
            sequence=record.get("sequence"),
            jan=record.get("jan"),
        )
        self.notebook.over_the_counter.append(bought)
        self._bought[bought.sequence] = bought

    def _ingredient(self, record: Record) -> None:
        name, code = record.get("name"), record.get("code")
        owner = self._bought.get(record.get("sequence"))
        if owner is None:
            self._report(record, "no medicine (3) has its sequence number, read with the one before")
            owner = next(reversed(self.notebook.over_the_counter), None)
        if not name or owner is None:
            return
        if len(owner.ingredients) >= MAX_SHARED:
            self._report(record, f"further than {MAX_SHARED} of its medicine, not imported")
            return
        owner.ingredients.append(f"{name}（{code}）" if code else name)

    def _memo(self, record: Record) -> None:
        if note := note_of(record):
            self.notebook.memos.append(note)

    def _pharmacist_of_choice(self, record: Record) -> None:
        self._report(record, "pharmacist of choice is not imported")


def _differ(one: Person, other: Person) -> bool:
    names = {half_width(each.name) for each in (one, other) if each.name}
    births = {each.birth_date for each in (one, other) if each.birth_date}
    return len(names) > 1 or len(births) > 1
