"""The table: which codes are sensitive, and of what.

http://hl7.org/fhir/R4/security-labels.html

A code is looked up by its beginnings, so a record costs the same whatever the length of the table.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from fhirstore.elements import Code
from passport.labelling.genetics import GENETICS
from passport.labelling.hiv import HIV
from passport.labelling.model import Classification, ValueSet, system_named
from passport.labelling.psychiatry import PSYCHIATRY
from passport.labelling.reproduction import REPRODUCTION
from passport.labelling.substances import SUBSTANCES

TABLE: Final[tuple[ValueSet, ...]] = (HIV, PSYCHIATRY, SUBSTANCES, REPRODUCTION, GENETICS)

VERSION_BYTES: Final = 8

CODES_KEPT: Final = 4_096
"""Codes of which a process remembers what they mean: most records carry the same few."""


def version_of(table: Iterable[ValueSet]) -> str:
    """What a table is called: a hash of what it says, its reasons apart."""
    said = sorted(
        f"{each.code} {system} {row.classification.exact:d} {row.compared}"
        for each in table
        for row in each.rows
        for system in sorted(row.classification.systems)
    )
    return blake2b("\n".join(said).encode(), digest_size=VERSION_BYTES).hexdigest()


TABLE_VERSION: Final = version_of(TABLE)
"""Changes whenever a record could be labelled otherwise than before."""


@dataclass(frozen=True, slots=True)
class _Beginnings:
    """A classification as it is looked up: what each beginning means, and how long beginnings are."""

    classification: Classification
    meanings: Mapping[str, tuple[str, ...]]
    lengths: tuple[int, ...]

    def of(self, code: str) -> Iterator[str]:
        written = self.classification.written(code)
        if self.classification.exact:
            yield from self.meanings.get(written, ())
            return
        for length in self.lengths:
            yield from self.meanings.get(written[:length], ())


def _index(table: Iterable[ValueSet]) -> Mapping[str, _Beginnings]:
    """By the name of each code system what its codes mean."""
    meanings: dict[Classification, dict[str, tuple[str, ...]]] = {}
    for each in table:
        for row in each.rows:
            known = meanings.setdefault(row.classification, {})
            known[row.compared] = (*known.get(row.compared, ()), each.code)
    return {
        system: _Beginnings(classification, known, tuple(sorted({len(begins) for begins in known})))
        for classification, known in meanings.items()
        for system in map(system_named, classification.systems)
    }


_INDEX: Final = _index(TABLE)


def sensitivities_of(codes: Iterable[Code]) -> tuple[str, ...]:
    """The sensitivities of a record with these codes, in the order of the table."""
    found = {sensitivity for code in codes for sensitivity in _of_code(code)}
    return tuple(each.code for each in TABLE if each.code in found) if found else ()


@lru_cache(maxsize=CODES_KEPT)
def _of_code(code: Code) -> frozenset[str]:
    beginnings = _INDEX.get(system_named(code.system))
    return frozenset() if beginnings is None else frozenset(beginnings.of(code.code))


@lru_cache(maxsize=CODES_KEPT)
def classified(code: Code) -> bool:
    """Whether the table would know which diagnosis a code is, if it were sensitive: it holds the classes of its system.

    What does not look like a code of the system may be of anything, as words may.
    """
    beginnings = _INDEX.get(system_named(code.system))
    if beginnings is None or beginnings.classification.diagnosis is None:
        return False
    written = beginnings.classification.written(code.code)
    return beginnings.classification.diagnosis.fullmatch(written) is not None
