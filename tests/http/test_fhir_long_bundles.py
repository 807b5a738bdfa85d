"""A long Bundle keeps nobody waiting: no stage of it looks through more than a piece in one turn of the event loop.

http://hl7.org/fhir/R4/http.html#transaction
"""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest

from passport.turns import PIECE
from tests.http.bundles import created, done, statuses
from tests.resources import weight
from tests.town import Voice
from tests.turns import Turns

pytestmark = pytest.mark.anyio

ENTRIES = 5 * PIECE
STAGES = [
    ("passport.routes.transactions", "asked_of"),
    ("passport.routes.transactions", "about"),
    ("passport.transactions.whole", "linked"),
    ("passport.pieces", "validate"),
    ("passport.intake.contents", "gathered"),
    ("passport.intake.rows", "sealed_row"),
]
"""What is called for each entry of a transaction, where it is called from."""


@pytest.mark.parametrize(("module", "name"), STAGES, ids=[name for _, name in STAGES])
async def test_a_stage_looks_through_a_piece_in_one_turn(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    calls = Counter[int]()
    stage = getattr(import_module(module), name)

    def counted(*args: Any, **named: Any) -> Any:
        calls[turns.count] += 1
        return stage(*args, **named)

    monkeypatch.setattr(import_module(module), name, counted)
    with Turns() as turns:
        entries = await done(hanako, "transaction", *[created(weight(hanako.reference))] * ENTRIES)
    assert statuses(entries) == [201] * ENTRIES
    assert calls.total() >= ENTRIES
    assert max(calls.values()) <= PIECE
