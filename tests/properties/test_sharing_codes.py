"""The law of share codes: whatever happens in which order, a code is redeemed once, by one, while it is good.

https://www.rfc-editor.org/rfc/rfc8628
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given
from hypothesis import strategies as st

from passport.identity.attempts import FAILURES_MAX, WINDOW
from passport.sharing.codes import LIFE
from tests import resources as made
from tests.databases import Database
from tests.examples import examples
from tests.sharing import code_of, sent, told
from tests.town import Town, Voice, served

ORGANIZATIONS: Final = 3
PEOPLE: Final = 2

Step = tuple[str, int, int]
"""What happens, to the code of whom, and by which organization or after how many minutes."""

STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(["make", "redeem", "redeem", "redeem", "take back", "wait"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, ORGANIZATIONS - 1),
    ),
    max_size=12,
)


@dataclass(frozen=True, repr=False)
class Place:
    """The served passport that every sequence of steps is played in, one after the other."""

    town: Town
    organizations: list[str]
    portal: BlockingPortal


@dataclass
class Made:
    """A code that was made: whose, until when, and who redeemed it."""

    person: int
    text: str
    id: str
    until: timedelta
    by: int | None = None
    over: bool = False


@dataclass
class Model:
    """What is known of the codes; `now` is the time since the beginning, `wrong` when which organization erred."""

    codes: list[Made] = field(default_factory=list)
    now: timedelta = timedelta()
    wrong: list[tuple[int, timedelta]] = field(default_factory=list)

    def last(self, person: int) -> Made | None:
        """The newest code of somebody."""
        return next((code for code in reversed(self.codes) if code.person == person), None)

    def redeemed(self, code: Made, organization: int) -> int:
        """The status that redeeming must be answered with."""
        errors = [at for who, at in self.wrong if who == organization and self.now - at < WINDOW]
        if len(errors) >= FAILURES_MAX:
            return 429
        if code.over or self.now >= code.until or code.by not in (None, organization):
            self.wrong.append((organization, self.now))
            return 404
        status = 201 if code.by is None else 200
        code.by = organization
        return status


@pytest.fixture(scope="module")
def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("installation")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(module_database, folder)) as town,
    ):
        yield Place(town, portal.call(_organizations, town), portal)


async def _organizations(town: Town) -> list[str]:
    return [await town.operator.create(made.organization(f"架空{at}")) for at in range(ORGANIZATIONS)]


@examples(12)
@given(STEPS)
def test_a_code_is_redeemed_once_by_one_organization_while_it_is_good(
    place: Place, steps: list[Step]
) -> None:
    place.portal.call(_played, place, steps)


async def _played(place: Place, steps: list[Step]) -> None:
    town, model = place.town, Model()
    town.sessions.clear()
    people = [await town.resident() for _ in range(PEOPLE)]
    begun = town.clock.ahead
    for what, person, other in steps:
        if what == "wait":
            model.now += timedelta(minutes=6 * (other + 1))
            town.clock.ahead = begun + model.now
        elif what == "make":
            await _make(model, people[person], person)
        elif (code := model.last(person)) is not None:
            await _turn(place, model, people[person], what, other, code)
    for person, voice in enumerate(people):
        listed = await told(voice, "grants")
        organizations = [
            place.organizations[code.by]
            for code in model.codes
            if code.person == person and code.by is not None
        ]
        assert sorted(one["with"][0]["reference"] for one in listed) == sorted(organizations)
    # Beyond the window of what was counted, so that the next sequence begins with nothing.
    town.clock.ahead = begun + model.now + 2 * WINDOW


async def _make(model: Model, voice: Voice, person: int) -> None:
    if (former := model.last(person)) is not None:
        former.over = True
    code = await code_of(voice)
    model.codes.append(Made(person, code["user_code"], code["id"], model.now + LIFE))


async def _turn(place: Place, model: Model, voice: Voice, what: str, other: int, code: Made) -> None:
    if what == "take back":
        answer = await sent(voice, f"codes/{code.id}", method="DELETE")
        good = not code.over and code.by is None and model.now < code.until
        assert answer.status_code == (204 if good else 404)
        code.over = code.over or good
        return
    caller = place.town.as_(place.organizations[other])
    answer = await sent(caller, "redemptions", {"user_code": code.text})
    assert answer.status_code == model.redeemed(code, other), answer.text
