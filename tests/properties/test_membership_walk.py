"""The walk over memberships in SQL comes to the actors that `expand` comes to, over generated directories.

http://hl7.org/fhir/R4/practitionerrole.html
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.directory import Actors, expand, resolvable
from consent.store import membership_rows
from passport.standing_statement import KNOWN, WALK
from tests.databases import Database
from tests.examples import examples
from tests.unit.consent.enforcement import KEYS
from tests.unit.consent.words import NOW, TOKYO, Json

DIRECTORIES: Final = examples(200)
FEWEST: Final = 2
"""More than so many of them have to be of each kind."""

ROLES: Final = ("PractitionerRole/r", "PractitionerRole/s")
PEOPLE: Final = ("Practitioner/a", "Practitioner/b")
ORGANIZATIONS: Final = ("Organization/h", "Organization/k", "Organization/top")
COLLECTIVES: Final = ("CareTeam/t", "CareTeam/u", "Group/g")
STARTS: Final = (*ROLES, *ROLES, *PEOPLE, *ORGANIZATIONS, "Device/d", "PractitionerRole/ghost")

_AS_ROWS: Final = "INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s::jsonb)"
_WALKED: Final = f"""
WITH RECURSIVE caller AS (
    SELECT %(actor)s::bigint AS actor_key, %(start)s::text AS subject,
        CASE WHEN starts_with(%(start)s, 'PractitionerRole/') THEN %(start)s END AS role
),
walk (actor, step) AS ({WALK})
{KNOWN}
"""


def _reference(name: str) -> Json:
    return {"reference": name}


# The bounds lie at the instant of the request, just before it, just after it, and far from it.
_INSTANTS: Final = tuple(
    (NOW + timedelta(seconds=seconds)).isoformat() for seconds in (-(10**6), -1, 0, 1, 10**6)
)
_PERIODS: Final = st.sampled_from(
    (
        *[None] * 14,
        *({"start": instant} for instant in _INSTANTS),
        *({"end": instant} for instant in _INSTANTS),
        {"start": _INSTANTS[1], "end": _INSTANTS[3]},
        {"start": "soon"},
        "always",
    )
)
_UNFOLLOWED: Final[tuple[Json, ...]] = (
    {"display": "somebody"},
    _reference("https://x.example/Organization/h"),
    {},
)


def _one_of(*names: str) -> st.SearchStrategy[Any]:
    """A reference that mostly can be followed; None where there is none."""
    return st.sampled_from((None, *map(_reference, names), *map(_reference, names), *_UNFOLLOWED))


def _made(kind: str, **elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Resources of a type whose elements are drawn; those that come out None are absent."""
    return st.fixed_dictionaries(elements).map(
        lambda drawn: {"resourceType": kind, **{name: one for name, one in drawn.items() if one is not None}}
    )


def _listed(name: str, *members: str) -> st.SearchStrategy[Any]:
    """The entries of a collective, under which some have ended, and some are nobody."""
    entry = st.fixed_dictionaries(
        {name: _one_of(*members), "period": _PERIODS, "inactive": st.sampled_from((None, None, False, True))}
    )
    entries = entry.map(lambda drawn: {key: one for key, one in drawn.items() if one is not None})
    return st.lists(entries, min_size=1, max_size=4)


_MEMBERS: Final = (*ROLES, *PEOPLE, *ORGANIZATIONS)
_OF_KIND: Final = {
    "PractitionerRole": _made(
        "PractitionerRole",
        active=st.sampled_from((None, None, None, True, False)),
        practitioner=_one_of(*PEOPLE),
        organization=_one_of(*ORGANIZATIONS),
        period=_PERIODS,
    ),
    "Organization": _made("Organization", partOf=_one_of(*ORGANIZATIONS)),
    "CareTeam": _made(
        "CareTeam",
        status=st.sampled_from((None, "active", "active", "inactive")),
        participant=_listed("member", *_MEMBERS, COLLECTIVES[0]),
        period=_PERIODS,
    ),
    "Group": _made(
        "Group",
        active=st.sampled_from((None, True, False)),
        actual=st.sampled_from((True, True, False)),
        member=_listed("entity", *_MEMBERS, COLLECTIVES[0]),
        quantity=st.sampled_from((None, None, 1, 2)),
    ),
}


@st.composite
def directories(draw: st.DrawFn) -> dict[str, Json]:
    """Most of the resources that are known by name; some are not there."""
    named = {}
    for name in (*ROLES, *ORGANIZATIONS, *COLLECTIVES):
        kind, _, id_ = name.partition("/")
        if draw(st.integers(0, 5)):
            named[name] = {**draw(_OF_KIND[kind]), "id": id_}
    return named


def walked(
    connection: psycopg.Connection[Any], directory: Mapping[str, Json], start: str
) -> tuple[set[int], bool]:
    """The keys of the actors to which the SQL comes, and whether its walk broke off."""
    rows = [row for name, one in directory.items() for row in membership_rows(name, one, KEYS, zone=TOKYO)]
    known = [
        {"actor_key": KEYS.reference(name), "resolvable": resolvable(one, TOKYO)}
        for name, one in directory.items()
    ]
    with connection.transaction(force_rollback=True):
        connection.execute(_AS_ROWS.format("membership"), [json.dumps(rows)])
        connection.execute(_AS_ROWS.format("collective"), [json.dumps(known)])
        params = {"actor": KEYS.reference(start), "start": start, "now": NOW}
        ((actors, unresolved),) = connection.execute(_WALKED, params).fetchall()
    return set(actors), unresolved


@pytest.fixture(scope="module")
def connection(module_database: Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_database.superuser_url) as opened:
        yield opened


def test_the_walk_in_sql_comes_to_whom_the_directory_leads_to(connection: psycopg.Connection[Any]) -> None:
    met: list[Actors] = []

    @DIRECTORIES
    @given(directory=directories(), start=st.sampled_from(STARTS))
    def compare(directory: dict[str, Json], start: str) -> None:
        actors = expand(directory, start, at=NOW, zone=TOKYO)
        keys = {KEYS.reference(name) for name in actors.references}
        assert walked(connection, directory, start) == (keys, actors.unresolved)
        met.append(actors)

    compare()
    # A generator that leads nowhere, or never breaks off, proves nothing.
    for share in (
        sum(one.unresolved for one in met),
        sum(len(one.references) > 2 for one in met),
        sum(any(name in COLLECTIVES for name in one.references) for one in met),
    ):
        assert FEWEST < share < len(met) - FEWEST


def test_a_collective_that_is_listed_by_another_leads_no_further(connection: psycopg.Connection[Any]) -> None:
    doctor, team, group = PEOPLE[0], COLLECTIVES[0], COLLECTIVES[2]
    directory: dict[str, Json] = {
        team: {"resourceType": "CareTeam", "id": "t", "participant": [{"member": _reference(doctor)}]},
        group: {"resourceType": "Group", "id": "g", "actual": True, "member": [{"entity": _reference(team)}]},
    }
    actors = expand(directory, doctor, at=NOW, zone=TOKYO)
    assert actors.references == {doctor, team}
    assert walked(connection, directory, doctor)[0] == {KEYS.reference(doctor), KEYS.reference(team)}


def test_a_role_without_a_key_cannot_be_followed(connection: psycopg.Connection[Any]) -> None:
    params = {"actor": None, "start": ROLES[0], "now": NOW}
    assert connection.execute(_WALKED, params).fetchall() == [([], True)]
    assert connection.execute(_WALKED, {**params, "start": PEOPLE[0]}).fetchall() == [([], False)]
