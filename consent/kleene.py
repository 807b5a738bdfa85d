"""Truth of three values: True, False, and None for what is not known.

https://plato.stanford.edu/entries/logic-manyvalued/
"""

from collections.abc import Iterable

Truth = bool | None


def all_of(values: Iterable[Truth]) -> Truth:
    """AND: False as soon as one is, else unknown if one is, else True."""
    found = set(values)
    return False if False in found else None if None in found else True


def any_of(values: Iterable[Truth]) -> Truth:
    """OR: True as soon as one is, else unknown if one is, else False."""
    found = set(values)
    return True if True in found else None if None in found else False


def negated(value: Truth) -> Truth:
    """NOT, which leaves the unknown unknown."""
    return None if value is None else not value
