"""Whatever goes wrong, nothing is shown: errors, unknown rules and shapes, empty lists, NULLs."""

import json
from dataclasses import replace
from itertools import combinations

import pytest
from sqlalchemy import ColumnElement, literal_column, select

from consent.compile import GrantEffect, compile_consent
from consent.facts import RecordColumns
from consent.grants import MOST_WEIGHED, StandingGrant, clause, relied, weighed
from consent.model import Coding, Confidentiality, Effect, Provision, Purpose
from consent.reference import decide
from consent.shape import Shape, ShapeNode
from consent.sql import Sight, by_group, permitted, visible, whose
from consent.systems import ACT_CODE, ATC, LOINC
from fhirstore.types import TYPE_NUMBERS
from tests.unit.consent.enforcement import (
    KEYS,
    PARTS,
    RECORDS,
    Enforcement,
    no_facts,
    part_rows_of,
    patients_of,
)
from tests.unit.consent.words import DR_A, DR_B, ORG_H, P1, P2, Json, asks, consents, deny, permit, record

COLUMNS = RecordColumns.of(RECORDS)
ANYTHING = Shape((ShapeNode(deny=False),))
PERMIT = StandingGrant(GrantEffect.PERMIT, ANYTHING, t_bits=1, f_bits=0)


def holds(enforcement: Enforcement, *standing: StandingGrant, kind: str = "Observation") -> bool:
    """Whether this standing permits a record of which nothing but the type is known."""
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute("INSERT INTO probe_record (type) VALUES (%s)", [TYPE_NUMBERS[kind]])
        statement = select(RECORDS.c.type).where(clause(standing, COLUMNS, TYPE_NUMBERS))
        return bool(enforcement.run(statement, {}))


def test_an_empty_rule_list_denies(enforcement: Enforcement) -> None:
    assert not decide([], record(), asks())
    assert not holds(enforcement)


def test_a_plain_permit_is_what_the_other_tests_take_away_from(enforcement: Enforcement) -> None:
    assert holds(enforcement, PERMIT)
    assert not holds(enforcement, PERMIT, kind="Consent")


def test_an_error_in_a_rule_denies() -> None:
    (one,) = consents(permit(DR_A))
    assert one.root is not None
    both_labels = replace(
        one.root,
        confidentiality=frozenset({Confidentiality.N}),
        sensitivities=frozenset({Coding(ACT_CODE, "HIV")}),
    )
    assert decide([one], record(), asks())
    assert not decide([one, replace(one, root=both_labels)], record(), asks())


def test_an_unknown_rule_denies() -> None:
    (one,) = consents(permit(DR_A))
    strange = Provision(effect=Effect.DENY)
    object.__setattr__(strange, "effect", "maybe")
    assert not decide([one, replace(one, root=strange)], record(), asks())


def test_an_unknown_shape_denies(enforcement: Enforcement) -> None:
    given = consents(permit(DR_A), permit(ORG_H, types=["Observation"]), deny(DR_B))
    keys = [grant.shape_key for one in given for grant in compile_consent(one, KEYS).grants]
    asked = asks()
    assert enforcement.visible(given, [record()], asked)
    # A permit that is not understood grants nothing, beside one that is.
    assert enforcement.visible(given, [record()], asked, forgotten=frozenset(keys[:1]))
    assert not enforcement.visible(given, [record()], asked, forgotten=frozenset(keys[:2]))
    # A deny that is not understood blocks, even where its actor is somebody else.
    assert not enforcement.visible(given, [record()], asked, forgotten=frozenset(keys[2:]))


def test_an_unknown_effect_blocks(enforcement: Enforcement) -> None:
    strange = replace(PERMIT, effect=3, t_bits=0, f_bits=1)
    assert not holds(enforcement, PERMIT, strange)


def test_a_grant_of_which_nothing_is_known_neither_grants_nor_spares(enforcement: Enforcement) -> None:
    unknown = replace(PERMIT, t_bits=0, f_bits=0)
    assert not holds(enforcement, unknown)
    assert not holds(enforcement, PERMIT, replace(unknown, effect=GrantEffect.BLOCK))


