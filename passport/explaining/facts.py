"""A record as the reference takes it, from what is stored of it: keys, told by the values that consents name.

http://hl7.org/fhir/R4/consent.html

What decides is what rows hold, whatever the body says today: codes that a Medication had when it was prescribed, the
source that wrote it. A key is known again by the values that the consents in question name; any other is another one,
of which no consent speaks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent import systems
from consent.model import Coding, Confidentiality, Consent, Interval, Record
from fhirstore.keys import KeyMaker
from fhirstore.types import TYPE_NUMBERS
from passport.disclosure.stored_facts import StoredFacts

# Of those types too that occur inside of others alone.
_NAMES: Final = {int(number): name for name, number in TYPE_NUMBERS.items()}

OTHER: Final = "\0other"
"""A code, category, author or source that no consent names."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The values that some consents name, by the keys that rows hold of them."""

    codes: Mapping[int, Coding]
    systems: Mapping[int, str]
    categories: Mapping[int, Coding]
    labels: Mapping[int, Coding]
    references: Mapping[int, str]

    @classmethod
    def of(cls, consents: Iterable[Consent], keys: KeyMaker) -> "Vocabulary":
        """The vocabulary of these consents."""
        provisions = [each for one in consents if one.root is not None for each in one.root.walk()]
        codes = {coding for each in provisions for coding in each.codes}
        classes = {
            coding
            for each in provisions
            for coding in each.classes
            if coding.system != systems.RESOURCE_TYPES
        }
        return cls(
            codes={keys.code(*coding): coding for coding in codes},
            systems={keys.system(coding.system): coding.system for coding in codes},
            categories={
                key(*coding): coding for coding in classes for key in (keys.category, keys.implied_category)
            },
            labels={keys.label(*coding): coding for each in provisions for coding in each.sensitivities},
            references={
                keys.reference(data.reference): data.reference for each in provisions for data in each.data
            },
        )

    def record(self, stored: StoredFacts, patients: Mapping[int, str]) -> Record:
        """The facts of a record; `patients` are those who may be told by name, by patient_key.

        Its parts have what they take from it already, see `stored_parts`.
        """
        row = stored.row
        return Record(
            type=stored.type_name,
            reference=stored.reference,
            patients=frozenset(patients.get(key, f"{OTHER}/{key}") for key in stored.patient_keys if key),
            source=self._source(row),
            parts=tuple(self._part(part, stored) for part in stored.parts),
            follows=tuple(
                None if target is None else self.record(target, patients) for target in stored.follows
            ),
            **self._facts(row),
        )

    def _part(self, row: Any, whole: StoredFacts) -> Record:
        return Record(
            type=_NAMES[row.type],
            reference=self.references.get(row.part_key),
            container=whole.reference,
            source=self._source(whole.row),
            **self._facts(row),
        )

    def _source(self, row: Any) -> str:
        return self.references.get(row.source, OTHER)

    def _facts(self, row: Any) -> dict[str, Any]:
        timed = row.starts is not None and row.ends is not None
        known = None if row.confidentiality is None else Confidentiality(row.confidentiality)
        authors = {self.references.get(key, OTHER) for key in row.authors or ()}
        return {
            "codes": frozenset(self._codes(row)),
            "categories": frozenset(
                self.categories.get(key, Coding(OTHER, OTHER)) for key in row.categories or ()
            ),
            "time": Interval(row.starts, row.ends) if timed else None,
            "confidentiality": known,
            "sensitivities": frozenset(self.labels[key] for key in row.labels or () if key in self.labels),
            "authors": frozenset(authors),
            "references": frozenset(self.references[key] for key in row.refs if key in self.references),
        }

    def _codes(self, row: Any) -> Iterator[Coding]:
        """The codes, and for each system that a consent names whether there is another code of it."""
        for key in row.codes or ():
            yield self.codes.get(key, Coding(OTHER, OTHER))
        for key in row.code_systems or ():
            if key in self.systems:
                yield Coding(self.systems[key], OTHER)


def stored_parts(record: Record) -> Iterator[Record]:
    """The parts of a record from rows, those of directory types apart: everybody reads these."""
    for part in record.parts:
        if part.type not in systems.DIRECTORY:
            yield part
