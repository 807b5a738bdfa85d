"""JSON Patch: add, remove, replace, move, copy and test at the places that JSON Pointers name.

https://www.rfc-editor.org/rfc/rfc6902
https://www.rfc-editor.org/rfc/rfc6901

Numbers keep the characters in which they were written, and `true` is not `1`: the libraries at hand know neither.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fhirstore.errors import ParseError
from fhirstore.parse import Tree, parse
from fhirstore.patch.errors import PatchFails, UnreadablePatch

MOST_OPERATIONS: Final = 1_000
MOST_COPIED: Final = 1_048_576
"""Characters, and values each as one, that the copies of a patch come to: each may double what is there."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_APPENDED: Final = "-"
_SHOWN_CHARACTERS: Final = 200
_WRAPPED: Final = "operations"

Pointer = tuple[str, ...]


class _Misses(Exception):
    """A pointer leads nowhere; the message says why."""


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    path: Pointer
    source: Pointer
    value: Any


def read_json_patch(body: bytes) -> Callable[[Tree], Tree]:
    """Read a patch document; returns what makes the patched copy of a resource.

    The returned function raises `PatchFails` where an operation does not fit.

    Raises:
        UnreadablePatch: the document is no JSON Patch.
    """
    try:
        # The strict reader takes objects alone, so the array is handed to it inside of one.
        document = parse(b'{"%b":%b}' % (_WRAPPED.encode(), body))
    except ParseError as error:
        raise UnreadablePatch(f"got no JSON Patch: {error}") from None
    listed = document.get(_WRAPPED)
    if len(document) != 1 or not isinstance(listed, list):
        raise UnreadablePatch("got no array, expected the operations of a JSON Patch")
    if len(listed) > MOST_OPERATIONS:
        raise UnreadablePatch(f"got {len(listed)} operations, expected at most {MOST_OPERATIONS}")
    return partial(_applied, [_read(one, at) for at, one in enumerate(listed)])


def _read(one: Any, at: int) -> _Operation:
    place = f"[{at}]"
    if not isinstance(one, Mapping):
        raise UnreadablePatch("got an operation that is no object", place)
    name = str(one.get("op"))
    if name not in _OPERATIONS:
        raise UnreadablePatch(f"got an unknown `op`, expected one of {', '.join(_OPERATIONS)}", place)
    if name in ("add", "replace", "test") and "value" not in one:
        raise UnreadablePatch(f"got `{name}` without `value`", place)
    source = _pointer(one.get("from"), f"{place}.from") if name in ("move", "copy") else ()
    return _Operation(name, _pointer(one.get("path"), f"{place}.path"), source, one.get("value"))


def _pointer(text: Any, place: str) -> Pointer:
    if not isinstance(text, str) or not _POINTER.fullmatch(text):
        raise UnreadablePatch("got no JSON Pointer, expected such as `/name/0/family`", place)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def _applied(operations: list[_Operation], resource: Tree) -> Tree:
    tree: Any = deepcopy(resource)
    left = MOST_COPIED
    for at, one in enumerate(operations):
        try:
            if one.name == "copy":
                left -= _size(_at(tree, one.source), left)
            tree = _OPERATIONS[one.name](tree, one)
        except _Misses as miss:
            raise PatchFails(f"got `{one.name}` {miss}", f"[{at}]") from None
    if not isinstance(tree, dict):
        raise PatchFails("got a patch that leaves no object, expected a resource", "")
    return tree


def _nowhere(pointer: Pointer) -> _Misses:
    """A path of the patch's own: it names elements and holds no value."""
    written = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in pointer)
    return _Misses(f"at `{written[:_SHOWN_CHARACTERS]}`, which is not there")


def _at(tree: Any, pointer: Pointer) -> Any:
    for step in pointer:
        if isinstance(tree, dict) and step in tree:
            tree = tree[step]
        elif isinstance(tree, list) and _INDEX.fullmatch(step) and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            raise _nowhere(pointer)
    return tree


def _added(tree: Any, pointer: Pointer, value: Any) -> Any:
    if not pointer:
        return value
    parent, last = _at(tree, pointer[:-1]), pointer[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last == _APPENDED:
        parent.append(value)
    elif isinstance(parent, list) and _INDEX.fullmatch(last) and int(last) <= len(parent):
        parent.insert(int(last), value)
    else:
        raise _nowhere(pointer)
    return tree


def _removed(tree: Any, pointer: Pointer) -> Any:
    _at(tree, pointer)
    if not pointer:
        return None
    parent, last = _at(tree, pointer[:-1]), pointer[-1]
    del parent[last if isinstance(parent, dict) else int(last)]
    return tree


def _add(tree: Any, one: _Operation) -> Any:
    return _added(tree, one.path, deepcopy(one.value))


def _remove(tree: Any, one: _Operation) -> Any:
    return _removed(tree, one.path)


def _replace(tree: Any, one: _Operation) -> Any:
    _at(tree, one.path)
    if not one.path:
        return deepcopy(one.value)
    parent, last = _at(tree, one.path[:-1]), one.path[-1]
    parent[last if isinstance(parent, dict) else int(last)] = deepcopy(one.value)
    return tree


def _move(tree: Any, one: _Operation) -> Any:
    if len(one.source) < len(one.path) and one.path[: len(one.source)] == one.source:
        raise _Misses("of a value into itself")
    value = _at(tree, one.source)
    return _added(_removed(tree, one.source), one.path, value)


def _copy(tree: Any, one: _Operation) -> Any:
    return _added(tree, one.path, deepcopy(_at(tree, one.source)))


def _size(value: Any, most: int) -> int:
    """How large a value is.

    Raises:
        _Misses: it is larger than `most`; no more of it than that was looked at.
    """
    size, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        size += 1 + (len(one) if isinstance(one, str | list | dict) else 0)
        if size > most:
            raise _Misses(f"of too much, expected copies of {MOST_COPIED} characters at most")
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return size


def _test(tree: Any, one: _Operation) -> Any:
    if not _same(_at(tree, one.path), one.value):
        raise _Misses("of another value than is there")
    return tree


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON is: numbers by what they are worth, and a boolean is no number."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


_OPERATIONS: Final[Mapping[str, Callable[[Any, _Operation], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
