"""The rules of documents, lists, forms and terminologies.

http://hl7.org/fhir/R4/documents.html
http://hl7.org/fhir/R4/questionnaire.html#invs
http://hl7.org/fhir/R4/valueset.html#invs
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhirstore.validate.invariants.bundles import BUNDLE, BUNDLE_ENTRY
from fhirstore.validate.invariants.rule import (
    Kept,
    Node,
    Rule,
    any_of,
    has,
    has_choice,
    is_one_of,
    needs,
    not_both,
)

_WITH_OPTIONS: Final = frozenset(
    {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity"}
)
_WITH_LENGTH: Final = frozenset({"boolean", "decimal", "integer", "string", "text", "url", "open-choice"})


def _only_in_mode(mode: str, name: str) -> Kept:
    return lambda node: (
        node.get("mode") == mode or not any(has(entry, name) for entry in _nodes(node, "entry"))
    )


def _nodes(node: Node, name: str) -> list[dict[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _below(node: Node, name: str) -> Iterator[dict[str, Any]]:
    for each in _nodes(node, name):
        yield each
        yield from _below(each, name)


def _distinct(name: str, key: str) -> Kept:
    """Keep that what stands below the elements `name`, however deep, has a `key` of its own."""

    def kept(node: Node) -> bool:
        counted = Counter(str(each[key]) for each in _below(node, name) if key in each)
        return all(times == 1 for times in counted.values())

    return kept


def _where(kinds: frozenset[str], kept: Kept) -> Kept:
    """Keep a rule for items of these types; it says nothing of others."""
    return lambda node: not is_one_of(node, "type", kinds) or kept(node)


def _only_where(kinds: frozenset[str], *names: str) -> Kept:
    return lambda node: is_one_of(node, "type", kinds) or not any(has(node, name) for name in names)


def _none_of(*names: str) -> Kept:
    return lambda node: not any(has(node, name) for name in names)


def _nests_as_its_type(node: Node) -> bool:
    kind = node.get("type")
    return (kind != "group" or "item" in node) and (kind != "display" or "item" not in node)


def _conditions_are_joined(node: Node) -> bool:
    # As the rule is worded; its expression speaks of more than two, which later editions mended.
    return len(_nodes(node, "enableWhen")) < 2 or has(node, "enableBehavior")


def _existence_is_a_boolean(node: Node) -> bool:
    return node.get("operator") != "exists" or "answerBoolean" in node or not has_choice(node, "answer")


def _one_initial(node: Node) -> bool:
    return node.get("repeats") is True or len(_nodes(node, "initial")) < 2


def _code_unless_abstract(node: Node) -> bool:
    return has(node, "code") or node.get("abstract") is True


_DISPLAY: Final = frozenset({"display"})
_SILENT: Final = frozenset({"group", "display"})

_ITEM: Final[tuple[tuple[str, str, Callable[[Node], bool]], ...]] = (
    ("que-1", "expected items in a group, and none in a display", _nests_as_its_type),
    ("que-3", "expected no code of a display", _where(_DISPLAY, _none_of("code"))),
    (
        "que-4",
        "expected answerOption or answerValueSet, not both",
        not_both("answerOption", "answerValueSet"),
    ),
    (
        "que-5",
        "expected options only of a type that has answers to choose",
        _only_where(_WITH_OPTIONS, "answerOption", "answerValueSet"),
    ),
    (
        "que-6",
        "expected no required or repeats of a display",
        _where(_DISPLAY, _none_of("required", "repeats")),
    ),
    ("que-8", "expected no initial of a group or display", _where(_SILENT, _none_of("initial"))),
    ("que-9", "expected no readOnly of a display", _where(_DISPLAY, _none_of("readOnly"))),
    (
        "que-10",
        "expected a maxLength only of a type that is written",
        _only_where(_WITH_LENGTH, "maxLength"),
    ),
    ("que-11", "expected no initial beside answerOption", not_both("answerOption", "initial")),
    ("que-12", "expected an enableBehavior where there are several enableWhen", _conditions_are_joined),
    ("que-13", "expected several initial values only where the item repeats", _one_initial),
)

_INCLUDE: Final = (
    Rule("vsd-1", "expected a valueSet or a system", any_of("valueSet", "system")),
    Rule(
        "vsd-2",
        "expected a system with concepts or filters",
        lambda node: has(node, "system") or not ("concept" in node or "filter" in node),
    ),
    Rule("vsd-3", "expected concepts or filters, not both", not_both("concept", "filter")),
)

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "Bundle": tuple(Rule(*row) for row in BUNDLE),
        "BundleEntry": tuple(Rule(*row) for row in BUNDLE_ENTRY),
        "CodeSystem": (Rule("csd-1", "expected each code once", _distinct("concept", "code")),),
        "CompositionSection": (
            Rule("cmp-1", "expected text, entries or sections", any_of("text", "entry", "section")),
            Rule(
                "cmp-2", "expected an emptyReason only of an empty section", not_both("emptyReason", "entry")
            ),
        ),
        "List": (
            Rule("lst-1", "expected an emptyReason only of an empty list", not_both("emptyReason", "entry")),
            Rule(
                "lst-2",
                "expected deleted only where the mode is `changes`",
                _only_in_mode("changes", "deleted"),
            ),
            Rule(
                "lst-3",
                "expected entry dates only where the mode is `working`",
                _only_in_mode("working", "date"),
            ),
        ),
        "Questionnaire": (Rule("que-2", "expected each linkId once", _distinct("item", "linkId")),),
        "QuestionnaireItem": tuple(Rule(*row) for row in _ITEM),
        "QuestionnaireItemEnableWhen": (
            Rule("que-7", "expected a boolean answer to `exists`", _existence_is_a_boolean),
        ),
        "QuestionnaireResponseItem": (
            Rule("qrs-1", "expected items below the item or below its answers", not_both("answer", "item")),
        ),
        "ValueSetComposeInclude": _INCLUDE,
        "ValueSetExpansionContains": (
            Rule("vsd-6", "expected a code or a display", any_of("code", "display")),
            Rule("vsd-9", "expected a code, unless abstract", _code_unless_abstract),
            Rule("vsd-10", "expected a system with the code", needs("code", "system")),
        ),
    }
)
