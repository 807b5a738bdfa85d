"""A standing that was met before saves a round trip and decides nothing.

http://hl7.org/fhir/R4/consent.html
"""

from functools import partial
from pathlib import Path

import pytest

from fhirstore.prepared import PREPARED_FROM
from tests import resources as made
from tests.attacks.work import syncs_of, trips_of
from tests.cast import Cast
from tests.town import Town, Voice
from tests.unit.consent.words import deny, permit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shared(town: Town, cast: Cast) -> tuple[Voice, str, str]:
    """A resident who shares weights with the hospital, the consent, and a weight."""
    patient = await town.resident("見本 三葉")
    (consent,) = await patient.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    return patient, consent, await patient.create(made.weight(patient.reference))


async def test_what_was_asked_before_is_answered_in_one_round_trip(
    town: Town, cast: Cast, shared: tuple[Voice, str, str], tmp_path: Path
) -> None:
    patient, _, weight = shared
    assert town.runtime.reading is not None
    for path in (weight, f"Observation?patient={patient.reference}", f"{weight}/_history/1"):
        ask = partial(cast.a.get, path)
        # Each connection is there and has the statement prepared, which takes one more.
        await syncs_of(town, ask, tmp_path / "trace")
        for _ in range(town.runtime.reading.max_size * (PREPARED_FROM + 1)):
            assert (await ask()).status_code == 200
        assert await syncs_of(town, ask, tmp_path / "trace") == 1


async def test_a_withdrawal_counts_for_the_next_request_and_is_recorded_once(
    town: Town, cast: Cast, shared: tuple[Voice, str, str]
) -> None:
    patient, consent, weight = shared
    assert (await cast.a.get(weight)).status_code == 200
    assert (await cast.a.get(weight)).status_code == 200
    before = town.rows("SELECT outcome FROM audit_event ORDER BY recorded")
    tree = (await patient.get(consent)).json()
    assert (await patient.put(consent, {**tree, "status": "inactive"})).status_code == 200
    assert (await cast.a.get(weight)).status_code == 404
    told = town.rows(
        "SELECT outcome, cardinality(record_keys), grants FROM audit_event WHERE role = %s AND action = 'read' "
        "ORDER BY recorded DESC LIMIT 3",
        cast.role_a,
    )
    assert [row[0] for row in told] == ["not-found", "success", "success"]
    assert told[0][1:] == (0, [])
    assert len(town.rows("SELECT FROM audit_event")) == len(before) + 3


async def test_a_new_denial_a_new_label_and_a_new_membership_count_at_once(
    town: Town, cast: Cast, shared: tuple[Voice, str, str]
) -> None:
    patient, _, weight = shared
    for _ in range(2):
        assert (await cast.a.get(weight)).status_code == 200
    (denial,) = await patient.grant(deny(cast.dr_a))
    assert (await cast.a.get(weight)).status_code == 404
    tree = (await patient.get(denial)).json()
    await patient.put(denial, {**tree, "status": "inactive"})
    assert (await cast.a.get(weight)).status_code == 200
    role = (await town.operator.get(cast.role_a)).json()
    await town.operator.put(cast.role_a, {**role, "active": False})
    assert (await cast.a.get(weight)).status_code in (401, 404)
    await town.operator.put(cast.role_a, {**role, "active": True})
    assert (await cast.a.get(weight)).status_code == 200


async def test_an_ended_session_is_not_answered(
    town: Town, cast: Cast, shared: tuple[Voice, str, str]
) -> None:
    _, _, weight = shared
    colleague = town.as_(cast.role_b)
    for _ in range(2):
        assert (await colleague.get(weight)).status_code == 200
    assert (await colleague.call("POST", "/auth/sign-out")).status_code == 204
    assert (await colleague.get(weight)).status_code == 401
    town.sessions.clear()


async def test_one_patients_standing_says_nothing_of_another(
    town: Town, cast: Cast, shared: tuple[Voice, str, str]
) -> None:
    _, _, weight = shared
    other = await town.resident("見本 四葉")
    hidden = await other.create(made.weight(other.reference))
    for _ in range(3):
        assert (await cast.a.get(weight)).status_code == 200
        assert (await cast.a.get(hidden)).status_code == 404
        found = (await cast.a.get(f"Observation?patient={other.reference}")).json()
        assert "entry" not in found


async def test_who_was_shown_a_page_is_shown_its_records_in_one_round_trip(
    town: Town, cast: Cast, shared: tuple[Voice, str, str], tmp_path: Path
) -> None:
    patient, _, _ = shared
    weights = [await patient.create(made.weight(patient.reference)) for _ in range(3)]
    for _ in range(9):
        # Every connection has the statement prepared.
        assert (await cast.a.get(weights[0])).status_code == 200
    await cast.a.search("Observation", ("patient", patient.reference))
    assert await syncs_of(town, partial(cast.a.get, weights[1]), tmp_path / "met") == 1
    unmet = await patient.create(made.weight(patient.reference))
    assert await syncs_of(town, partial(cast.a.get, unmet), tmp_path / "unmet") == 2


async def test_what_is_denied_costs_what_is_not_there_whoever_else_was_met(
    town: Town, cast: Cast, shared: tuple[Voice, str, str], tmp_path: Path
) -> None:
    """Else a round trip would tell that a record is there, and whose it is."""
    patient, _, weight = shared
    hidden = await patient.create(made.pressure(patient.reference))
    unknown = "Observation/00000000-0000-4000-8000-000000000000"
    trips = []
    for at in range(4):
        assert (await cast.a.get(weight)).status_code == 200
        for path in (hidden, unknown):
            trips.append(await trips_of(town, partial(cast.a.get, path), tmp_path / f"{at}"))
        await patient.grant(permit(cast.clinic))
    assert set(trips) == {(404, 2)}
