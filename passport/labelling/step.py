"""The labelling of a record when it is written: what it says itself, what it said before, what the table says.

http://hl7.org/fhir/R4/security-labels.html
http://hl7.org/fhir/R4/resource.html#security-labels

Labels only rise here. The whole bears what stands anywhere in it: contained resources cannot be labelled
themselves (dom-5), and the entries of a document may be signed, so nothing inside is touched.

A diagnosis or a medicine in words alone gets no confidentiality, nor does a diagnosis in codes that the table does not
know: of what it is nothing is known, and a record that has
a confidentiality is known to be no more confidential than that.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from consent.systems import ACT_CODE
from fhirstore.elements import Code, codes_in
from fhirstore.facts import CONFIDENTIALITIES, CONFIDENTIALITY_SYSTEM, Facts, labels_of
from fhirstore.parse import Tree
from passport.labelling.table import classified, sensitivities_of

NORMAL: Final = "N"
RESTRICTED: Final = "R"
_ABOVE_NORMAL: Final = CONFIDENTIALITIES[CONFIDENTIALITIES.index(NORMAL) + 1 :]

_SENSITIVE: Final = """
BH COGN DVD EMOTDIS ETH ETHUD GDIS HIV IDS MH MST OPIOIDUD PREGNANT PSY PSYTHPN SCA SDV SEX SICKLE SPI STD SUD TBOO VIO
"""
SENSITIVE: Final = frozenset(_SENSITIVE.split())
"""What ActCode calls the sensitivity of information about a person's health, whoever says so.

Of its other codes (obligations, refrain policies, test data) none makes a record confidential.
https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html
"""

_SENSITIVE_CODES: Final = frozenset(Code(ACT_CODE, code) for code in SENSITIVE)

TOLD_BY_CODE: Final = frozenset(
    {
        "Condition",
        "DiagnosticReport",
        "FamilyMemberHistory",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Procedure",
        "ServiceRequest",
    }
)
"""Types whose code is what the table goes by: of one without a code nobody can tell how confidential it is.

An AllergyIntolerance or an Immunization is none of them: the table speaks of neither, and whoever treats somebody
without having seen an allergy may do them harm.
"""

TOLD_BY_CLASS: Final = frozenset({"Condition", "FamilyMemberHistory"})
"""Of these, types whose code has to be of a system of which the table holds whole classes.

