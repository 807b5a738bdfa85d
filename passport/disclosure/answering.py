"""Answering in one round trip where the standing is the one that this caller had before, else in two.

http://hl7.org/fhir/R4/consent.html

The condition of a page is composed from the caller's standing, and the standing is read afresh by every request.
A standing that was met before is a guess: its page travels in the same pipeline behind the new standing, and is
recorded and shown only if the new standing, read in this very snapshot, is the same to the last grant. Otherwise
that transaction has shown and recorded nothing, and the request is answered in two round trips. So a guess saves
time and decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Error
from psycopg.errors import QueryCanceled

from consent.model import Action
from fhirstore.errors import FhirStoreError
from passport.admission import Desk, Request, admitted, give_up, standing_params
from passport.decision import Decision, decide
from passport.disclosure.recorded import disclosed
from passport.outcomes import PassportError
from passport.runtime import Runtime
from passport.sql import Prepared, start
from passport.standing import Standing
from passport.standing_statement import REPEATED
from passport.subjects import Bearer, Caller

Question = Callable[[Desk, Decision], tuple[Prepared, Mapping[str, Any]]]
"""The statement that answers a request, and what it binds, once its caller's standing is known.

Raises:
    PassportError: the request is refused.
"""

_Place = tuple[bytes, Action, bool, tuple[int, ...] | None]
"""A token, an action, whether it asks about anyone, and about whom; None is whomever it asked about last."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A standing that was met before, and what was decided from it; `again` if it was met twice in a row."""

    standing: Standing
    decision: Decision
    again: bool = False


async def answered(
    runtime: Runtime, caller: Caller, request: Request, question: Question
) -> tuple[Desk, Sequence[Any]]:
    """The rows that answer a request, recorded and committed, and the desk at which it was decided.

    Raises:
        PassportError: as `admitted`, or as the question itself.
    """
    guessed = await _guessed(runtime, caller, request, question)
    if guessed is not None:
        return guessed
    async with admitted(runtime, caller, request) as desk:
        decision = await decide(runtime, desk.connection, desk.standing, request.action)
        prepared, params = question(desk, decision)
        if isinstance(caller, Bearer):
            _remember(runtime, _place(runtime, caller, request), Guess(desk.standing, decision))
        rows = await disclosed(desk, prepared, params)
    return desk, rows


async def _guessed(
    runtime: Runtime, caller: Caller, request: Request, question: Question
) -> tuple[Desk, Sequence[Any]] | None:
    """The same by a guess; None where there is none, or it was wrong."""
    if not isinstance(caller, Bearer) or runtime.reading is None:
        return None
    guess = _recalled(runtime, _place(runtime, caller, request))
    if guess is None:
        return None
    now = runtime.clock()
    asked = standing_params(runtime, caller, request, now)
    connection = await runtime.reading.getconn()
    try:
        desk = Desk(runtime, connection, request, guess.standing, now, asked, bearer=True)
        prepared, params = question(desk, guess.decision)
        # What is sent up to the pipeline's end is one transaction, committed with the last of it.
        async with connection.pipeline():
            await start(connection, REPEATED[request.about is None], asked)
            cursor = await start(connection, prepared, {**params, "expected": guess.standing.digest})
        rows = await cursor.fetchall()
    except QueryCanceled as error:
        # It took all the time that a request has.
        await give_up(connection, request, now, None, error)
        raise
    except (PassportError, FhirStoreError, Error):
        # Whatever it was is met again in the way that leaves its audit row.
        return None
    finally:
        await runtime.reading.putconn(connection)
    return (desk, rows) if rows else None


def _place(runtime: Runtime, caller: Bearer, request: Request) -> _Place:
    about = tuple(runtime.keys.reference(reference) for reference in request.abouts)
    return caller.token_hash, request.action, request.about is None, about


def _recalled(runtime: Runtime, place: _Place) -> Guess | None:
    """The guess for exactly this, else for what this token asked about last, if it was of one standing twice."""
    exact: Guess | None = runtime.guesses.get(place)
    if exact is not None:
        return exact
    last: Guess | None = runtime.guesses.get((*place[:3], None))
    return last if last is not None and last.again else None


def _remember(runtime: Runtime, place: _Place, guess: Guess) -> None:
    anywhere = (*place[:3], None)
    before: Guess | None = runtime.guesses.get(anywhere)
    again = before is not None and before.standing.digest == guess.standing.digest
    runtime.guesses.put(place, guess)
    # Who goes from patient to patient is not guessed at: a wrong guess costs what it would have saved.
    runtime.guesses.put(anywhere, replace(guess, again=again))
