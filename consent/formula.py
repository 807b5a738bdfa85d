"""Formulas: conditions in SQL, of which what is known without asking the row is left out.

https://docs.sqlalchemy.org/en/20/core/sqlelement.html
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, SmallInteger, and_, false, literal_column, not_, or_, true

Formula = ColumnElement[bool] | bool
"""SQL, or what is known without asking the row."""


def every(formulas: Iterable[Formula]) -> Formula:
    """AND, without what is known already."""
    asked: list[ColumnElement[bool]] = []
    for formula in formulas:
        if formula is False:
            return False
        if not isinstance(formula, bool):
            asked.append(formula)
    return and_(*asked) if asked else True


def either(formulas: Iterable[Formula]) -> Formula:
    """OR, without what is known already."""
    asked: list[ColumnElement[bool]] = []
    for formula in formulas:
        if formula is True:
            return True
        if not isinstance(formula, bool):
            asked.append(formula)
    return or_(*asked) if asked else False


def negated(formula: Formula) -> Formula:
    """NOT, which leaves a NULL a NULL."""
    return not formula if isinstance(formula, bool) else not_(formula)


def expression(formula: Formula) -> ColumnElement[bool]:
    """The formula as SQL."""
    if isinstance(formula, bool):
        return true() if formula else false()
    return formula


def number(value: int) -> ColumnElement[int]:
    """A small number in the text itself: it belongs to the condition's form, as a key does not."""
    return literal_column(str(int(value)), SmallInteger)
