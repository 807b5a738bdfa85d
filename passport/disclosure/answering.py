"""Answering in one round trip where the caller's standing was read before and still holds, else in two.

http://hl7.org/fhir/R4/consent.html

The condition of a page is composed from the caller's standing. One that was read before is a guess: whether it holds is
asked by the statement of its page itself, in one snapshot, and the page is recorded and shown only if it does.
Otherwise that transaction has shown and recorded nothing, and the request is answered in two round trips. So a guess
saves time and decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Error
from psycopg.errors import QueryCanceled

from fhirstore.errors import FhirStoreError
from passport.admission import Desk, Request, admitted, give_up, standing_params
from passport.database import Pool
from passport.decision import Decision, decide
from passport.disclosure.recorded import disclosed, present
from passport.joining import around
from passport.outcomes import PassportError
from passport.remembering.standings import Known, Place, place_of
from passport.remembering.store import behind
from passport.runtime import Runtime
from passport.sql import Prepared, fetch_alone
from passport.subjects import Bearer, Caller

Question = Callable[[Desk, Decision], tuple[Prepared, Mapping[str, Any]]]
"""The statement that answers a request, and what it binds, once its caller's standing is known.

Raises:
    PassportError: the request is refused.
"""


async def answered(
    runtime: Runtime, caller: Caller, request: Request, question: Question
) -> tuple[Desk, Sequence[Any]]:
    """The rows that answer a request, recorded and committed, and the desk at which it was decided.

    Raises:
        PassportError: as `admitted`, or as the question itself.
    """
    place: Place | None = None
    if isinstance(caller, Bearer) and runtime.reading is not None and around() is None:
        keys = [runtime.keys.reference(reference) for reference in request.abouts]
        place = place_of(caller, request.action, "read", keys)
        known = runtime.standings.recall(place)
        if known is not None:
            guessed = await _guessed(runtime, runtime.reading, (caller, request, question), known)
            if guessed is not None:
                return guessed
    async with admitted(runtime, caller, request) as desk:
        decision = await decide(runtime, desk.connection, desk.standing, request.action)
        prepared, params = question(desk, decision)
        rows = await disclosed(desk, prepared, params)
    if place is not None:
        _remember(runtime, place, Known(desk.standing, decision), rows)
    return desk, rows


async def _guessed(
    runtime: Runtime, pool: Pool, asks: tuple[Bearer, Request, Question], known: Known
) -> tuple[Desk, Sequence[Any]] | None:
    """The same by what is known; None where it holds no more."""
    caller, request, question = asks
    now = runtime.clock()
    asked = standing_params(runtime, caller, request, now)
    connection = await pool.getconn()
    try:
        desk = Desk(runtime, connection, request, known.standing, now, asked, bearer=True)
        desk.let_in(caller)
        prepared, params = question(desk, known.made)
        # One statement is one transaction: what it shows is committed when it is handed over.
        once = _behind(runtime, prepared)
        bound = {**prepared.constants, **params, **asked, **known.standing.rests_on}
        rows = await fetch_alone(connection, once, bound)
    except QueryCanceled as error:
        # It took all the time that a request has.
        await give_up(connection, request, now, None, error)
        raise
    except (PassportError, FhirStoreError, Error):
        # Whatever it was is met again in the way that leaves its audit row.
        return None
    finally:
        await pool.putconn(connection)
    # What was shown before and is hidden now costs from now on what is not there.
    known.over = not present(rows)
    return (desk, rows) if rows else None


def _behind(runtime: Runtime, prepared: Prepared) -> Prepared:
    """The same statement behind the question whether the standing holds; statements of one text share it."""
    structure = ("behind", prepared.text)
    return runtime.statements.get(structure) or runtime.statements.put(structure, behind(prepared))


def _remember(runtime: Runtime, place: Place, known: Known, rows: Sequence[Any]) -> None:
    """Keep a standing by which something was shown; one towards whoever shared says nothing of what was asked."""
    shown = present(rows)
    if not place[3]:
        runtime.standings.remember(place, known)
    elif shown and known.standing.shared_with:
        runtime.standings.remember(place, known)
        if hasattr(shown[0], "record_key"):
            # Whoever was shown a page asks for its records next.
            one = known.standing.named
            keys = [row.record_key for row in shown if (row.patient_key,) == one]
            runtime.standings.remember_shown(place, known, keys)
