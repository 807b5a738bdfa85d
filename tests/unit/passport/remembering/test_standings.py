"""What one process remembers of standings, and the statement that asks whether one of them holds."""

from dataclasses import replace

import pytest

from consent.model import Action
from passport.remembering.standings import MOST_KNOWN, Known, Standings, place_of
from passport.remembering.store import behind
from passport.sql import Prepared
from passport.standing import Held, Standing
from passport.subjects import Bearer, Subject

PHYSICIAN = Subject(
    "practitioner", "Practitioner/a", "PractitionerRole/a", None, None, None, "TREAT", frozenset(), None, None
)
PERMIT, BLOCK = Held(1, 1, 1, 0), Held(2, 1, 1, 0)
STANDING = Standing(
    subject=PHYSICIAN,
    actor_key=1,
    groups={(): (0,), (PERMIT,): (7,)},
    refs={7: ("Consent/1/_history/1",)},
    policies=(),
    everyone=False,
    named=(7,),
    rests_on={"session_row": "1"},
)
PLACE = place_of(Bearer(b"token"), Action.ACCESS, "read", [3])


def test_what_was_found_to_hold_no_more_is_forgotten_for_every_record_of_its_page() -> None:
    standings, known = Standings(), Known(STANDING)
    standings.remember(PLACE, known)
    standings.remember_shown(PLACE, known, [4, 5])
    others = [place_of(Bearer(b"token"), Action.ACCESS, "read", [key]) for key in (4, 5)]
    assert [standings.recall(place) for place in (PLACE, *others)] == [known] * 3
    known.over = True
    assert [standings.recall(place) for place in (PLACE, *others)] == [None] * 3


def test_standings_towards_many_take_no_more_room_than_others() -> None:
    """Whoever searches without naming a patient stands towards all who share, with every new token."""
    standings, many = Standings(), tuple(range(1, 5_001))
    towards_all = replace(STANDING, groups={(PERMIT,): many}, named=())
    places = [place_of(Bearer(b"%d" % token), Action.ACCESS, "read", []) for token in range(100)]
    for place in places:
        standings.remember(place, Known(towards_all))
    kept = [place for place in places if standings.recall(place) is not None]
    assert kept == places[-len(kept) :]
    assert 10 * 5_000 <= len(kept) * 5_000 <= MOST_KNOWN


@pytest.mark.parametrize(
    ("token", "action", "way", "keys"),
    [
        (b"other", Action.ACCESS, "read", [3]),
        (b"token", Action.COLLECT, "read", [3]),
        (b"token", Action.ACCESS, "write", [3]),
        (b"token", Action.ACCESS, "read", [3, 4]),
        (b"token", Action.ACCESS, "read", []),
    ],
)
def test_a_standing_is_recalled_for_nothing_else(
    token: bytes, action: Action, way: str, keys: list[int]
) -> None:
    standings = Standings()
    standings.remember(PLACE, Known(STANDING))
    assert standings.recall(place_of(Bearer(token), action, way, keys)) is None


def test_what_there_is_no_way_to_ask_for_is_not_remembered() -> None:
    standings = Standings()
    standings.remember(PLACE, Known(replace(STANDING, rests_on={})))
    standings.remember_shown(PLACE, Known(replace(STANDING, rests_on={})), [3])
    assert standings.recall(PLACE) is None


def test_only_a_permit_of_their_own_tells_that_a_patient_shares() -> None:
    assert STANDING.shared_with
    assert replace(STANDING, named=(0,)).shared_with
    assert replace(STANDING, subject=replace(PHYSICIAN, patient_key=8), named=(8,)).shared_with
    assert not replace(STANDING, named=()).shared_with
    assert not replace(STANDING, named=(7, 8)).shared_with
    assert not replace(STANDING, groups={(BLOCK,): (7,)}).shared_with
    assert not replace(STANDING, policies=(PERMIT,), groups={(PERMIT,): (7,)}).shared_with


@pytest.mark.parametrize(
    "text", ["SELECT 1", "WITH shown AS (SELECT 1) SELECT 1", "SELECT 1 WITH 'recorded' IS NOT NULL"]
)
def test_only_a_disclosure_can_stand_behind_the_question_whether_a_standing_holds(text: str) -> None:
    with pytest.raises(ValueError, match="no disclosure"):
        behind(Prepared(text, {}))
