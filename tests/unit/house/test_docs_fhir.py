"""The tables of docs/fhir.md: all that the code declares, each with a test that exists."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Final

import pytest

from fhirstore.matching import matcher
from fhirstore.matching.date import COMPARISONS
from fhirstore.matching.decimals import PREFIXES
from fhirstore.parameters import Kind, SearchParameter, parameters_of
from fhirstore.parse import DEFAULT_LIMITS
from fhirstore.registry import COMMON
from fhirstore.search.include import INCLUDE, ITERATE, REVINCLUDE
from fhirstore.search.result import RESULT
from fhirstore.search.test import SearchError, UnknownModifier
from fhirstore.types import TYPES
from fhirstore.validate.profiles import PROFILES
from passport.interactions import ON_THE_SYSTEM, ON_TYPES
from passport.operations import OPERATIONS
from tests.unit.fhirstore.matching.asking import CONTEXT, parameter
from tests.unit.house import proofs
from tests.unit.house.source import ROOT, product_modules

TEXT: Final = (ROOT / "docs/fhir.md").read_text("utf-8")
TYPE: Final = "[type]"
OF_THE_SPECIFICATION: Final = frozenset(
    {"missing", "exact", "contains", "not", "text", "in", "not-in", "above", "below", "identifier", "of-type"}
)
"""http://hl7.org/fhir/R4/valueset-search-modifier-code.html"""

LIMITED: Final = (
    "consent.provision",
    "fhirstore.lexemes",
    "fhirstore.matching",
    "fhirstore.parse",
    "fhirstore.patch",
    "fhirstore.search",
    "fhirstore.subset",
    "fhirstore.validate",
    "passport.disclosure",
    "passport.intake",
    "passport.protocol",
    "passport.routes.messages",
    "passport.routes.operation_input",
    "passport.routes.transactions",
    "passport.transactions",
)
"""The modules that a FHIR request meets a limit in."""

NO_LIMITS: Final = {
    "fhirstore.matching.ucum.MOST_CHARACTERS": "past it a code is read as one that is none of UCUM",
    "fhirstore.matching.ucum.MOST_EXPONENT": "past it a code is read as one that is none of UCUM",
    "fhirstore.validate.primitives.INTEGER_MAX": "the type's own, of the specification",
    "fhirstore.validate.primitives.STRING_MAX_BYTES": "the type's own, of the specification",
    "passport.disclosure.duplicates.MOST_SHARING": "of another interface, for operators",
    "passport.intake.relabelling.MOST_ATTEMPTS": "of a task that goes over what is stored, and no request",
    "passport.transactions.grouping.MOST_ATTEMPTS": "past it entries are written one by one",
}
"""What is named like a limit of a request and is none, and why."""

_LIMIT: Final = re.compile(r"(?!_)(?:(?:MOST|MAX)_\w+|\w+_(?:MAX|LIMIT|PER)(?:_\w+)?|\w+_DEPTH)")
_NAME: Final = re.compile(r"`([^`]+)`")


def rows(heading: str) -> list[proofs.Row]:
    """The cells of a table's rows, by the heading over it."""
    return proofs.rows(proofs.section(TEXT, heading))


def names(heading: str, column: int = 0) -> set[str]:
    """What stands in backticks in a column."""
    return {name for row in rows(heading) for name in _NAME.findall(row[column])}


def declared() -> Mapping[str, set[str]]:
    """What the code declares, by the table that it has to stand in."""
    common = {each.name for each in COMMON}
    return {
        "Interactions": {*ON_TYPES, *ON_THE_SYSTEM},
        "Kinds of search parameters": {kind.code for kind in Kind},
        "Prefixes": {*PREFIXES, *COMPARISONS},
        "Result parameters": {*RESULT, INCLUDE, REVINCLUDE},
        "Operations": {f"${each.name}" for each in OPERATIONS},
        "Profiles, the names": {each.name for each in PROFILES.values()},
        "Modifiers": {f":{name}" for name in (*named_modifiers(), TYPE, ITERATE)},
    } | {"Kinds of search parameters, of every type": common}


