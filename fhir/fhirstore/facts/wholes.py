"""A record with parts: whom the whole names, and what the parts take from their container.

http://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fhirstore.facts.record import Facts


def completed(whole: Facts) -> Facts:
    """Return a record with its parts flat, each with its container's facts where it has none."""
    if not whole.parts:
        return whole
    whole = replace(whole, patients=_all_patients(whole), loose=_any_loose(whole))
    return replace(whole, parts=tuple(_flat(whole.parts, whole)))


def _all_patients(facts: Facts) -> tuple[str, ...]:
    named = list(facts.patients)
    for part in facts.parts:
        named += _all_patients(part)
    return tuple(dict.fromkeys(named))


def _any_loose(facts: Facts) -> bool:
    return facts.loose or any(map(_any_loose, facts.parts))


def _flat(parts: Iterable[Facts], container: Facts) -> Iterator[Facts]:
    for part in parts:
        filled = _filled(replace(part, patients=_all_patients(part)), container)
        yield replace(filled, parts=())
        yield from _flat(part.parts, filled)


def _filled(part: Facts, container: Facts) -> Facts:
    labelled = part.confidentiality or part.sensitivities
    filled = replace(
        part,
        patients=part.patients or container.patients,
        confidentiality=(part if labelled else container).confidentiality,
        sensitivities=(part if labelled else container).sensitivities,
        references=part.references or container.references,
    )
    if part.type.foreign:
        return filled
    categorised = part.categories or part.implied_categories
    return replace(
        filled,
        main_codes=part.main_codes or container.main_codes,
        codes=part.codes or container.codes,
        categories=(part if categorised else container).categories,
        implied_categories=(part if categorised else container).implied_categories,
        time=part.time or container.time,
        authors=part.authors or container.authors,
    )
