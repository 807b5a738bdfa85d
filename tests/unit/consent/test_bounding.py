"""What a grant could let through, compared with what its author may see: nothing beyond it is found to be within."""

from typing import Final

import pytest

from consent.bounding import within
from consent.compile import Grant, GrantEffect, compile_consent
from consent.grants import StandingGrant
from consent.model import Coding, Confidentiality
from consent.reference import decide
from consent.systems import LOINC, UNNAMED_EXCLUDED
from fhirstore.keys import KeyMaker
from tests.unit.consent.words import (
    C09,
    DR_A,
    ED,
    N06,
    ORG_H,
    VITAL_SIGNS,
    Json,
    allow,
    asks,
    consents,
    day,
    deny,
    permit,
    record,
    year,
)

KEYS: Final = KeyMaker(b"bounding" * 4)
PROXY: Final = "RelatedPerson/r"
APART: Final = sorted(UNNAMED_EXCLUDED)
WEIGHT: Final = (LOINC, "29463-7")
HIV: Final = ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HIV")
YEAR, MONTH = {"start": "2024-01-01", "end": "2024-12-31"}, {"start": "2024-06-01", "end": "2024-06-30"}
LATER: Final = {"start": "2025-01-01"}


def grants_of(root: Json) -> tuple[Grant, ...]:
    (consent,) = consents(root)
    return compile_consent(consent, KEYS).grants


def stood(*roots: Json, f_bits: int = 0) -> list[StandingGrant]:
    """Grants as they stand for whom each node's actors and purposes hold, but for those of `f_bits`."""
    found = (grant for root in roots for grant in grants_of(root))
    return [StandingGrant(one.effect, one.shape, ~f_bits, f_bits) for one in found]


def is_within(root: Json, *held: Json) -> bool:
    shown = [grant for grant in grants_of(root) if grant.effect == GrantEffect.PERMIT]
    return all(within(grant, stood(*held)) for grant in shown)


WITHIN: Final[list[tuple[Json, list[Json]]]] = [
    (permit(DR_A), [permit(PROXY)]),
    (permit(DR_A, types=["Observation"], codes=[WEIGHT], labels=["N"], data_period=MONTH), [permit(PROXY)]),
    (permit(DR_A, types=["Observation"]), [permit(PROXY, types=["Observation", "Condition"])]),
    # Each class by another grant.
    (
        permit(DR_A, types=["Observation", "Consent"]),
        [permit(PROXY), permit(PROXY, types=APART)],
    ),
    (permit(DR_A, classes=[VITAL_SIGNS]), [permit(PROXY, classes=[VITAL_SIGNS])]),
    (permit(DR_A, classes=[VITAL_SIGNS]), [permit(PROXY), permit(PROXY, types=APART)]),
    (permit(DR_A, codes=[WEIGHT]), [permit(PROXY, codes=[WEIGHT, C09])]),
    (permit(DR_A, labels=["L"]), [permit(PROXY, labels=["N"])]),
    (permit(DR_A, labels=[HIV]), [permit(PROXY, labels=[HIV])]),
    (permit(DR_A, data_period=MONTH), [permit(PROXY, data_period=YEAR)]),
    (
        permit(DR_A, data=[("instance", "Encounter/1")]),
        [permit(PROXY, data=[("dependents", "Encounter/1"), ("authoredby", ORG_H)])],
    ),
    # What is excepted from the scope is no part of the grant, or excepted from it too.
    (permit(DR_A, types=["Condition"]), [permit(PROXY, but=[deny(types=["Observation"])])]),
    (
        permit(DR_A, but=[deny(types=["Observation", "Condition"])]),
        [permit(PROXY, but=[deny(types=["Observation"], codes=[WEIGHT])])],
    ),
    (permit(DR_A, labels=["N"]), [permit(PROXY, but=[deny(labels=["R"])])]),
    (permit(DR_A, but=[deny(labels=["N"])]), [permit(PROXY, but=[deny(labels=["R"])])]),
    (permit(DR_A, data_period=YEAR), [permit(PROXY, but=[deny(data_period=LATER)])]),
    (permit(DR_A, types=["Consent"]), [permit(PROXY, types=APART, but=[deny()])]),
    (permit(DR_A), [permit(PROXY, but=[deny(types=["Consent"])])]),
    # A block is one as well.
    (permit(DR_A, types=["Condition"]), [permit(PROXY), deny(PROXY, types=["Observation"])]),
    (permit(DR_A, but=[deny(types=["Observation"])]), [permit(PROXY), deny(PROXY, types=["Observation"])]),
    # A permit in a denial asks what both ask.
    (deny(ED, types=["Observation"], but=[permit(DR_A)]), [permit(PROXY, types=["Observation"])]),
]

