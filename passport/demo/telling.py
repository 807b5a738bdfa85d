"""Tells the story on the terminal: each step with what was expected and what came back.

https://rich.readthedocs.io/en/stable/tables.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from passport.demo.errors import Refused
from passport.demo.expectations import EXPECTATIONS, Expectation
from passport.demo.story import STEPS, Got, Scene

PIPE_COLUMNS: Final = 160
"""The width of the table where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it was expected and as it went."""

    expected: Expectation
    got: Got

    @property
    def holds(self) -> bool:
        """Whether what came back is what was expected."""
        return (self.got.status, self.got.finding) == (self.expected.status, self.expected.finding)


def tell(scene: Scene, console: Console) -> tuple[Told, ...]:
    """Carry out every step in order and print the table; a step that fails does not end the story."""
    with console.status("") as status:
        told = []
        for expected in EXPECTATIONS:
            status.update(f"{expected.who} {expected.does} …")
            told.append(Told(expected, _carried_out(scene, expected)))
    printed(told, console)
    return tuple(told)


def printed(told: Sequence[Told], console: Console) -> None:
    """Print the table and its sum."""
    console.print(_table(told))
    console.print(_summary(told))


def new_console() -> Console:
    """The terminal, or a page wide enough for the table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=PIPE_COLUMNS, highlight=False)


def _carried_out(scene: Scene, expected: Expectation) -> Got:
    try:
        return STEPS[expected.key](scene)
    except Refused as error:
        return Got(error.status, str(error))
    except httpx.HTTPError as error:
        return Got(0, f"no answer: {type(error).__name__}")
    except (KeyError, LookupError, ValueError) as error:
        return Got(0, f"an answer that cannot be read: {type(error).__name__} {error}")


def _table(told: Sequence[Told]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("", width=2, justify="right")
    for title in ("who", "step", "expected", "got"):
        table.add_column(title, overflow="fold")
    for number, step in enumerate(told, start=1):
        table.add_row(
            str(number),
            step.expected.who,
            step.expected.does,
            f"{step.expected.status} {step.expected.finding}",
            Text(_got(step.got), style="green" if step.holds else "bold red"),
        )
    return table


def _got(got: Got) -> str:
    count = "" if got.count is None else f" ({got.count})"
    return f"{got.status} {got.finding}{count}"


def _summary(told: Sequence[Told]) -> Text:
    held = sum(step.holds for step in told)
    style = "bold green" if held == len(told) else "bold red"
    return Text(f"\n{held} of {len(told)} steps went as expected", style=style)