def test_bits_that_contradict_each_other_are_unknown(enforcement: Enforcement) -> None:
    contradictory = replace(PERMIT, t_bits=1, f_bits=1)
    assert not holds(enforcement, contradictory)
    assert not holds(enforcement, PERMIT, replace(contradictory, effect=GrantEffect.BLOCK))


def test_a_null_never_grants_and_never_spares(enforcement: Enforcement) -> None:
    label = Shape((ShapeNode(deny=True, confidentiality=4),))
    assert not holds(enforcement, replace(PERMIT, shape=label))
    assert not holds(enforcement, PERMIT, StandingGrant(GrantEffect.BLOCK, label, t_bits=1, f_bits=0))


@pytest.mark.parametrize("number", [0, 1], ids=["permit", "block"])
def test_a_grant_whose_nodes_are_lost_grants_nothing_and_blocks(
    enforcement: Enforcement, number: int
) -> None:
    given = consents(permit(DR_A), deny(DR_B))
    connection = enforcement.connection
    assert enforcement.visible(given, [record()], asks())
    with connection.transaction(force_rollback=True):
        connection.execute(
            "CREATE FUNCTION pg_temp.lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER lose BEFORE INSERT ON consent_node FOR EACH ROW"
            f" WHEN (NEW.consent_key = {number}) EXECUTE FUNCTION pg_temp.lose()"
        )
        assert not enforcement.visible(given, [record()], asks())


def test_a_deleted_target_is_not_there(enforcement: Enforcement) -> None:
    given, follower = consents(permit(DR_A)), record("Provenance", follows=(record("Observation", "1"),))
    assert enforcement.visible(given, [follower], asks())
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "CREATE FUNCTION pg_temp.remove() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN NEW.deleted = true; RETURN NEW; END'"
        )
        enforcement.connection.execute(
            "CREATE TRIGGER remove BEFORE INSERT ON probe_record FOR EACH ROW"
            f" WHEN (NEW.type = {TYPE_NUMBERS['Observation']}) EXECUTE FUNCTION pg_temp.remove()"
        )
        assert not enforcement.visible(given, [follower], asks())


def test_a_target_that_lies_with_nobody_whom_the_row_names_is_not_there(enforcement: Enforcement) -> None:
    given = [*consents(permit(DR_A)), *consents(permit(DR_A), patient=P2)]
    target = record("Observation", "1", patients={P2})
    assert enforcement.visible(given, [target], asks())
    follower = record("Provenance", follows=(target,))
    assert enforcement.visible(given, [replace(follower, patients=frozenset({P1, P2}))], asks())
    assert not enforcement.visible(given, [follower], asks())


def test_a_row_has_the_parts_of_its_own_version_alone(enforcement: Enforcement) -> None:
    given = consents(permit(DR_A, types=["Bundle", "Observation"]))
    shown = record("Bundle", "1", parts=(record("Observation", "1"),))
    hidden = record("Bundle", "2", parts=(record("Condition", "2"),))
    assert enforcement.visible(given, [shown, hidden], asks()) == {"Bundle/1"}
    earlier = replace(shown, parts=hidden.parts)
    (part,) = part_rows_of(earlier, patients_of(given, [earlier], None), no_facts, frozenset())
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_part SELECT * FROM jsonb_populate_recordset(NULL::probe_part, %s::jsonb)",
            [json.dumps([{**part, "version": 2}])],
        )
        assert enforcement.visible(given, [shown], asks()) == {"Bundle/1"}


@pytest.mark.parametrize("kind", ["Provenance", "Binary"])
def test_whoever_asks_for_followers_alone_is_shown_those_of_what_they_may_see(
    enforcement: Enforcement, kind: str
) -> None:
    given = consents(permit(DR_A, types=["Observation"]))
    followers = [
        record(kind, "of-shown", follows=(record("Observation", "1"),)),
        record(kind, "of-hidden", follows=(record("Condition", "2"),)),
    ]
    found = enforcement.visible(given, followers, asks(), within=frozenset({kind}))
    assert found == {f"{kind}/of-shown"}


