"""Where a condition on a record's facts is certainly so, and where it is certainly not: the edges of both."""

from datetime import UTC, datetime, timedelta

from consent.model import Coding, Interval
from tests.unit.consent.conftest import Decides
from tests.unit.consent.enforcement import Enforcement
from tests.unit.consent.words import DR_A, VITAL_SIGNS, asks, consents, deny, permit, record, year

LABORATORY = Coding("http://cat.example", "LAB")
YEAR = {"start": "2024", "end": "2024"}


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
