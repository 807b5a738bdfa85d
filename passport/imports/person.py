"""Is this file about this person? A handbook of someone else's does not enter silently.

http://hl7.org/fhir/R4/patient.html

The birth date decides: people change their names, and names are written in many ways. Where the file or the
passport has none, the name decides. Whoever hands a file over names its patient, so it is stored all the same;
its deviations begin with the doubt, and the resident is told.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from fhirmap.jahis.model import Person

Verdict = Literal["same", "other-name", "other-birth", "other-person", "only-name", "unknown-person"]
"""`only-name`: the name is another one, and birth dates cannot be compared."""

DOUBTED: Final[frozenset[Verdict]] = frozenset({"other-birth", "other-person", "only-name"})
"""That it is another person's file."""

# ぁ to ゖ become ァ to ヶ: readings are written in either script.
_KATAKANA: Final = {code: code + 0x60 for code in range(0x3041, 0x3097)}


def compare(person: Person | None, patient: Mapping[str, Any]) -> Verdict:
    """Compare what a file says of its person with the passport's Patient.

    Whatever is not the `same` without doubt is stored with a remark.
    """
    if person is None:
        return "unknown-person"
    born = _same_birth(person, patient)
    named = _same_name(person, patient)
    if born is False:
        return "other-person" if named is False else "other-birth"
    if born is None:
        return "only-name" if named is False else "same" if named else "unknown-person"
    return "other-name" if named is False else "same"


def _same_birth(person: Person, patient: Mapping[str, Any]) -> bool | None:
    """Whether the birth dates agree as far as the passport knows it; a Patient's may be a year alone."""
    known = patient.get("birthDate")
    if person.birth_date is None or known is None:
        return None
    return person.birth_date.isoformat().startswith(known)


def _same_name(person: Person, patient: Mapping[str, Any]) -> bool | None:
    said = {_plain(name) for name in (person.name, person.kana) if name}
    known = {_plain(name) for name in _names(patient.get("name", ()))}
    return bool(said & known) if said and known else None


def _names(names: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for name in names:
        if "text" in name:
            yield name["text"]
        yield "".join([name.get("family", ""), *name.get("given", ())])


def _plain(name: str) -> str:
    """The name without what people write differently: width, spaces, kana script, case."""
    plain = unicodedata.normalize("NFKC", name).translate(_KATAKANA).casefold()
    return "".join(plain.split())
