"""What the documents show works: commands, options, addresses, variables, links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner

from fhirmap.formats import FORMATS
from passport.cli import main
from passport.demo.personas import NAMES, SANDBOX
from passport.environment import ENVIRONMENT, IN_A_FILE
from passport.main import create_app
from passport.settings import Settings
from tests.unit.house.source import ROOT

DOCUMENTS: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

_CONSOLE: Final = re.compile(r"^( *)```console\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_ADDRESS: Final = re.compile(r"`((?:(?:GET|POST|PUT|DELETE)(?:` `)?)+) (/[^`?]*)`")
_VERBS: Final = re.compile(r"GET|POST|PUT|DELETE")


def _shown(document: Path) -> Iterator[list[str]]:
    """Every command in a console block, as words; lines that end in a backslash go on."""
    for _, block in _CONSOLE.findall(document.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            prompt, _, command = line.strip().partition("$ ")
            if not prompt:
                yield shlex.split(command, comments=True)


def _commands() -> list[list[str]]:
    return [words for document in DOCUMENTS for words in _shown(document)]


def _parsed(words: list[str]) -> str:
    """Read the words as the `passport` command does, up to running it; returns the command's name."""
    context = click.Context(main, info_name="passport")
    name, command, rest = main.resolve_command(context, words)
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context, info_name=name)
        name, command, rest = command.resolve_command(context, rest)
    assert command is not None
    command.make_parser(click.Context(command, parent=context, info_name=name)).parse_args(list(rest))
    return str(name)


def test_every_shown_passport_command_is_one() -> None:
    shown = [words[1:] for words in _commands() if Path(words[0]).name == "passport"]
    assert {_parsed(words) for words in shown} >= {
        "init",
        "serve",
        "worker",
        "demo",
        "token",
        "map",
        "bootstrap",
    }


def test_an_option_that_is_none_is_found() -> None:
    with pytest.raises(click.UsageError):
        _parsed(["serve", "--state", "x", "--sandbox"])
    with pytest.raises(click.UsageError):
        _parsed(["server"])


def test_every_file_that_is_shown_to_be_mapped_is_there_and_can_be() -> None:
    shown = [words[1:] for words in _commands() if words[1:2] == ["map"]]
    assert {words[1] for words in shown} == set(FORMATS)
    for command, form, file in shown:
        mapped = CliRunner().invoke(main, [command, form, str(ROOT / file)])
        assert (mapped.exit_code, mapped.stderr) == (0, "")


def test_the_help_of_map_names_every_format() -> None:
    told = CliRunner().invoke(main, ["map", "--help"]).output
    assert [name for name in FORMATS if f"`{name}`" not in told] == []


def test_every_shown_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {words[1] for words in _commands() if words[0] == "make"}
    assert shown
    assert shown <= targets


def test_every_address_in_the_documents_is_served() -> None:
    app = create_app(Settings(state=ROOT, key_file=ROOT / "none"))
    served = [
        (verb.upper(), re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)))
        for path, operations in app.openapi()["paths"].items()
        for verb in operations
    ]
    shown = [
        (verb, re.sub(r"[{}]", "", path))
        for document in DOCUMENTS
        if document.parent.name != "decisions"
        for verbs, path in _ADDRESS.findall(document.read_text("utf-8"))
        for verb in _VERBS.findall(verbs)
    ]
    assert len(shown) > 20
    unserved = [
        (verb, path)
        for verb, path in shown
        if not any(verb == known and pattern.fullmatch(path) for known, pattern in served)
    ]
    assert unserved == []


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in _LINK.findall(document.read_text("utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def test_every_variable_is_described() -> None:
    described = set(re.findall(r"PASSPORT_\w+", (ROOT / "docs/deploying.md").read_text("utf-8")))
    in_files = {f"{variable}{IN_A_FILE}" for variable in ENVIRONMENT}
    assert described - in_files == set(ENVIRONMENT)


def test_every_command_is_described() -> None:
    described = (ROOT / "docs/deploying.md").read_text("utf-8")
    assert [name for name in main.commands if f"`passport {name}" not in described] == []


def test_every_persona_is_described() -> None:
    described = (ROOT / "docs/demo.md").read_text("utf-8")
    assert [name for name in (*NAMES, SANDBOX) if f"`{name}`" not in described] == []


def test_each_decision_has_a_number_of_its_own() -> None:
    named = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = [name.partition("-")[0] for name in named]
    assert sorted(numbers) == sorted(set(numbers))
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert path.read_text("utf-8").startswith(f"# {path.name.partition('-')[0]}. "), path.name
