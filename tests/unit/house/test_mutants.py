"""The changes that mutation testing makes: what they are, and that those without effect are still there."""

import pytest

from bench.mutants import ENGINE, known_reasons
from bench.mutations import mutants
from tests.unit.house.source import ROOT


def changed(source: str) -> set[str]:
    return {one.applied(source.encode()).decode() for one in mutants(source.encode())}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"(a <= b)"}),
        ("a in b", {"(a not in b)"}),
        ("a and b", {"(a or b)", "(a)", "(b)"}),
        ("not a", {"(a)"}),
        ("a if b else c", {"(c if b else a)", "a if (not b) else c"}),
        ("x = True", {"x = (False)"}),
        ("x = 4", {"x = (5)"}),
        ("{a, b}", {"({a})", "({b})"}),
        ("[a for a in b if c]", {"([a for a in b])"}),
        ("every([a, b])", {"every(([a]))", "every(([b]))"}),
        ("either, every([])", {"either, (either)([])"}),
        ("not_(a)", {"(a)"}),
        ("x.where(a, b)", {"(x.where(a))", "(x.where(b))"}),
        ("'見本', a - b", {"'見本', (a)"}),
        ("'SELECT a <= b'", {"('SELECT a < b')"}),
    ],
)
def test_what_decides_is_changed_and_the_text_around_it_is_not(source: str, expected: set[str]) -> None:
    assert changed(source) == expected


def test_messages_annotations_and_decorators_stay() -> None:
    assert changed('raise Refused(f"{1 + 1}")') == set()
    assert changed("x: Final[tuple[int, 3]] = y") == set()
    assert changed("@dataclass(frozen=True)\nclass X: ...") == set()


@pytest.mark.parametrize("file", ENGINE)
def test_every_change_to_the_engine_is_python_and_has_a_name_of_its_own(file: str) -> None:
    source = (ROOT / file).read_bytes()
    found = mutants(source)
    assert found
    assert len({(one.function, one.change) for one in found}) == len(found)
    for one in found:
        compile(one.applied(source), file, "exec")


def test_whatever_has_a_reason_is_still_a_change_that_can_be_made() -> None:
    made = {
        (file, one.function, one.change) for file in ENGINE for one in mutants((ROOT / file).read_bytes())
    }
    assert known_reasons().keys() <= made
    assert all(known_reasons().values())
