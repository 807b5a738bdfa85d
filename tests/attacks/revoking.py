"""Whether what was seen can be told in one order: a record that is shared and withdrawn again and again.

https://cs.brown.edu/~mph/HerlihyW90/p463-herlihy.pdf (linearizability)

One person changes at a time whether a record is shared; many look at it meanwhile. Each change takes effect at some
instant between its request and its answer. What is seen by a look has to be so at some instant of its own, no later
look may see an earlier state than one that was over before it began.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From the request to its answer, by one monotonic clock."""

    began: int
    answered: int


@dataclass(frozen=True, slots=True)
class Change:
    """The record was shared, or withdrawn."""

    span: Span
    shared: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked, in some way, and saw the record or did not."""

    span: Span
    seen: bool
    way: str


def unexplained(changes: Sequence[Change], looks: Iterable[Look]) -> list[Look]:
    """The looks that no order explains; before the first change nothing is shared.

    Args:
        changes: of one record, in their order, none begun before the one before was answered.
        looks: at that record.
    """
    states = [False, *(change.shared for change in changes)]
    found: list[Look] = []
    over: list[tuple[int, int]] = []
    reached = 0
    for look in sorted(looks, key=lambda each: each.span):
        while over and over[0][0] < look.span.began:
            reached = max(reached, heappop(over)[1])
        least = sum(change.span.answered < look.span.began for change in changes)
        most = sum(change.span.began < look.span.answered for change in changes)
        fitting = (at for at in range(max(least, reached), most + 1) if states[at] is look.seen)
        state = next(fitting, None)
        if state is None:
            found.append(look)
        else:
            heappush(over, (look.span.answered, state))
    return found


def after_withdrawal(changes: Sequence[Change], looks: Iterable[Look]) -> int:
    """How many looks began when a withdrawal had been answered and nothing had been begun since."""
    ends = [(change.span.answered, change.shared) for change in changes]
    begins = [change.span.began for change in changes[1:]]
    calm = [
        (answered, begins[at] if at < len(begins) else None)
        for at, (answered, shared) in enumerate(ends)
        if not shared
    ]
    return sum(
        any(start < look.span.began and (end is None or look.span.answered < end) for start, end in calm)
        for look in looks
    )