MEDIS names of diseases, SNOMED CT beyond a handful of concepts, ICD-11 and a hospital's own codes may be of anything.
"""

UNCODED: Final = frozenset({"0000999"})
"""未コード化傷病名: the code of the claims master for a disease name that has none, which stands beside the words."""

Label = dict[str, Any]
"""A Coding, as it stands in `meta.security`."""


def is_labelled(facts: Facts) -> bool:
    """Whether records like this bear labels: those of a patient, and what follows them; never the directory."""
    return not facts.type.directory and (bool(facts.follows) or any(each.patients for each in _all(facts)))


def labelled(tree: Tree, facts: Facts, kept: Sequence[Label] = ()) -> tuple[Tree, Facts]:
    """Give a record that is about to be stored its labels.

    Args:
        tree: the record, valid.
        facts: what was gathered of it and its parts (`fhirstore.facts.gathered`).
        kept: the labels of the version before, those apart that the patient takes away.

    Returns:
        The record and its facts with the labels; the same ones where it has them all.
    """
    if not is_labelled(facts):
        return tree, facts
    stated, told = security_of(tree), is_told(facts)
    labels = raised(stated, [*kept, *_inside(facts, told)], sensitivities_of(_codes(facts)), told=told)
    if labels == stated:
        return tree, facts
    confidentiality, sensitivities = labels_of(labels)
    written = {**tree, "meta": {**tree.get("meta", {}), "security": labels}}
    return written, replace(facts, confidentiality=confidentiality, sensitivities=sensitivities)


def is_told(facts: Facts) -> bool:
    """Whether a record says what it is, and all that is in it: by a code, or by a confidentiality of its own."""
    return facts.confidentiality is not None or not any(_untold(each) for each in _all(facts))


def _untold(facts: Facts) -> bool:
    return facts.type.name in TOLD_BY_CODE and facts.confidentiality is None and not _is_coded(facts)


def _is_coded(facts: Facts) -> bool:
    if facts.type.name in TOLD_BY_CLASS:
        # Of several conditions in a family each has to say what it is.
        return bool(facts.concepts) and all(map(_names_a_diagnosis, facts.concepts))
    return bool(_coded(facts.codes))


def _names_a_diagnosis(concept: Sequence[Code]) -> bool:
    # A name of a disease is as good as its words, unless the table knows all that is sensitive of its kind.
    codes = _coded(concept)
    return any(map(classified, codes)) or bool(sensitivities_of(codes))


def _coded(codes: Sequence[Code]) -> list[Code]:
    return [code for code in codes if code.system and code.code not in UNCODED]


def raised(
    stated: Sequence[Label], kept: Sequence[Label], found: Collection[str], *, told: bool = True
) -> list[Label]:
    """The labels of a record: all that it states, what it keeps, and what was found, at the highest confidentiality.

    A sensitivity makes it `R` at least; one without any word on it is `N` if it is `told` what it is, else of no
    confidentiality. Each label stands once, in the order and the words of the one who gave it first.
    """
    if told and not (stated or kept or found):
        return [_label(Code(CONFIDENTIALITY_SYSTEM, NORMAL))]
    labels = _once([*stated, *kept, *(_label(Code(ACT_CODE, code)) for code in found)])
    level = _highest(labels)
    if level is None and not told:
        return list(labels.values())
    highest = Code(CONFIDENTIALITY_SYSTEM, level or NORMAL)
    rest = [label for code, label in labels.items() if code == highest or not _is_level(code)]
    return rest if highest in labels else [_label(highest), *rest]


def _once(labels: Sequence[Label]) -> dict[Code | str, Label]:
    """Each label the first time that it stands there; one without a code is none, and is left alone."""
    found: dict[Code | str, Label] = {}
    for label in labels:
        found.setdefault(next(iter(codes_in([label])), str(label)), label)
    return found


def _highest(labels: Collection[Code | str]) -> str | None:
    levels = [code.code for code in labels if isinstance(code, Code) and _is_level(code)]
    if not _SENSITIVE_CODES.isdisjoint(labels):
        levels.append(RESTRICTED)
    # What is none of them may mean anything.
    if not set(levels) <= set(CONFIDENTIALITIES):
        return CONFIDENTIALITIES[-1]
    return max(levels, key=CONFIDENTIALITIES.index, default=None)


def _is_level(code: Code | str) -> bool:
    return isinstance(code, Code) and code.system == CONFIDENTIALITY_SYSTEM


def _label(code: Code) -> Label:
    return {"system": code.system, "code": code.code}


def lowered(stated: Sequence[Label], before: Sequence[Label]) -> bool:
    """Whether a record says less than before: a label is gone, or its confidentiality is lower."""
    (level, labels), (level_before, labels_before) = labels_of(stated), labels_of(before)
    ranks = [-1 if one is None else CONFIDENTIALITIES.index(one) for one in (level, level_before)]
    return ranks[0] < ranks[1] or not set(labels_before) <= set(labels)


def security_of(tree: Tree) -> list[Label]:
    """The labels that a record states."""
    labels: list[Label] = tree.get("meta", {}).get("security", [])
    return labels


def _all(facts: Facts) -> Iterator[Facts]:
    """A record and all that is inside of it."""
    yield facts
    for part in facts.parts:
        yield from _all(part)


def _codes(facts: Facts) -> Iterator[Code]:
    # Beside what stands in it a medication has the codes of the Medication that it refers to.
    return chain.from_iterable(chain(each.mentioned, each.main_codes) for each in _all(facts))


def _inside(facts: Facts, told: bool) -> list[Label]:
    """What the parts state themselves: the whole is no less confidential than they are.

    That one of them is normal says nothing of a whole in which another one is not `told`.
    """
    return [
        _label(code)
        for inside in facts.parts
        for part in _all(inside)
        for code in (*_level(part.confidentiality, told), *part.sensitivities)
    ]


def _level(confidentiality: str | None, told: bool) -> tuple[Code, ...]:
    if confidentiality is None or not (told or confidentiality in _ABOVE_NORMAL):
        return ()
    return (Code(CONFIDENTIALITY_SYSTEM, confidentiality),)
