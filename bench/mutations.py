"""Small changes to a source text, each of which some test has to notice.

https://docs.python.org/3/library/ast.html

Only what decides is changed: comparisons, connectives, constants, branches, operands, and the words of SQL. Messages,
annotations and decorators stay as they are, and so does the text around a change, to the byte.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple


class Mutant(NamedTuple):
    """One change at one place; `start` and `end` are offsets in the bytes of the text."""

    line: int
    function: str
    change: str
    start: int
    end: int
    replacement: str

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]


class Change(NamedTuple):
    """What is done, in words; to which expression; and the expression in its place."""

    words: str
    place: ast.expr
    other: ast.expr


_COMPARISONS: Final[Mapping[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Add: ast.Sub, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_PAIRS: Final = (
    ("all", "any"), ("min", "max"), ("every", "either"), ("all_of", "any_of"), ("and_", "or_"), ("true", "false"),
    ("all_", "any_"), ("_node_true", "_node_false"),
)  # fmt: skip
# Each function beside the one that somebody might have meant.
_MEANT: Final = dict([*_PAIRS, *((other, one) for one, other in _PAIRS)])
_NEGATIONS: Final = frozenset({"not_", "negated", "_unless"})
_CONNECTIVES: Final = frozenset({"every", "either", "all_of", "any_of", "and_", "or_"})
_SQL: Final[Mapping[str, str]] = {
    "AND": "OR", "OR": "AND", "NOT": "", "<=": "<", "<": "<=", "<>": "=", "&&": "=", "IS NULL": "IS NOT NULL",
    "IS NOT NULL": "IS NULL", "LEFT JOIN": "JOIN", "1": "0", "0": "1", "<<": ">>",
}  # fmt: skip
_WORDS: Final = re.compile(
    r"\bIS NOT NULL\b|\bIS NULL\b|\bLEFT JOIN\b|\b(?:AND|OR|NOT|1|0)\b|<=|<>|<<|&&|(?<!<)<(?!<)"
)
_STATEMENT: Final = re.compile(r"\s*(?:--[^\n]*\s+)*(?:SELECT|WITH)\b")
_LEFT_ALONE: Final = frozenset({"annotation", "returns", "decorator_list"})


def mutants(source: bytes) -> list[Mutant]:
    """Every change to this module, in the order of the text; what recurs within a function is numbered."""
    lines, module = [0], ast.parse(source)
    for text in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(text))
    known = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for node, function in _nodes(module, ""):
        for words, place, other in _changes(node, known):
            seen[function, words] += 1
            times = seen[function, words]
            start = lines[place.lineno - 1] + place.col_offset
            end = lines[(place.end_lineno or place.lineno) - 1] + (place.end_col_offset or 0)
            change = words if times == 1 else f"{words} ({times})"
            found.append(Mutant(place.lineno, function, change, start, end, f"({ast.unparse(other)})"))
    return found


def _nodes(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".lstrip(".")
    yield node, function
    for name, value in ast.iter_fields(node):
        if name not in _LEFT_ALONE:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child, function)


def _changes(node: ast.AST, known: set[str]) -> Iterator[Change]:
    for kinds, changed in _KINDS:
        if isinstance(node, kinds):
            yield from changed(node)
    match node:
        case ast.Call(func=ast.Name(id=name)) if _MEANT.get(name) in known:
            other = _MEANT[name]
            yield Change(f"`{name}` becomes `{other}`", node.func, ast.Name(other))


def _compared(node: ast.Compare) -> Iterator[Change]:
    for place, operator in enumerate(node.ops):
        operators = [*node.ops]
        operators[place] = _COMPARISONS[type(operator)]()
        yield _becomes(node, ast.Compare(node.left, operators, node.comparators))


def _connected(node: ast.BoolOp) -> Iterator[Change]:
    yield _becomes(node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    for value, rest in _left_out(node.values):
        yield _without(value, node, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))


def _negated(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield _becomes(node, node.operand)


def _asked(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    """What is no comparison and no connective, and so has no other way to be turned round."""
    if isinstance(node.test, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
        yield _becomes(node.test, ast.UnaryOp(ast.Not(), node.test))


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield _becomes(node, ast.Constant(not node.value))
    elif isinstance(node.value, int):
        yield _becomes(node, ast.Constant(node.value + 1))
    elif isinstance(node.value, str) and _STATEMENT.match(node.value):
        for word in _WORDS.finditer(node.value):
            other = _SQL[word.group()]
            changed = node.value[: word.start()] + other + node.value[word.end() :]
            line = " ".join(node.value[: word.start()].rpartition("\n")[2].split()[-3:])
            yield Change(
                f"after `{line}` the SQL `{word.group()}` becomes `{other}`", node, ast.Constant(changed)
            )


def _branched(node: ast.IfExp) -> Iterator[Change]:
    yield _becomes(node, ast.IfExp(node.test, node.orelse, node.body))


def _calculated(node: ast.BinOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Sub):
        yield _without(node.right, node, node.left)
    elif other := _OPERATORS.get(type(node.op)):
        of_types = isinstance(node.right, ast.Constant) and node.right.value is None
        if not of_types:
            yield _becomes(node, ast.BinOp(node.left, other(), node.right))


def _filtered(node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Iterator[Change]:
    for place, generator in enumerate(node.generators):
        for condition, rest in _left_out(generator.ifs):
            generators = [*node.generators]
            generators[place] = ast.comprehension(generator.target, generator.iter, rest, generator.is_async)
            yield Change(f"without `if {_text(condition)}`", node, type(node)(node.elt, generators))


def _listed(node: ast.Set) -> Iterator[Change]:
    for value, rest in _left_out(node.elts):
        if rest:
            yield _without(value, node, ast.Set(rest))


def _called(node: ast.Call) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[operand]) if name in _NEGATIONS:
            yield _becomes(node, operand)
        case ast.Call(func=ast.Name(id=name), args=[ast.List() | ast.Tuple() as together]):
            for value, rest in _left_out(together.elts if name in _CONNECTIVES else []):
                yield _without(value, together, ast.List(rest))
        case ast.Call(func=ast.Attribute(attr="where")):
            for value, rest in _left_out(node.args):
                yield _without(value, node, ast.Call(node.func, rest, node.keywords))


_KINDS: Final[tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[Change]]], ...]] = (
    (ast.Compare, _compared),
    (ast.BoolOp, _connected),
    (ast.UnaryOp, _negated),
    ((ast.If, ast.IfExp, ast.While), _asked),
    (ast.Constant, _constant),
    (ast.IfExp, _branched),
    (ast.BinOp, _calculated),
    ((ast.ListComp, ast.SetComp, ast.GeneratorExp), _filtered),
    (ast.Set, _listed),
    (ast.Call, _called),
)


def _left_out(values: list[ast.expr]) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """Each of them with the rest."""
    for place, value in enumerate(values):
        yield value, [*values[:place], *values[place + 1 :]]


def _becomes(place: ast.expr, other: ast.expr) -> Change:
    return Change(f"`{_text(place)}` becomes `{_text(other)}`", place, other)


def _without(value: ast.expr, place: ast.expr, rest: ast.expr) -> Change:
    return Change(f"without `{_text(value)}`", place, rest)


def _text(node: ast.expr) -> str:
    return " ".join(ast.unparse(node).split())
