"""The labelling step rises only, is done once, and gives nobody anything that labels withhold."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from consent.model import Coding, Confidentiality, Record
from consent.reference import decide
from fhirstore.elements import Code
from fhirstore.facts import CONFIDENTIALITIES, Facts, completed, extract, gathered, labels_of
from passport.labelling import TABLE, labelled, lowered, security_of
from passport.labelling.step import is_told
from tests import resources as made
from tests.examples import examples
from tests.unit.consent.words import Json, asks, coding, concept, consents, deny, permit
from tests.unit.fhirstore.examples import ACT_CODE, CONFIDENTIALITY

TOKYO: Final = ZoneInfo("Asia/Tokyo")
HANAKO: Final = "Patient/p1"
SENSITIVITIES: Final = [each.code for each in TABLE]

_ROWS: Final = [
    (min(row.classification.systems), row.begins, row.classification.exact)
    for each in TABLE
    for row in each.rows
]
_PLAIN: Final = [
    ("http://hl7.org/fhir/sid/icd-10", "I10"),
    ("http://loinc.org", "85354-9"),
    ("http://www.whocc.no/atc", "C09CA06"),
    ("urn:other", "B20"),
]


@st.composite
def codes(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Codes of the table, some with what stands below them, and others."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            found.append(draw(st.sampled_from(_PLAIN)))
        else:
            system, begins, exact = draw(st.sampled_from(_ROWS))
            found.append((system, begins if exact else begins + draw(st.sampled_from(("", "0", "9")))))
    return found


LABELS: Final = st.sampled_from(
    [coding(CONFIDENTIALITY, level) for level in CONFIDENTIALITIES]
    + [coding(ACT_CODE, code) for code in (*SENSITIVITIES, "SDV", "NOAUTH")]
    + [{**coding(ACT_CODE, "PSY"), "display": "精神科"}, coding("urn:own", "HIV")]
)
SECURITY: Final = st.lists(LABELS, max_size=4)


@st.composite
def records(draw: st.DrawFn, inside: bool = True) -> Json:
    """Records of one patient: codes in one place or another, labels of any kind, and records inside of records."""
    security = draw(SECURITY)
    elements: Json = {"meta": {"security": security}} if security else {}
    kind = draw(st.sampled_from(("condition", "encounter", "bundle" if inside else "condition")))
    if kind == "bundle":
        return made.bundle(*draw(st.lists(records(inside=False), min_size=1, max_size=2)), **elements)
    found = draw(codes())
    if kind == "encounter":
        return made.encounter(HANAKO, **elements, **({"reasonCode": [concept(*found)]} if found else {}))
    return made.condition(HANAKO, **elements, **({"code": concept(*found)} if found else {}))


def step(tree: Json, kept: Sequence[Json] = ()) -> tuple[Json, Facts]:
    written, facts = labelled(tree, gathered(tree, zone=TOKYO), kept)
    return written, completed(facts)


def rank(facts: Facts) -> int:
    return -1 if facts.confidentiality is None else CONFIDENTIALITIES.index(facts.confidentiality)


@examples(300)
@given(tree=records(), kept=SECURITY)
def test_labels_only_rise(tree: Json, kept: list[Json]) -> None:
    before = extract(tree, zone=TOKYO)
    written, after = step(tree, kept)
    assert not lowered(security_of(written), security_of(tree))
    assert not lowered(security_of(written), kept)
    assert rank(after) >= rank(before)
    assert set(after.sensitivities) >= set(before.sensitivities)
    assert after.confidentiality is not None or not is_told(gathered(tree, zone=TOKYO))
    assert all(rank(after) >= rank(part) for part in after.parts)
    assert all(set(after.sensitivities) >= set(part.sensitivities) for part in after.parts)


@examples(300)
@given(tree=records(), kept=SECURITY)
def test_labelling_what_was_labelled_changes_nothing(tree: Json, kept: list[Json]) -> None:
    written, facts = step(tree, kept)
    again, facts_again = step(written)
    assert again is written
    assert facts_again == facts == extract(written, zone=TOKYO)
    assert step(written, kept)[0] is written


@examples(300)
@given(tree=records(inside=False), more=codes())
def test_more_codes_never_make_fewer_labels(tree: Json, more: list[tuple[str, str]]) -> None:
    extended = {**tree, "extension": [{"url": "urn:more", "valueCoding": coding(*one)} for one in more]}
    _, less = step(tree)
    _, facts = step(extended)
    assert rank(facts) >= rank(less)
    assert set(facts.sensitivities) >= set(less.sensitivities)


# What labels withhold: permits up to a confidentiality, and denials of one and above, or of a sensitivity.
WITHHELD: Final = st.one_of(
    st.sampled_from(CONFIDENTIALITIES).map(lambda level: [level]),
    st.sampled_from((*SENSITIVITIES, "SDV")).map(lambda code: [(ACT_CODE, code)]),
)


@st.composite
def withholding(draw: st.DrawFn) -> list[Json]:
    """Consents that speak of labels only to withhold."""
    denied = draw(st.lists(WITHHELD, max_size=2))
    carved = draw(st.lists(WITHHELD, max_size=2))
    level = draw(st.sampled_from((*CONFIDENTIALITIES, None)))
    share: dict[str, Any] = {} if level is None else {"labels": [level]}
    return [
        permit("Practitioner/a", but=[deny(labels=labels) for labels in carved], **share),
        *(deny(labels=labels) for labels in denied),
    ]


def record_of(facts: Facts) -> Record:
    return Record(
        type=facts.type.name,
        reference="Condition/r",
        patients=frozenset({HANAKO}),
        codes=frozenset(Coding(*code) for code in facts.codes),
        confidentiality=None if facts.confidentiality is None else Confidentiality[facts.confidentiality],
        sensitivities=frozenset(Coding(*code) for code in facts.sensitivities),
        parts=tuple(map(record_of, facts.parts)),
    )


def permitted(facts: Facts, roots: Sequence[Json]) -> bool:
    return decide(consents(*roots), record_of(facts), asks(frozenset({"Practitioner/a"})))


@examples(300)
@given(tree=records(), kept=SECURITY, roots=withholding())
def test_of_a_record_with_known_labels_the_step_gives_nothing(
    tree: Json, kept: list[Json], roots: list[Json]
) -> None:
    before = extract(tree, zone=TOKYO)
    _, after = step(tree, kept)
    if before.confidentiality is not None and permitted(after, roots):
        assert permitted(before, roots)


@examples(300)
@given(tree=records())
def test_what_the_table_calls_sensitive_is_withheld_by_who_withholds_it(tree: Json) -> None:
    written, facts = step(tree)
    found = {code.code for code in facts.sensitivities if code.system == ACT_CODE} & set(SENSITIVITIES)
    assert permitted(facts, [permit("Practitioner/a")])
    if not found:
        return
    withheld = [[permit("Practitioner/a"), deny(labels=["R"])], [permit("Practitioner/a", labels=["N"])]]
    for code in found:
        withheld.append([permit("Practitioner/a"), deny(labels=[(ACT_CODE, code)])])
        withheld.append([permit("Practitioner/a", but=[deny(labels=[(ACT_CODE, code)])])])
    assert not any(permitted(facts, roots) for roots in withheld)
    assert labels_of(security_of(written))[0] in ("R", "V")


@examples(300)
@given(coded=codes(), roots=withholding())
def test_to_leave_out_all_codes_gives_nobody_anything(
    coded: list[tuple[str, str]], roots: list[Json]
) -> None:
    """Law 4 of the evaluation, through the labels that are made of the codes."""
    _, uncoded = step(made.condition(HANAKO, code={"text": "架空の病名"}))
    _, with_codes = step(made.condition(HANAKO, code=concept(*coded, ("urn:other", "B20"))))
    assert permitted(with_codes, roots) or not permitted(uncoded, roots)


@examples(300)
@given(tree=records(inside=False))
def test_every_code_of_the_table_is_found_in_every_record(tree: Json) -> None:
    _, facts = step(tree)
    stated = [(row[0], row[1]) for row in _ROWS if Code(*row[:2]) in facts.mentioned]
    assert not stated or rank(facts) >= CONFIDENTIALITIES.index("R")
