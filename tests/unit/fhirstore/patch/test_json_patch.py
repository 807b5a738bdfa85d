"""JSON Patch by the examples of its RFC, and where it differs from what a dictionary would do.

https://www.rfc-editor.org/rfc/rfc6902#appendix-A
"""

from typing import Any, Final

import orjson
import pytest

from fhirstore.parse import parse, serialise
from fhirstore.patch import PatchFails, UnreadablePatch, read_json_patch

# The section of appendix A, the document, the patch, and the result; None where the patch must fail.
EXAMPLES: Final[tuple[tuple[str, str, str, str | None], ...]] = (
    ("A.1", '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"foo":"bar","baz":"qux"}'),
    (
        "A.2",
        '{"foo":["bar","baz"]}',
        '[{"op":"add","path":"/foo/1","value":"qux"}]',
        '{"foo":["bar","qux","baz"]}',
    ),
    ("A.3", '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'),
    ("A.4", '{"foo":["bar","qux","baz"]}', '[{"op":"remove","path":"/foo/1"}]', '{"foo":["bar","baz"]}'),
    (
        "A.5",
        '{"baz":"qux","foo":"bar"}',
        '[{"op":"replace","path":"/baz","value":"boo"}]',
        '{"baz":"boo","foo":"bar"}',
    ),
    (
        "A.6",
        '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
        '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
        '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ),
    (
        "A.7",
        '{"foo":["all","grass","cows","eat"]}',
        '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
        '{"foo":["all","cows","eat","grass"]}',
    ),
    (
        "A.8",
        '{"baz":"qux","foo":["a",2,"c"]}',
        '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
        '{"baz":"qux","foo":["a",2,"c"]}',
    ),
    ("A.9", '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]', None),
    (
        "A.10",
        '{"foo":"bar"}',
        '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
        '{"foo":"bar","child":{"grandchild":{}}}',
    ),
    (
        "A.11",
        '{"foo":"bar"}',
        '[{"op":"add","path":"/baz","value":"qux","xyz":123}]',
        '{"foo":"bar","baz":"qux"}',
    ),
    ("A.12", '{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]', None),
    ("A.14", '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'),
    ("A.15", '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":"10"}]', None),
    (
        "A.16",
        '{"foo":["bar"]}',
        '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
        '{"foo":["bar",["abc","def"]]}',
    ),
)


def patched(document: str, patch: Any) -> str:
    text = patch if isinstance(patch, str) else orjson.dumps(patch).decode()
    return serialise(read_json_patch(text.encode())(parse(document.encode()))).decode()


@pytest.mark.parametrize(
    ("section", "document", "patch", "result"), EXAMPLES, ids=lambda value: str(value)[:5]
)
def test_the_examples_of_the_rfc(section: str, document: str, patch: str, result: str | None) -> None:
    if result is None:
        with pytest.raises(PatchFails):
            patched(document, patch)
    else:
        assert patched(document, patch) == result


def test_an_operation_with_a_member_twice_is_unreadable() -> None:
    """Section A.13."""
    with pytest.raises(UnreadablePatch):
        read_json_patch(b'[{"op":"add","path":"/baz","value":"qux","op":"remove"}]')


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"null", b"[1]", b"[{}]", b'[],"more":[]', b'[{"op":"add","path":"/a"}]',
        b'[{"op":"add","path":"a","value":1}]', b'[{"op":"add","path":"/a~2","value":1}]',
        b'[{"op":"move","path":"/a"}]', b'[{"op":"spam","path":"/a"}]', b'[{"op":"remove"}]', b"[", b"\xff",
        b"[" + b",".join([b'{"op":"remove","path":"/a"}'] * 1_001) + b"]",
    ],
)  # fmt: skip
def test_what_is_no_patch_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadablePatch):
        read_json_patch(body)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "remove", "path": "/list/-"},
        {"op": "copy", "from": "/b", "path": "/c"},
        {"op": "move", "from": "/a", "path": "/a/b"},
        {"op": "test", "path": "/one", "value": True},
        {"op": "test", "path": "/yes", "value": 1},
        {"op": "add", "path": "/text/0", "value": 1},
        {"op": "remove", "path": ""},
    ],
)
def test_an_operation_that_does_not_fit_is_named_and_changes_nothing(operation: Any) -> None:
    document = parse(b'{"a":{},"list":[1,2],"one":1,"yes":true,"text":"x"}')
    before = serialise(document)
    with pytest.raises(PatchFails) as failed:
        read_json_patch(orjson.dumps([{"op": "add", "path": "/new", "value": 1}, operation]))(document)
    assert serialise(document) == before
    assert [problem.expression for problem in failed.value.problems] in (["[1]"], [""])


def test_numbers_are_compared_by_worth_and_kept_as_written() -> None:
    patch = '[{"op":"test","path":"/v","value":72.5},{"op":"copy","from":"/v","path":"/w"}]'
    assert patched('{"v":72.50}', patch) == '{"v":72.50,"w":72.50}'
    assert patched('{"v":1}', '[{"op":"replace","path":"/v","value":1.0e2}]') == '{"v":1.0e2}'


def test_what_was_copied_is_not_shared() -> None:
    patch = [
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/b/x", "value": 1},
    ]
    assert patched('{"a":{}}', patch) == '{"a":{},"b":{"x":1}}'


@pytest.mark.parametrize("path", ["/list/-", "/list/0/-", "/more"])
def test_copies_that_double_are_refused_before_they_are_made(path: str) -> None:
    doubling = {"op": "copy", "from": "/list" if path != "/more" else "", "path": path}
    patch = read_json_patch(orjson.dumps([doubling] * 60))
    with pytest.raises(PatchFails, match="too much"):
        patch({"list": [["x" * 1_000]]})


def test_a_patch_may_be_applied_again() -> None:
    apply = read_json_patch(b'[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1}]')
    assert apply({}) == apply({}) == {"a": {"b": 1}}