BEYOND: Final[list[tuple[Json, list[Json]]]] = [
    (permit(DR_A), []),
    (permit(DR_A), [permit(PROXY, types=["Observation"])]),
    (permit(DR_A), [permit(PROXY, types=APART)]),
    (permit(DR_A, types=["Consent"]), [permit(PROXY)]),
    (permit(DR_A, types=["Observation", "Condition"]), [permit(PROXY, types=["Observation"])]),
    (permit(DR_A, types=["Observation"]), [permit(PROXY, classes=[VITAL_SIGNS])]),
    (permit(DR_A, types=["Observation"], classes=[VITAL_SIGNS]), [permit(PROXY, types=["Observation"])]),
    # A category may be stated by what has to be named.
    (permit(DR_A, classes=[VITAL_SIGNS]), [permit(PROXY)]),
    (permit(DR_A, classes=[VITAL_SIGNS]), [permit(PROXY), permit(PROXY, types=APART[1:])]),
    (permit(DR_A, classes=[VITAL_SIGNS]), [permit(PROXY, types=APART)]),
    (permit(DR_A), [permit(PROXY, codes=[WEIGHT])]),
    (permit(DR_A, codes=[WEIGHT, C09]), [permit(PROXY, codes=[WEIGHT])]),
    (permit(DR_A, codes=[N06]), [permit(PROXY, codes=[C09])]),
    (permit(DR_A), [permit(PROXY, labels=["V"])]),
    (permit(DR_A, labels=["R"]), [permit(PROXY, labels=["N"])]),
    (permit(DR_A), [permit(PROXY, labels=[HIV])]),
    (permit(DR_A), [permit(PROXY, data_period=YEAR)]),
    (permit(DR_A, data_period=YEAR), [permit(PROXY, data_period=MONTH)]),
    (permit(DR_A), [permit(PROXY, data=[("instance", "Encounter/1")])]),
    (
        permit(DR_A, data=[("dependents", "Encounter/1")]),
        [permit(PROXY, data=[("instance", "Encounter/1")])],
    ),
    (permit(DR_A, data=[("authoredby", ORG_H)]), [permit(PROXY, data=[("authoredby", DR_A)])]),
    (
        permit(DR_A, data=[("instance", "Encounter/1"), ("authoredby", ORG_H)]),
        [permit(PROXY, data=[("instance", "Encounter/1")])],
    ),
    # What is excepted from the scope has to be excepted from the grant, for everybody and without exception.
    (permit(DR_A), [permit(PROXY, but=[deny(types=["Observation"])])]),
    (
        permit(DR_A, classes=[VITAL_SIGNS]),
        [permit(PROXY, types=APART), permit(PROXY, but=[deny(types=["Condition"])])],
    ),
    (permit(DR_A, but=[deny(types=["Condition"])]), [permit(PROXY, but=[deny(types=["Observation"])])]),
    (
        permit(DR_A, but=[deny(types=["Observation"], codes=[WEIGHT])]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (
        permit(DR_A, but=[deny(DR_A, types=["Observation"])]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (
        permit(DR_A, but=[deny(types=["Observation"], purposes=["HRESCH"])]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (
        permit(DR_A, but=[deny(types=["Observation"], actions=["correct"])]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (
        permit(DR_A, but=[deny(types=["Observation"], period=YEAR)]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (
        permit(DR_A, but=[deny(types=["Observation"], but=[allow(DR_A)])]),
        [permit(PROXY, but=[deny(types=["Observation"])])],
    ),
    (permit(DR_A, labels=["R"]), [permit(PROXY, but=[deny(labels=["R"])])]),
    (permit(DR_A, but=[deny(labels=["V"])]), [permit(PROXY, but=[deny(labels=["R"])])]),
    (permit(DR_A, data_period=YEAR), [permit(PROXY, but=[deny(data_period=MONTH)])]),
    (permit(DR_A, types=["Observation"]), [permit(PROXY, but=[deny()])]),
    (
        permit(DR_A, classes=[VITAL_SIGNS]),
        [permit(PROXY, classes=[VITAL_SIGNS], but=[deny(types=["Condition"])])],
    ),
    (permit(DR_A, types=["Observation"]), [permit(PROXY, but=[deny(classes=[VITAL_SIGNS])])]),
    (permit(DR_A), [permit(PROXY), deny(PROXY, types=["Observation"])]),
    (permit(DR_A), [permit(PROXY), deny(types=["Observation"], but=[permit(DR_A)])]),
]


@pytest.mark.parametrize(("root", "held"), WITHIN)
def test_what_the_author_sees_is_within(root: Json, held: list[Json]) -> None:
    assert is_within(root, *held)


@pytest.mark.parametrize(("root", "held"), BEYOND)
def test_what_the_author_may_not_see_is_beyond(root: Json, held: list[Json]) -> None:
    assert not is_within(root, *held)


def test_what_is_asked_of_the_author_has_to_hold() -> None:
    (grant,) = grants_of(permit(DR_A))
    (held,) = stood(permit(PROXY))
    assert within(grant, [held])
    assert not within(grant, [StandingGrant(held.effect, held.shape, 0, 0)])
    under = stood(deny(but=[permit(PROXY)]))[1]
    assert within(grant, [under])
    assert not within(grant, [StandingGrant(under.effect, under.shape, 0b01, 0)])
    assert not within(grant, [StandingGrant(under.effect, under.shape, 0b10, 0)])


def test_an_exception_that_is_not_for_the_author_takes_nothing() -> None:
    (grant,) = grants_of(permit(DR_A))
    scope = permit(PROXY, but=[deny(DR_A, types=["Condition"]), deny(types=["Observation"])])
    assert not within(grant, stood(scope, f_bits=0b010))
    assert not within(grant, stood(scope, f_bits=0b100))
    assert within(grant, stood(scope, f_bits=0b110))


def test_what_is_not_known_here_is_beyond() -> None:
    (grant,) = grants_of(permit(DR_A))
    assert not within(grant, [StandingGrant(GrantEffect.PERMIT, None, 1, 0)])
    assert not within(grant, [*stood(permit(PROXY)), StandingGrant(GrantEffect.BLOCK, None, 1, 0)])


CONDITIONS: Final[list[Json]] = [
    {},
    {"types": ["Observation"]},
    {"types": ["Consent", "Condition"]},
    {"classes": [VITAL_SIGNS]},
    {"codes": [WEIGHT]},
    {"labels": ["N"]},
    {"labels": [HIV]},
    {"data_period": MONTH},
    {"data": [("instance", "Observation/r"), ("authoredby", ORG_H)]},
]
TIMES: Final[list[Json]] = [
    {},
    {"time": year(2024)},
    {"time": day(2024, 6, 10), "authors": {ORG_H}},
    {"categories": {VITAL_SIGNS}, "authors": {DR_A}},
]
LABELS: Final[list[Json]] = [
    {"confidentiality": None},
    {"confidentiality": Confidentiality.L},
    {"confidentiality": Confidentiality.R, "sensitivities": {Coding(*HIV)}},
]
CODES: Final[list[Json]] = [{}, {"codes": {Coding(*WEIGHT)}}]
RECORDS: Final = [
    record(kind, **{**facts, **labels, **codes})
    for kind in ("Observation", "Condition", "Consent")
    for facts in TIMES
    for labels in LABELS
    for codes in CODES
]


def shown(roots: list[Json], actor: str) -> set[int]:
    """The places of the records that consents with these roots let somebody see."""
    given = consents(*roots)
    asking = asks(frozenset({actor}))
    return {at for at, each in enumerate(RECORDS) if decide(given, each, asking)}


def test_whatever_is_found_within_shows_no_record_more() -> None:
    """Of every grant with at most one exception, in every scope with at most one, or with a denial beside it."""
    but = [[], *([deny(**each)] for each in CONDITIONS[1:])]
    grants = [permit(DR_A, **each, but=one) for each in CONDITIONS for one in but]
    scopes = [[permit(PROXY, **each, but=one)] for each in CONDITIONS for one in but]
    scopes += [[permit(PROXY), deny(PROXY, **each)] for each in CONDITIONS[1:]]
    scopes += [[permit(PROXY), permit(PROXY, types=APART)]]
    seen = [(stood(*roots), shown(roots, PROXY)) for roots in scopes]
    count = 0
    for root in grants:
        (grant,), through = grants_of(root), shown([root], DR_A)
        for held, own in seen:
            if within(grant, held):
                count += 1
                assert through <= own, (root, held)
    assert 300 < count < len(grants) * len(scopes) / 2
