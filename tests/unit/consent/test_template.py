"""What is composed once and written into many statements.

https://docs.sqlalchemy.org/en/20/core/compiler.html
"""

from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, ColumnElement, and_, column, false, literal, select, table, true

from consent import template
from consent.template import Columns, Same, Templates, chosen, written
from fhirstore.statements import prepare

ROWS = table("records", column("a", BigInteger), column("b", BigInteger))


def both(columns: Columns) -> ColumnElement[bool]:
    return and_(columns["a"] == literal(7, BigInteger), columns["b"] > columns["a"])


def bare(text: str) -> str:
    """The text without its parentheses."""
    return text.translate({ord("("): None, ord(")"): None})


def asked(kept: Templates, rows: Any, key: str = "both") -> Any:
    return kept.ask(key, {"a": rows.c.a, "b": rows.c.b}, Boolean(), both)


def test_what_was_composed_once_is_asked_of_any_rows() -> None:
    kept, composed = Templates(), []

    def compose(columns: Columns) -> ColumnElement[bool]:
        composed.append(columns)
        return both(columns)

    for name in ("first", "second"):
        rows = ROWS.alias(name)
        columns = {"a": rows.c.a, "b": rows.c.b}
        once = prepare(select(rows.c.a).where(kept.ask("both", columns, Boolean(), compose)))
        direct = prepare(select(rows.c.a).where(both(columns)))
        assert bare(once.text) == bare(direct.text)
        assert once.constants == direct.constants
    assert len(composed) == 1


def test_its_rows_are_among_those_of_the_statement() -> None:
    rows = ROWS.alias("named")
    statement = select(true()).where(asked(Templates(), rows))
    assert "FROM records AS named" in prepare(statement).text


def test_what_several_bind_stays_apart() -> None:
    kept, rows = Templates(), ROWS.alias("r")

    def is_(value: int) -> Any:
        return kept.ask(
            value, {"a": rows.c.a}, Boolean(), lambda gaps: gaps["a"] == literal(value, BigInteger)
        )

    prepared = prepare(select(rows.c.a).where(is_(1) | is_(2) | is_(1)))
    assert sorted(map(str, prepared.constants.values())) == ["1", "2"]
    assert prepared.text.count("param_1") == 2


@pytest.mark.parametrize("known", [True, False])
def test_what_is_known_without_the_rows_stays_known(known: bool) -> None:
    kept = Templates()
    assert kept.ask("known", {"a": ROWS.c.a}, Boolean(), lambda _: known) is known
    assert kept.ask("known", {"a": ROWS.c.a}, Boolean(), both) is known


def test_past_the_most_that_are_kept_all_are_composed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "MAX_KEPT", 2)
    kept, composed = Templates(), []

    def compose(_: Columns) -> bool:
        composed.append(True)
        return True

    for key in ("a", "b", "a", "c", "a"):
        kept.ask(key, {}, Boolean(), compose)
    assert len(composed) == 4


def test_only_the_very_same_is_the_same() -> None:
    one, other = {"a": 1}, {"a": 1}
    assert Same(one) == Same(one)
    assert hash(Same(one)) == hash(Same(one))
    assert Same(one) != Same(other)
    assert Same(one) != one


def test_a_choice_is_made_by_its_place() -> None:
    kept, rows = Templates(), ROWS.alias("r")
    text = prepare(select(rows.c.a).where(chosen(rows.c.b, [asked(kept, rows), true()], false()))).text
    assert "CASE r.b WHEN 0 THEN (r.a = " in text
    assert text.endswith("WHEN 1 THEN true ELSE false END")
    assert chosen(rows.c.b, [], rows.c.a) is rows.c.a


def test_sql_that_is_written_out_names_its_columns() -> None:
    rows = ROWS.alias("r")
    expression = written("abs({one}) + {two} + {one}", BigInteger(), one=rows.c.a, two=literal(3, BigInteger))
    prepared = prepare(select(expression))
    assert "(abs(r.a) + %(param_1)s::BIGINT + r.a)" in prepared.text
    assert prepared.constants == {"param_1": 3}
