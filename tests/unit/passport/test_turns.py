"""Long work leaves turns to others, and short work costs none.

https://docs.python.org/3/library/asyncio-task.html#sleeping
"""

from threading import current_thread, main_thread
from typing import Any

import pytest

from fhirstore.parse import Limits
from passport import turns
from passport.turns import PIECE, PIECE_BYTES, in_pieces, parsed
from tests.turns import Turns

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("parts", "turns_of_others"), [(1, 0), (PIECE, 0), (PIECE + 1, 1), (10 * PIECE, 9)])
async def test_others_have_a_turn_after_each_piece(parts: int, turns_of_others: int) -> None:
    with Turns() as others:
        listed = [part async for part in in_pieces(range(parts))]
        assert others.count == turns_of_others
    assert listed == list(range(parts))


@pytest.mark.parametrize("beside", [False, True])
async def test_a_long_text_is_read_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    read_in = []

    def parse(body: bytes, limits: Limits) -> dict[str, Any]:
        read_in.append(current_thread() is main_thread())
        return {}

    monkeypatch.setattr(turns, "parse", parse)
    await parsed(b" " * (PIECE_BYTES + beside), Limits())
    assert read_in == [not beside]
