"""What histories could tell of records that the caller may not see: versions, instants, gaps, deletions.

http://hl7.org/fhir/R4/http.html#history
"""

import pytest

from tests import resources as made
from tests.attacks.twins import Twins, twins_of
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

SINCE = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


async def versions(voice: Voice, path: str, *params: tuple[str, str]) -> list[list[str]]:
    """Every page of a history, each entry as `Type/id/version`; a record's tells how many there are, and no other."""
    answer = await voice.get(path, *params)
    pages: list[list[str]] = []
    totals = []
    while True:
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        totals.append(bundle.get("total"))
        pages.append(
            [
                f"{entry['fullUrl'].removeprefix(f'{BASE_URL}/fhir/')}/{entry['response']['etag'][3:-1]}"
                for entry in bundle.get("entry", ())
            ]
        )
        further = link(bundle, "next")
        if further is None:
            shown = sum(map(len, pages)) if path.count("/") == 2 else None
            assert set(totals) == {shown}
            return pages
        answer = await voice.get(further.removeprefix(BASE_URL))


@pytest.mark.parametrize("path", ["_history", "Observation/_history"])
async def test_a_history_has_neither_gaps_nor_short_pages_where_something_is_hidden(
    twins: Twins, path: str
) -> None:
    own = {*twins.full.shown, *twins.bare.shown}
    pages = await versions(twins.physician, path, ("_count", "1"))
    assert all(len(page) == 1 for page in pages)
    listed = [page[0].rpartition("/")[0] for page in pages]
    assert own <= set(listed)
    assert not set(listed) & {*twins.full.hidden.values()}
    assert (await versions(twins.colleague, path))[0] == [] or not own & {
        name.rpartition("/")[0] for page in await versions(twins.colleague, path) for name in page
    }


@pytest.mark.parametrize("name", ["_since", "_at"])
async def test_an_instant_at_which_only_hidden_records_were_written_shows_nothing(
    hanako: Voice, cast: Cast, name: str
) -> None:
    shown = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT]))
    hidden = await hanako.create(made.pressure(hanako.reference))
    written = (await hanako.get(hidden)).json()["meta"]["lastUpdated"]
    for path in ("_history", "Observation/_history"):
        listed = [one for page in await versions(cast.a_at_k, path, (name, written)) for one in page]
        assert f"{hidden}/1" not in listed
        assert listed == ([] if name == "_since" else listed)
    assert [f"{shown}/1"] in await versions(cast.a_at_k, f"{shown}/_history", ("_since", SINCE))


async def test_a_deletion_of_a_hidden_record_is_in_no_history(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT]))
    before = await versions(cast.a_at_k, "_history", ("_count", "100"))
    hidden = await hanako.create(made.pressure(hanako.reference))
    await hanako.remove(hidden)
    assert await versions(cast.a_at_k, "_history", ("_count", "100")) == before
    outcome(await cast.a_at_k.get(f"{hidden}/_history"), 404, "not-found")


async def test_a_version_that_was_hidden_stays_hidden_when_the_record_is_shown(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT], labels=["N"]))
    other = made.observation(hanako.reference, made.HEART_RATE, meta=made.labelled("N"))
    reference = await hanako.create(other)
    await hanako.replace(reference, made.weight(hanako.reference, meta=made.labelled("N")))
    outcome(await cast.a_at_k.get(f"{reference}/_history/1"), 404, "not-found")
    for path in (f"{reference}/_history", "Observation/_history"):
        listed = [one for page in await versions(cast.a_at_k, path) for one in page]
        assert f"{reference}/2" in listed
        assert f"{reference}/1" not in listed
