"""Where a condition on a record's facts is certainly so, and where it is certainly not: the edges of both."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from consent.facts import RecordColumns, judge
from consent.formula import expression
from consent.model import Coding, Confidentiality, Interval, Record
from consent.shape import ShapeNode
from consent.systems import ACT_CODE
from fhirstore.types import TYPE_NUMBERS
from tests.unit.consent.conftest import Decides
from tests.unit.consent.enforcement import KEYS, RECORDS, Enforcement, no_facts, row_of
from tests.unit.consent.words import DR_A, DR_B, VITAL_SIGNS, asks, consents, deny, permit, record, year

LABORATORY = Coding("http://cat.example", "LAB")
YEAR = {"start": "2024", "end": "2024"}
HIV, PSY = Coding(ACT_CODE, "HIV"), Coding(ACT_CODE, "PSY")
NORMAL = ShapeNode(deny=False, confidentiality=int(Confidentiality.N))
RESTRICTED = ShapeNode(deny=True, confidentiality=int(Confidentiality.R))
SENSITIVE = ShapeNode(deny=True, sensitivities=(KEYS.label(*HIV),))
SINCE = ShapeNode(deny=False, period=Interval(year(2024).start, None))
UNTIL = ShapeNode(deny=False, period=Interval(None, year(2024).end))
OPEN = Interval(year(2023).start, None)


def judged(enforcement: Enforcement, node: ShapeNode, one: Record) -> bool | None:
    """Whether a provision's conditions hold for a record; None where that is not known."""
    verdict = judge(node, RecordColumns.of(RECORDS), TYPE_NUMBERS)
    row = row_of(one, {"Patient/p1": 1}, no_facts, frozenset())
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_record SELECT * FROM jsonb_populate_recordset(NULL::probe_record, %s::jsonb)",
            [json.dumps([row])],
        )
        ((holds, fails),) = enforcement.run(
            select(expression(verdict.true), expression(verdict.false)).select_from(RECORDS), {}
        )
    assert not (holds and fails)
    return True if holds else False if fails else None


@pytest.mark.parametrize(
    ("node", "one", "expected"),
    [
        (NORMAL, record(confidentiality=Confidentiality.L), True),
        (NORMAL, record(confidentiality=Confidentiality.N), True),
        (NORMAL, record(confidentiality=Confidentiality.R), False),
        (NORMAL, record(confidentiality=None), None),
        (RESTRICTED, record(confidentiality=Confidentiality.N), False),
        (RESTRICTED, record(confidentiality=Confidentiality.R), True),
        (RESTRICTED, record(confidentiality=Confidentiality.V), True),
        (RESTRICTED, record(confidentiality=None), None),
        (SENSITIVE, record(sensitivities={HIV}), True),
        (SENSITIVE, record(sensitivities={PSY}), False),
        (SENSITIVE, record(), False),
        (SENSITIVE, record(sensitivities={HIV}, confidentiality=None), None),
        (SINCE, record(time=year(2024)), True),
        (SINCE, record(time=year(2023)), False),
        (SINCE, record(time=OPEN), None),
        (SINCE, record(), None),
        (UNTIL, record(time=year(2024)), True),
        (UNTIL, record(time=year(2025)), False),
        (UNTIL, record(time=OPEN), None),
    ],
)
def test_a_condition_is_true_false_or_unknown(
    enforcement: Enforcement, node: ShapeNode, one: Record, expected: bool | None
) -> None:
    assert judged(enforcement, node, one) is expected


def test_one_of_several_references_is_enough_and_no_other_one_is(permits: Decides) -> None:
    named = [("instance", "Observation/1"), ("instance", "Observation/2"), ("dependents", "Encounter/3")]
    given = consents(permit(DR_A, data=named))
    for name in ("1", "2"):
        assert permits(given, record(name=name), asks())
    assert permits(given, record("Encounter", "3"), asks())
    assert not permits(given, record(name="3"), asks())
    written = consents(permit(DR_A, data=[("authoredby", DR_A), ("authoredby", DR_B)]))
    for source in (DR_A, DR_B):
        assert permits(written, record(source=source), asks())
    assert not permits(written, record(source="Organization/k"), asks())


def test_a_deny_of_a_type_or_a_category_spares_neither(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(types=["Condition"], classes=[VITAL_SIGNS]))
    assert not permits(given, record("Condition", categories={LABORATORY}), asks())
    assert not permits(given, record(categories={VITAL_SIGNS}), asks())
    assert not permits(given, record(), asks())
    assert permits(given, record(categories={LABORATORY}), asks())


def test_a_time_that_only_touches_a_period_is_outside_of_it(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(data_period=YEAR))
    whole = year(2024)
    assert permits(given, record(time=year(2023)), asks())
    assert permits(given, record(time=year(2025)), asks())
    assert not permits(given, record(time=whole), asks())
    assert permits(consents(permit(DR_A, data_period=YEAR)), record(time=whole), asks())


def test_a_time_that_ends_where_it_starts_is_no_time(permits: Decides) -> None:
    noon = datetime(2024, 6, 1, 3, tzinfo=UTC)
    nothing = record(time=Interval(noon, noon))
    assert not permits(consents(permit(DR_A, data_period=YEAR)), nothing, asks())
    assert not permits(
        consents(permit(DR_A), deny(data_period={"start": "2020", "end": "2020"})), nothing, asks()
    )


def test_a_time_is_compared_as_an_instant_in_every_time_zone_of_the_session(enforcement: Enforcement) -> None:
    """The clocks of Berlin told this half hour twice."""
    start = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    end = start + timedelta(minutes=10)
    given = consents(permit(DR_A, data_period={"start": start.isoformat(), "end": end.isoformat()}))
    inside = record(name="inside", time=Interval(start, end))
    longer = record(name="longer", time=Interval(start, end + timedelta(minutes=10)))
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute("SET LOCAL timezone TO 'Europe/Berlin'")
        assert enforcement.visible(given, [inside, longer], asks()) == {inside.reference}