def named_modifiers() -> set[str]:
    """Every modifier that the code of a kind of parameter compares with or expects."""
    return {
        value.value
        for module in product_modules()
        if module.name.startswith("fhirstore.matching.")
        for node in ast.walk(module.tree)
        if is_about_modifier(node)
        for value in ast.walk(node)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def is_about_modifier(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "expect_modifier"
    return isinstance(node, ast.Compare) and ast.unparse(node.left) == "modifier"


@pytest.mark.parametrize("table", declared())
def test_what_the_code_declares_is_in_the_tables(table: str) -> None:
    heading, _, of_common = table.partition(",")
    assert declared()[table] <= names(heading, 1 if of_common else 0)


def test_what_is_in_the_tables_is_declared() -> None:
    assert names("Operations") == declared()["Operations"]
    assert names("Profiles", 1) == declared()["Profiles, the names"]
    assert names("Prefixes") == declared()["Prefixes"]
    assert names("Modifiers") == declared()["Modifiers"] | {f":{each}" for each in OF_THE_SPECIFICATION}


@cache
def accepted(kind: Kind) -> frozenset[str]:
    """The modifiers that any parameter of a kind takes."""
    of_types = (one for name in TYPES for one in parameters_of(name).values())
    # No type that is held has a number.
    known = [one for one in of_types if one.kind is kind and one.paths] or [parameter(kind, "probability")]
    wanted = {name for name in OF_THE_SPECIFICATION for one in known if takes(one, name)}
    targets = {target for one in known for target in one.targets}
    return frozenset(wanted | {TYPE for one in known for target in targets if takes(one, target)})


def takes(asked: SearchParameter, modifier: str) -> bool:
    try:
        matcher(asked, modifier, ["true"], CONTEXT)
    except UnknownModifier:
        return False
    except SearchError:
        # The modifier is known; the value is another thing.
        return True
    return True


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_takes_the_modifiers_that_its_table_says(kind: Kind) -> None:
    told = {
        name.removeprefix(":")
        for row in rows("Modifiers")
        if kind.code in re.findall(r"\w+", row[1])
        for name in _NAME.findall(row[0])
    }
    assert told == accepted(kind)


@cache
def limits() -> Mapping[str, int]:
    """Every limit that the modules behind the FHIR surface declare, by its dotted name."""
    found = {
        f"{module.name}.{name}": value
        for module in product_modules()
        if module.name.startswith(LIMITED)
        for name, value in vars(import_module(module.name)).items()
        if _LIMIT.fullmatch(name) and isinstance(value, int) and is_assigned(module.tree, name)
    }
    return {**found, "fhirstore.parse.DEFAULT_LIMITS.depth": DEFAULT_LIMITS.depth}


def is_assigned(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
        for node in tree.body
    )


def test_every_limit_of_the_code_is_in_the_table_with_its_value() -> None:
    told = {
        "".join(_NAME.findall(row[3])): int(row[1].split(" ")[0].replace(",", "")) for row in rows("Limits")
    }
    assert told == {name: value for name, value in limits().items() if name not in NO_LIMITS}


def test_what_is_no_limit_of_a_request_is_declared_and_says_why() -> None:
    assert limits().keys() >= NO_LIMITS.keys()
    assert all(len(reason) > 20 for reason in NO_LIMITS.values())


def test_every_named_test_exists() -> None:
    assert len(proofs.TEST.findall(TEXT)) > 80
    assert proofs.missing(TEXT) == []


@pytest.mark.parametrize(
    "heading",
    [
        "Interactions",
        "Kinds of search parameters",
        "Modifiers",
        "Prefixes",
        "Result parameters",
        "Operations",
        "Profiles",
        "Refusals",
        "Limits",
    ],
)
def test_every_row_names_its_test(heading: str) -> None:
    assert rows(heading)
    assert [row[0] for row in rows(heading) if proofs.TEST.search(row[-1]) is None] == []
