"""A look at what one's own consents do tells nothing of what another person decided.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Any

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.explaining import changed, explained, previewed
from tests.hospital import records_of
from tests.town import Voice
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def appointment(cast: Cast, hanako: Voice, taro: Voice) -> str:
    """A record that names both, which both may see."""
    of_both = [{"actor": made.reference(who.reference), "status": "accepted"} for who in (hanako, taro)]
    for who in (hanako, taro):
        await who.grant(permit(cast.pharmacy, types=["Appointment"], actions=["collect"]))
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], types=["Appointment"]))
    tree = {**records_of(hanako.reference)["Appointment"], "participant": of_both}
    return await cast.town.as_(cast.pharmacy).create(tree)


def told(answer: Json) -> Json:
    return {name: value for name, value in answer.items() if name not in {"at", "next"}}


async def looked(cast: Cast, hanako: Voice, appointment: str, root: Json) -> list[Any]:
    """Every look that there is at somebody's place among what both have."""
    return [
        told(await previewed(hanako, cast.role_e, root, purpose="HRESCH")),
        told(await changed(hanako, root)),
        told(await explained(hanako, record=appointment)),
    ]


async def test_no_look_changes_with_what_somebody_else_decides(
    cast: Cast, hanako: Voice, taro: Voice, appointment: str
) -> None:
    root = permit(cast.role_e, purposes=["HRESCH"], types=["Appointment"])
    before = await looked(cast, hanako, appointment, root)
    assert (before[0]["total"], before[0]["records"], before[0]["leftOut"]["total"]) == (0, [], 1)
    assert "somebody else" in before[0]["leftOut"]["text"]["en"]
    (granted,) = await taro.grant(root)
    assert await looked(cast, hanako, appointment, root) == before
    await hanako.grant(root)
    mine = await looked(cast, hanako, appointment, root)
    (one,) = mine[2]["dependsOnOthers"]
    assert (one["reference"], one["purpose"]) == (cast.role_e, "HRESCH")
    tree = await taro.read(granted)
    await taro.replace(granted, {**tree, "status": "inactive"})
    assert await looked(cast, hanako, appointment, root) == mine
    await taro.grant(deny(cast.role_e))
    assert await looked(cast, hanako, appointment, root) == mine


async def test_what_follows_a_record_of_both_is_left_out_with_it(
    cast: Cast, hanako: Voice, taro: Voice, appointment: str
) -> None:
    for who in (hanako, taro):
        await who.grant(permit(cast.pharmacy, types=["Provenance"], actions=["collect"]))
        await who.grant(permit(cast.pharmacy, types=["Appointment"]))
    tree = {
        "resourceType": "Provenance",
        "target": [made.reference(appointment)],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": made.reference(cast.pharmacy)}],
    }
    await cast.town.as_(cast.pharmacy).create(tree)
    root = permit(cast.role_e, purposes=["HRESCH"], types=["Appointment"])
    before = await looked(cast, hanako, appointment, root)
    await taro.grant(root)
    assert await looked(cast, hanako, appointment, root) == before


async def test_whom_another_persons_care_team_lists_is_told_by_no_draft(
    cast: Cast, hanako: Voice, taro: Voice
) -> None:
    mine = await hanako.create(made.care_team(hanako.reference, cast.dr_b))
    other = await taro.create(made.care_team(taro.reference, cast.dr_b))
    listed = {one["reference"] for one in (await changed(hanako, permit(mine)))["people"]}
    assert cast.dr_b in listed
    absent = await changed(hanako, permit("CareTeam/nobody"))
    assert (await changed(hanako, permit(other)))["people"] == absent["people"] == []
