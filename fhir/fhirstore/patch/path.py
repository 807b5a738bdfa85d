"""The paths of a FHIRPath Patch: steps from the resource to one place, and nothing that computes.

http://hl7.org/fhir/R4/fhirpatch.html
http://hl7.org/fhirpath/N1/
http://hl7.org/fhir/R4/fhirpath.html#functions

Understood are element names, indexes, `where(name='text')`, also of several joined by `and`, `extension('url')`,
`first()`, `last()`, `single()` and `ofType(Type)`. A patch needs no more to name its places, and what is beyond it is
refused by name instead of being half understood.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhirstore.parse import Tree
from fhirstore.patch.errors import UnreadablePatch
from fhirstore.validate.schema import RESOURCE, Element, shape

_TOKEN: Final = re.compile(
    r"""(?P<dot>\.)?(?:
        (?P<call>where|extension|first|last|ofType|single)\(\s*(?P<inside>(?:[^()']|'(?:[^'\\]|\\.)*')*)\)
        | (?P<name>[A-Za-z_][A-Za-z0-9]{0,63})
        | \[(?P<index>0|[1-9][0-9]{0,8})\]
    )""",
    re.VERBOSE,
)
_EQUALS: Final = re.compile(
    r"""(?P<path>[A-Za-z][A-Za-z0-9.]{0,200})\s*=\s*(?:
        '(?P<text>(?:[^'\\]|\\.)*)'
        | (?P<word>true|false|-?[0-9]+(?:\.[0-9]+)?)
    )""",
    re.VERBOSE,
)
_AND: Final = re.compile(r"\s+and\s+")
_URL: Final = re.compile(r"'(?P<url>(?:[^'\\]|\\.)*)'")
_TYPE: Final = re.compile(r"(?:FHIR\.)?(?P<type>[A-Za-z]{1,40})")
MOST_CHARACTERS: Final = 1_000
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: in `holder`, under a name or an index; `type` is the value's own type.

    `choices` are the elements that may stand there, where the path left open which. Of an item of a list `around` is
    the element that has the list, under `name`.
    """

    holder: Any
    key: str | int
    type: str
    choices: tuple[Element, ...] = ()
    around: Any = None
    name: str = ""

    @property
    def value(self) -> Any:
        """What stands there, None where only the extension of a value does."""
        return self.holder[self.key] if isinstance(self.key, int) else self.holder.get(self.key)

    @property
    def is_primitive(self) -> bool:
        """Whether it is a value, whose extensions stand beside it."""
        return self.type[:1].islower()

    @property
    def beside(self) -> Any:
        """The id and extensions of a value, None where it has none."""
        if isinstance(self.key, str):
            return self.holder.get(f"_{self.key}")
        listed = self.around.get(f"_{self.name}") if isinstance(self.around, dict) else None
        return listed[self.key] if isinstance(listed, list) and self.key < len(listed) else None


Step = Callable[[list[Place]], list[Place]]
Spend = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Path:
    """A path of a resource of `type`."""

    type: str
    steps: tuple[Step, ...]

    def places(self, root: dict[str, Tree], spend: Spend) -> list[Place]:
        """The places that it names in the resource that `root` holds under its type's name.

        `spend` is told of each step how many places it came to.
        """
        found = [Place(root, self.type, self.type)] if self.type in root else []
        for step in self.steps:
            found = step(found)
            spend(len(found))
        return found


def read_path(text: str, place: str) -> Path:
    """Read a path.

    Raises:
        UnreadablePatch: it is more than a path, or none.
    """
    if len(text) > MOST_CHARACTERS:
        raise UnreadablePatch(
            f"got a path of {len(text)} characters, expected at most {MOST_CHARACTERS}", place
        )
    tokens = list(_tokens(text.strip(), place))
    if not tokens or tokens[0]["dot"] or not (tokens[0]["name"] or "")[:1].isupper():
        raise UnreadablePatch(
            "got a path without its resource type, expected such as `Patient.name[0]`", place
        )
    steps = [_step(token, place) for token in tokens[1:]]
    return Path(str(tokens[0]["name"]), tuple(steps))


