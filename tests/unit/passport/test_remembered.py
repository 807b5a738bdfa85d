"""A bounded memory, https://docs.python.org/3/library/collections.html#collections.OrderedDict."""

from passport.remembered import Remembered


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    memory: Remembered[int] = Remembered(2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)
    assert [memory.get(key) for key in "abc"] == [1, None, 3]


def test_what_weighs_more_drives_out_more() -> None:
    memory: Remembered[int] = Remembered(100)
    for key in range(100):
        memory.put(key, key)
    memory.put("heavy", 1, 10)
    assert len(memory) == 91
    assert [memory.get(key) for key in (9, 10)] == [None, 10]


def test_the_same_key_weighs_once() -> None:
    memory: Remembered[int] = Remembered(20)
    for _ in range(50):
        memory.put("a", 1, 2)
        memory.put("b", 1)
    assert (len(memory), memory.get("a"), memory.get("b")) == (2, 1, 1)


def test_what_would_drive_out_everything_else_is_not_remembered() -> None:
    memory: Remembered[int] = Remembered(100)
    memory.put("a", 1)
    memory.put("huge", 1, 11)
    assert (memory.get("a"), memory.get("huge")) == (1, None)


def test_what_was_forgotten_leaves_its_room() -> None:
    memory: Remembered[int] = Remembered(10)
    memory.put("a", 1)
    memory.forget("a")
    memory.forget("never there")
    for key in range(10):
        memory.put(key, key)
    assert len(memory) == 10
    assert memory.get("a") is None