@pytest.mark.parametrize(
    "root",
    [
        permit(DR_A),
        permit(DR_A, types=["Observation", "Consent", "Encounter"], but=[deny(types=["Encounter"])]),
        permit(DR_A, codes=[(LOINC, "1")]),
    ],
    ids=["any type", "some types", "codes"],
)
def test_asking_for_some_types_alone_changes_no_decision(enforcement: Enforcement, root: Json) -> None:
    loinc, other = frozenset({Coding(LOINC, "1")}), frozenset({Coding(ATC, "1")})
    records = [
        record("Observation", "1", codes=loinc),
        record("Observation", "2", codes=other),
        record("Condition", codes=other),
        record("Encounter"),
        record("Consent"),
    ]
    shown = enforcement.visible(consents(root), records, asks())
    assert 0 < len(shown) < len(records)
    for kinds in combinations(sorted({one.type for one in records}), 2):
        for within in (frozenset(kinds), frozenset(kinds[:1])):
            expected = {name for name in shown if name.partition("/")[0] in within}
            assert enforcement.visible(consents(root), records, asks(), within=within) == expected


def test_a_type_that_is_not_known_here_is_no_records() -> None:
    unheard = Shape((ShapeNode(deny=False, types=("Unheard",)),))
    assert str(clause([replace(PERMIT, shape=unheard)], COLUMNS, TYPE_NUMBERS)) == "false"


@pytest.mark.parametrize("many", [False, True])
def test_a_patient_in_no_group_is_denied(enforcement: Enforcement, *, many: bool) -> None:
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_record (type, patient_key) VALUES (10, 1), (10, 2), (10, 3)"
        )
        sight = Sight([[PERMIT]], directory=False, many=many)
        statement = select(RECORDS.c.patient_key).where(
            permitted(sight, RECORDS.c.patient_key, COLUMNS, TYPE_NUMBERS)
        )
        for patients in ([], [1], [2], [3], [1, 3]):
            shown = enforcement.run(statement, whose([patients], many=many))
            assert [key for (key,) in shown] == patients


@pytest.mark.parametrize("many", [False, True])
def test_each_patient_is_decided_by_the_group_that_they_are_of(
    enforcement: Enforcement, *, many: bool
) -> None:
    keys, effects = [*range(1, 40)], [PERMIT, replace(PERMIT, shape=None)]
    groups = [[key for key in keys if key % 5 == rest] for rest in range(5)]
    sight = Sight([[effects[place % 2]] for place in range(5)], directory=False, many=many)
    with enforcement.connection.transaction(force_rollback=True):
        for key in keys:
            enforcement.connection.execute(
                "INSERT INTO probe_record (type, patient_key) VALUES (10, %s)", [key]
            )
        statement = select(RECORDS.c.patient_key).where(
            permitted(sight, RECORDS.c.patient_key, COLUMNS, TYPE_NUMBERS)
        )
        shown = {key for (key,) in enforcement.run(statement, whose(groups, many=many))}
    assert shown == {key for key in keys if key % 5 in (0, 2, 4)}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("groups", [[[1], [2, 4]], []])
def test_of_several_choices_a_patient_has_that_of_the_group(
    enforcement: Enforcement, groups: list[list[int]], *, many: bool
) -> None:
    sight = Sight([[PERMIT]] * len(groups), directory=False, many=many)
    choices: list[ColumnElement[int]] = [literal_column(str(place)) for place in range(len(groups))]
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_record (type, patient_key) VALUES (10, 1), (10, 2), (10, 3), (10, 4)"
        )
        chosen = by_group(sight, RECORDS.c.patient_key, choices, literal_column("-1"))
        rows = enforcement.run(select(RECORDS.c.patient_key, chosen), whose(groups, many=many))
    assert sorted(rows) == ([(1, 0), (2, 1), (3, -1), (4, 1)] if groups else [(n, -1) for n in (1, 2, 3, 4)])


