"""Resources that grow from their types: every element that R4 defines, with values that it allows, or almost.

The shapes say what there is; a draw says what stands there and what is then damaged.
"""

from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from fhirstore.parse import Number
from fhirstore.validate.bindings import CODES, CONCEPTS
from fhirstore.validate.schema import RESOURCE, Element, shape

Json = dict[str, Any]

DEEPEST: Final = 3

_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "boolean": (True, False),
    "integer": (0, 7, -3),
    "unsignedInt": (0, 7),
    "positiveInt": (1, 7),
    "decimal": (Number("72.50"), 5, Number("0.0"), Number("1E2")),
    "string": ("見本", "a b", "2024"),
    "markdown": ("*a*", "a\nb"),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">a</div>',),
    "code": ("text/plain", "a"),
    "id": ("a-1", "0"),
    "uri": ("http://x.example/a", "urn:oid:1.2.3", "urn:uuid:c757873d-ec9a-11e3-a141-60f81dc1ab68"),
    "url": ("http://x.example/a",),
    "canonical": ("http://x.example/a|1",),
    "oid": ("urn:oid:1.2.3",),
    "uuid": ("urn:uuid:c757873d-ec9a-41e3-a141-60f81dc1ab68",),
    "base64Binary": ("YWJj", "YQ=="),
    "date": ("2024", "2024-02", "2024-02-29"),
    "dateTime": ("2024", "2024-02-29T10:00:00+09:00", "2024-02-29T10:00:00.123Z"),
    "instant": ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00.5+09:00"),
    "time": ("10:00:00", "23:59:59.5"),
}
# What a hostile or careless sender writes instead.
_WRONG: Final[tuple[Any, ...]] = (
    None, "", " ", "a", "見本 花子", "2024-13", "2024-02-30", "24:00:00", "10:00", "true", "5", "-1", "1.0", "{}", "#x",
    "http://x y", "urn:uuid:x", "Nothing/1", "====", "a" * 70, "\x01", 0, 5, -5, 2**31, 2**63, Number("5.0"),
    Number("1e5"), True, False, [], {}, [None], [[]], [{}], ["a"], {"a": 1}, {"id": "a"}, {"extension": []},
    {"resourceType": "Patient"}, {"reference": 5}, {"value": "5"}, {"coding": {}}, "2024-02-29T10:00:00",
    "0000", "9999-12-31T23:59:60Z", "2024-02-29T10:00:00+15:00", "  2024", "2024-02-29 ", "A" * 5,
)  # fmt: skip


@st.composite
def grown(draw: st.DrawFn, minimal: Json) -> Json:
    """A resource with one or two more elements than `minimal`."""
    tree = deepcopy(minimal)
    elements = [each for each in shape(tree["resourceType"]).elements.values() if each.name not in tree]
    for element in draw(st.lists(st.sampled_from(elements), max_size=2)):
        if element.type != RESOURCE and not _chosen(tree, element):
            tree[element.name] = draw(_element(tree["resourceType"], element, 0))
    return tree


@st.composite
def damaged(draw: st.DrawFn, tree: Json) -> Json:
    """The tree with one node changed: replaced, left out, named otherwise, wrapped, or doubled."""
    changed = deepcopy(tree)
    node: Any = changed
    while True:
        steps: list[Any] = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        step = draw(st.sampled_from(steps))
        inner = node[step]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
            break
        node = inner
    _damage(draw, node, step)
    return changed


def _damage(draw: st.DrawFn, node: Any, step: Any) -> None:
    way = draw(
        st.sampled_from(["replace", "replace", "replace", "leave out", "rename", "wrap", "unwrap", "beside"])
    )
    value = node[step]
    if way == "leave out":
        del node[step]
    elif way == "wrap":
        node[step] = [value]
    elif way == "unwrap" and isinstance(value, list) and value:
        node[step] = value[0]
    elif way == "rename" and isinstance(node, dict):
        node[
            draw(st.sampled_from([f"{step}X", f"_{step}", step.upper(), "valueString", "fhir_comments"]))
        ] = value
        del node[step]
    elif way == "beside" and isinstance(node, dict):
        node[f"_{step}"] = draw(st.sampled_from([*_WRONG, {"id": "a"}, [{"id": "a"}], [None, {"id": "a"}]]))
    else:
        node[step] = draw(st.sampled_from(_WRONG))


def _chosen(tree: Json, element: Element) -> bool:
    if element.choice is None:
        return False
    others = shape(tree["resourceType"]).elements.values()
    return any(each.name in tree for each in others if each.choice == element.choice)


def _element(owner: str, element: Element, depth: int) -> st.SearchStrategy[Any]:
    one = _one(owner, element, depth)
    return st.lists(one, min_size=1, max_size=2) if element.many else one


def _one(owner: str, element: Element, depth: int) -> st.SearchStrategy[Any]:
    if element.primitive:
        codes = CODES.get((owner, element.name))
        return st.sampled_from(sorted(codes) if codes else _VALUES[element.type])
    if concepts := CONCEPTS.get((owner, element.name)):
        codings = st.sampled_from(sorted(concepts.codes)).map(
            lambda code: {"system": concepts.system, "code": code}
        )
        return codings if element.type == "Coding" else codings.map(lambda coding: {"coding": [coding]})
    if element.type == "Reference":
        return st.just({"reference": f"{sorted(element.targets or {'Patient'})[0]}/x"})
    if element.type == "Extension":
        return st.just({"url": "http://x.example/e", "valueString": "a"})
    return _node(element.type, depth + 1)


@st.composite
def _node(draw: st.DrawFn, type_name: str, depth: int) -> Json:
    of_type = shape(type_name)
    required = [each for each in of_type.required if each.type != RESOURCE]
    chosen = [
        next(each for each in of_type.elements.values() if each.choice == choice)
        for choice, needed in of_type.choices.items()
        if needed
    ]
    optional = [
        each
        for each in of_type.elements.values()
        if each.choice is None and not each.required and each.type not in (RESOURCE, "Extension", type_name)
    ]
    more = 1 if depth < DEEPEST and not required else 0
    drawn = (
        draw(st.lists(st.sampled_from(optional), min_size=min(more, len(optional)), max_size=2))
        if optional
        else []
    )
    found = {}
    for each in (*required, *chosen, *(drawn if depth < DEEPEST else drawn[:1])):
        found[each.name] = draw(_element(type_name, each, depth))
    return found
