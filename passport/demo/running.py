"""`passport demo`: starts everything, loads the town, tells the story, and serves until it is stopped.

The demo itself is a client: the service and the workers are processes of their own beside it.
"""

import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from passport.database import drop
from passport.demo import bootstrap, consents, policies
from passport.demo.books import Books
from passport.demo.casting import RESIDENT, STORY_RESIDENT, Casting, share
from passport.demo.client import Caller, TokenSource
from passport.demo.elsewhere import elsewhere
from passport.demo.errors import NotLoaded
from passport.demo.guide import guide
from passport.demo.loading import OWN, SMALL, WHOLE, Loader, Size
from passport.demo.personas import PersonaFile
from passport.demo.processes import Part, alone, listening, running
from passport.demo.readings import blood_pressure
from passport.demo.residents import RESIDENTS
from passport.demo.story import staged
from passport.demo.telling import Told, new_console, tell
from passport.embedded import EmbeddedPostgres
from passport.installation import DATABASE, initialise, opened, prepare
from passport.runtime import utc_now
from passport.settings import Settings

TEND_SECONDS: Final = 0.5
PERSONAS_FILE: Final = "personas.json"
STORY_FILE: Final = "story.json"


@dataclass(frozen=True, slots=True)
class Stage:
    """A started town: its settings, its processes, and what the demo knows of it."""

    settings: Settings
    console: Console
    books: Books
    tokens: TokenSource
    parts: Sequence[Part]

    @property
    def now(self) -> datetime:
        """The present in the town's time zone."""
        return utc_now().astimezone(self.settings.zone)

    def load(self, size: Size) -> None:
        """Build the town, unless it stands already."""
        if self.books.loaded:
            return
        with _progress(self.console) as progress:
            Loader(self.settings.base_url, self.tokens, self.books, progress, self.now, size).load()
        (token,) = self.tokens([(self.books.references[RESIDENT], OWN)])
        with Caller(self.settings.base_url, token) as resident:
            share(resident, self.books, self.now)
        policies.write(
            self.settings.base_url, self.tokens, consents.emergency_policy(self.books.references["emergency"])
        )
        self.books.loaded = True
        self.books.write(self.settings.state)

    def tell(self) -> tuple[Told, ...]:
        """Tell the story to whoever looks at the terminal, from a persona file of its own."""
        path = self.settings.state / STORY_FILE
        self._casting.story().write(path)
        began = self.now
        (resident,) = (each for each in RESIDENTS if each.key == STORY_RESIDENT)
        neighbour = self.books.references[RESIDENT]
        with staged(PersonaFile.read(path), began, blood_pressure(resident, began), neighbour) as scene:
            return tell(scene, self.console)

    def personas(self, *, sandbox: bool) -> PersonaFile:
        """The persona file that others read."""
        return self._casting.personas(sandbox=sandbox)

    def keep_serving(self) -> None:
        """Start again what dies, until Ctrl-C."""
        while True:
            for part in self.parts:
                part.tend()
            time.sleep(TEND_SECONDS)

    @property
    def _casting(self) -> Casting:
        return Casting(self.settings.base_url, self.tokens, self.books)


def demo(state: Path, *, port: int, json_file: Path | None, sandbox: bool, size: Size = WHOLE) -> None:
    """Show the product at work, then serve until Ctrl-C.

    Args:
        state: the folder of the installation; a second start goes on with it.
        port: where to listen on 127.0.0.1; 0 takes a free one.
        json_file: where to write the personas, once the story is told.
        sandbox: whether to add the persona for conformance suites.
        size: how much of the town is built, if it is not there yet.

    Raises:
        DemoError, PassportError, EmbeddedPostgresError: why it cannot be shown.
    """
    console = new_console()
    with started(state, port, console, sandbox=sandbox) as stage, elsewhere(stage.settings) as mock:
        stage.load(size)
        mock.introduce(stage.tokens, stage.books.references[RESIDENT])
        if sandbox:
            policies.open_sandbox(stage.settings.base_url, stage.tokens, stage.books)
            stage.books.write(stage.settings.state)
        stage.tell()
        people = stage.personas(sandbox=sandbox)
        for path in filter(None, (stage.settings.state / PERSONAS_FILE, json_file)):
            people.write(path)
        console.print(guide(people, stage.settings, mock.start), soft_wrap=True, markup=False)
        replace(stage, parts=(*stage.parts, mock.part)).keep_serving()


def check() -> bool:
    """Tell the story in a small town on a temporary database and a free port; whether it went as expected."""
    console = new_console()
    with (
        tempfile.TemporaryDirectory(prefix="passport-check-") as folder,
        started(Path(folder) / "state", 0, console, sandbox=False) as stage,
    ):
        stage.load(SMALL)
        return all(told.holds for told in stage.tell())


@contextmanager
def started(state: Path, port: int, console: Console, *, sandbox: bool) -> Iterator[Stage]:
    """A town's installation with its database, its service and its workers, all ready."""
    state = state.resolve()
    # The port comes first: where it is taken nothing has been made.
    with listening(Settings.load(state).host, port) as bound:
        settings = initialise(state, "sandbox" if sandbox else "demo").at(port=bound.getsockname()[1])
        with alone(state):
            if not stands(state):
                begin_anew(settings, console)
            with _running(settings, bound, console) as stage:
                yield stage


def stands(state: Path) -> bool:
    """Whether the town in the folder is complete, or was never begun."""
    books = Books.read(state)
    return books.loaded or not books.starts


def how_it_goes_on(state: Path) -> str:
    """What to say of the town in the folder to somebody who ended the demo; nothing where none was begun."""
    books = Books.read(state)
    if not books.starts:
        return ""
    if books.loaded:
        return "The town is kept; the same command goes on with it."
    return "The town was not finished; the same command builds it anew."


def begin_anew(settings: Settings, console: Console) -> None:
    """Clear away a town that was broken off: half of one is none, and nothing of it is anybody's.

    Raises:
        NotLoaded: it is in a database of somebody's own, which is theirs to clear.
    """
    if settings.database_url:
        raise NotLoaded("the town was not finished: start again with another folder and an empty database")
    console.print("The town was not finished the last time: it is built anew.")
    with EmbeddedPostgres.start(settings.state) as server:
        drop(server.superuser_dsn(), DATABASE)
    Books().write(settings.state)


@contextmanager
def _running(settings: Settings, bound: socket.socket, console: Console) -> Iterator[Stage]:
    with opened(settings) as ready:
        prepare(ready, utc_now())
        books = Books.read(ready.state)
        books.begin()
        books.write(ready.state)
        console.print(f"Starting the passport on {ready.base_url} (state: {ready.state}) …")
        with running(ready, bound) as parts:
            yield Stage(ready, console, books, partial(bootstrap.tokens, ready), parts)


def _progress(console: Console) -> Progress:
    bar = BarColumn(bar_width=32)
    title = TextColumn("{task.description:<36}")
    return Progress(title, bar, MofNCompleteColumn(), TimeElapsedColumn(), console=console)
