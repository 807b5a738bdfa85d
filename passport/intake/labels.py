"""The labels of what is written: those that it keeps of the version before, and those that may be taken away.

http://hl7.org/fhir/R4/resource.html#security-labels
http://hl7.org/fhir/R4/resource-operation-meta-delete.html

An update adds to the labels of a record and takes none away, whatever it leaves out: a source that sends the same
record again does not know what was added here. Taking one away is asked for by name.
"""

from collections.abc import Sequence
from typing import Final

from consent.systems import CONFIDENTIALITY
from fhirstore.elements import codes_in
from fhirstore.errors import Problem
from fhirstore.facts import Facts
from fhirstore.parse import Tree
from passport.labelling import Label, is_labelled, labelled, lowered, security_of
from passport.outcomes import Invalid
from passport.pieces import Write

_FORMER: Final = frozenset({"http://hl7.org/fhir/v3/Confidentiality", "urn:oid:2.16.840.1.113883.5.25"})
"""What the code system of confidentiality was called before R4, and where FHIR is not spoken."""


def with_labels(one: Write, tree: Tree, facts: Facts, stored: Tree | None) -> tuple[Tree, Facts]:
    """The content of a write and its facts with the labels that it is stored with.

    Args:
        one: the write.
        tree: its content.
        facts: what was gathered of that.
        stored: the version before, None where there is none.

    Raises:
        Invalid: a patch takes a label away without naming it, one that the content demands is to be taken away, or a
            new one is of a name that no consent can speak of.
    """
    before = [] if stored is None else security_of(stored)
    if one.patch is not None and not one.taken and is_labelled(facts) and lowered(security_of(tree), before):
        raise _refused(
            one, "got a patch that takes a security label away, expected `$meta-delete`, which names it"
        )
    _check_named(one, security_of(tree), before)
    kept = [label for label in before if one.taken.isdisjoint(codes_in([label]))]
    tree, facts = labelled(tree, facts, kept)
    if not one.taken.isdisjoint(codes_in(security_of(tree))):
        text = "got a label to take away that the record's own codes or other labels demand, expected another one"
        raise _refused(one, text)
    return tree, facts


def _check_named(one: Write, labels: Sequence[Label], before: Sequence[Label]) -> None:
    """Refuse a label that would protect nothing, while whoever sets it believes that it does."""
    for label in labels:
        if label in before:
            continue
        system = label.get("system")
        if system is None or "code" not in label:
            raise _refused(one, "got a security label without system or code, expected both")
        if system in _FORMER:
            raise _refused(one, f"got a security label in `{system}`, expected `{CONFIDENTIALITY}`")


def _refused(one: Write, text: str) -> Invalid:
    problem = Problem("error", "business-rule", f"{one.type}.meta.security", text)
    return Invalid([problem], status=422, code="business-rule")