@pytest.mark.parametrize("many", [False, True])
def test_patients_in_no_group_may_have_a_standing_of_their_own(
    enforcement: Enforcement, *, many: bool
) -> None:
    block = StandingGrant(GrantEffect.BLOCK, Shape((ShapeNode(deny=True),)), t_bits=1, f_bits=0)
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_record (type, patient_key) VALUES (10, 1), (10, 2), (10, 3), (10, 4)"
        )
        for otherwise, shown in (([PERMIT], [(3,)]), ([PERMIT, block], []), ([], [])):
            sight = Sight([[PERMIT, block]], otherwise=otherwise, directory=True, many=many)
            statement = select(RECORDS.c.patient_key).where(
                permitted(sight, RECORDS.c.patient_key, COLUMNS, TYPE_NUMBERS)
            )
            assert enforcement.run(statement, whose([[1, 2]], many=many, apart=[4])) == shown


def test_each_registration_of_ones_own_needs_no_grant(enforcement: Enforcement) -> None:
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute(
            "INSERT INTO probe_record (type, patient_key) VALUES (10, 1), (10, 2), (10, 3)"
        )
        statement = select(RECORDS.c.patient_key).where(
            permitted(Sight([], owns=True, directory=False), RECORDS.c.patient_key, COLUMNS, TYPE_NUMBERS)
        )
        assert set(enforcement.run(statement, {"own_patients": [1, 2]})) == {(1,), (2,)}


def test_a_sight_of_nobody_shows_the_directory_alone() -> None:
    condition = visible(
        Sight([], directory=True),
        RECORDS,
        parts=PARTS,
        targets=RECORDS,
        types=TYPE_NUMBERS,
        within={"Observation"},
    )
    assert "patients" not in str(condition)
    assert "own_patient" not in str(condition)


def test_the_grants_relied_on_are_named_by_their_place(enforcement: Enforcement) -> None:
    elsewhere = replace(PERMIT, shape=Shape((ShapeNode(deny=False, types=("Condition",)),)))
    block = StandingGrant(GrantEffect.BLOCK, ANYTHING, t_bits=0, f_bits=1)
    standing = [block, PERMIT, elsewhere, PERMIT, replace(PERMIT, t_bits=0)]
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute("INSERT INTO probe_record (type) VALUES (10)")
        ((places,),) = enforcement.run(
            select(relied(standing, COLUMNS, TYPE_NUMBERS)).select_from(RECORDS), {}
        )
    assert places == [1, 3]


def test_the_same_grants_are_said_by_the_bits_of_a_number(enforcement: Enforcement) -> None:
    block = StandingGrant(GrantEffect.BLOCK, ANYTHING, t_bits=1, f_bits=0)
    unmet = replace(PERMIT, t_bits=0)
    standing = [block, PERMIT, unmet, PERMIT, *[unmet] * (MOST_WEIGHED - 5), PERMIT]
    # One bit is left to whoever puts the numbers together, and one is the sign.
    assert len(standing) == MOST_WEIGHED == 64 - 2
    with enforcement.connection.transaction(force_rollback=True):
        enforcement.connection.execute("INSERT INTO probe_record (type) VALUES (10)")
        ((bits, none),) = enforcement.run(
            select(
                weighed(standing, COLUMNS, TYPE_NUMBERS), weighed([block, unmet], COLUMNS, TYPE_NUMBERS)
            ).select_from(RECORDS),
            {},
        )
    assert (bits, none) == (1 << 1 | 1 << 3 | 1 << MOST_WEIGHED - 1, 0)


@pytest.mark.parametrize("standing", [[], [StandingGrant(GrantEffect.BLOCK, ANYTHING, 1, 0)]])
def test_without_permits_no_grant_is_relied_on(
    enforcement: Enforcement, standing: list[StandingGrant]
) -> None:
    one_row = select(literal_column("1").label("n")).subquery()
    ((places,),) = enforcement.run(select(relied(standing, COLUMNS, TYPE_NUMBERS)).select_from(one_row), {})
    assert places == []


def test_break_glass_without_an_opening_counts_for_nobody() -> None:
    given = consents(permit(DR_A, purposes=["BTG"]))
    assert not decide(given, record(), asks(purpose=Purpose.BTG))
    assert not decide(
        given, record(patients=frozenset()), asks(purpose=Purpose.BTG, opened=frozenset({"Patient/p1"}))
    )