def _tokens(text: str, place: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        # A name or function follows a dot, an index follows none.
        if token is None or (at > 0 and (token["dot"] is None) == (token["index"] is None)):
            raise UnreadablePatch(
                f"got a path that is not understood from character {at + 1}, expected element names, "
                "indexes, `where(name='text')`, `extension('url')`, `first()`, `last()`, `single()` or `ofType(Type)`",
                place,
            )
        yield token
        at = token.end()


def _step(token: re.Match[str], place: str) -> Step:
    if token["index"] is not None:
        return _indexed(int(token["index"]))
    if token["name"] is not None:
        return _child(token["name"])
    inside = token["inside"].strip()
    if token["call"] == "where" and (conditions := _conditions(inside)):
        return _where(conditions)
    if token["call"] == "extension" and (named := _URL.fullmatch(inside)):
        return _extension(_unescaped(named["url"]))
    if token["call"] == "ofType" and (typed := _TYPE.fullmatch(inside)):
        return _of_type(typed["type"])
    if not inside and token["call"] in ("first", "last", "single"):
        return {"first": _first, "last": _last, "single": _all}[token["call"]]
    raise UnreadablePatch(f"got `{token['call']}` with something inside that is not understood", place)


def _conditions(text: str) -> list[re.Match[str]]:
    """The equalities that are joined by `and`, none where there is anything else."""
    found: list[re.Match[str]] = []
    at = 0
    while (equals := _EQUALS.match(text, at)) is not None:
        found.append(equals)
        at = equals.end()
        if at == len(text):
            return found
        if (joined := _AND.match(text, at)) is None:
            return []
        at = joined.end()
    return []


def _child(name: str) -> Step:
    return lambda places: [inner for place in places for inner in children(place, name)]


def children(place: Place, name: str) -> list[Place]:
    """The elements of this name; of a choice element the one that is there, whatever its type."""
    node = place.beside if place.is_primitive else place.value
    if not isinstance(node, dict):
        return []
    type_name = "Element" if place.is_primitive else place.type
    if type_name == RESOURCE:
        type_name = node.get("resourceType", type_name)
    elements = shape(type_name).elements
    names = [name] if name in elements else [each.name for each in elements.values() if each.choice == name]
    found = []
    for each in names:
        value, type_ = node.get(each), elements[each].type
        if isinstance(value, list):
            found += [Place(value, at, type_, around=node, name=each) for at in range(len(value))]
        elif value is not None or isinstance(node.get(f"_{each}"), dict):
            found.append(Place(node, each, type_, tuple(elements[one] for one in names if one != name)))
    return found


def _indexed(at: int) -> Step:
    return lambda places: places[at : at + 1]


def _first(places: list[Place]) -> list[Place]:
    return places[:1]


def _last(places: list[Place]) -> list[Place]:
    return places[-1:]


def _all(places: list[Place]) -> list[Place]:
    return places


def _of_type(name: str) -> Step:
    return lambda places: [place for place in places if place.type == name]


def _extension(url: str) -> Step:
    def named(places: list[Place]) -> list[Place]:
        found = [inner for place in places for inner in children(place, "extension")]
        return [each for each in found if isinstance(each.value, dict) and each.value.get("url") == url]

    return named


def _where(conditions: Sequence[re.Match[str]]) -> Step:
    wanted = [
        (
            equals["path"].split("."),
            equals["word"] if equals["text"] is None else _unescaped(equals["text"]),
        )
        for equals in conditions
    ]

    def holds(place: Place, names: Sequence[str], text: str) -> bool:
        found = [place]
        for name in names:
            found = [inner for each in found for inner in children(each, name)]
        return any(_text(each.value) == text for each in found)

    return lambda places: [place for place in places if all(holds(place, *one) for one in wanted)]


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(getattr(value, "lexeme", value))
