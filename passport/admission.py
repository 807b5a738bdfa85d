"""Admission: one request, one transaction; nothing is read or written before it is known who asks.

A request opens a transaction, learns its caller's standing (`standing.py`), does its work and commits; a refusal
undoes the work and leaves its audit row in a transaction of its own. Round trips: one for BEGIN with the
standing, what the work costs, one for COMMIT (which a disclosure sends along with its page).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from psycopg import OperationalError

from consent.compile import ACTION_BITS
from consent.model import Action
from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import scopes as smart
from passport.identity.record_scopes import Right
from passport.joining import around
from passport.needs import Scoped
from passport.outcomes import OutOfScope, PassportError, Refused, Unavailable, translated
from passport.remembering.standings import Known, place_of
from passport.remembering.store import HELD
from passport.runtime import Runtime
from passport.sql import Connection, fetch, start
from passport.standing import Standing, ask, stand, standing_in
from passport.standing_statement import WIDEN
from passport.subjects import Bearer, Caller, Subject
from passport.sufficient import check, check_patients

Isolation = Literal["read", "write"]

BEGIN: Final[dict[Isolation, str]] = {
    # A read sees one snapshot: grants and records belong together.
    "read": "BEGIN ISOLATION LEVEL REPEATABLE READ",
    # A write locks the rows that it changes, and must see what was committed before it got the lock.
    "write": "BEGIN ISOLATION LEVEL READ COMMITTED",
}
"""How the transaction of a request begins."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants: `action` decides which grants count, `about` whose records are in question.

    `about` is the reference of a record, of whoever holds which it is; None means whoever shared. `beside` are
    further ones of a request about several. `named` are patients whom a search names otherwise. `verb` and `query`
    are what the audit row says of it.
    """

    action: Action
    verb: str
    query: str
    about: str | None = None
    isolation: Isolation = "read"
    beside: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def abouts(self) -> tuple[str, ...]:
        """Every reference in question; none means whoever shared."""
        return () if self.about is None else (self.about, *self.beside)

    @property
    def names(self) -> tuple[str, ...]:
        """Whoever it is about, and the patients whom it names otherwise."""
        return self.named if self.about is None else (self.about, *self.named)


@dataclass(slots=True)
class Desk:
    """One open transaction with its caller; `by` are the scopes that let the request through so far.

    Of a request that is `within` the transaction of another, whoever that belongs to commits.
    """

    runtime: Runtime
    connection: Connection
    request: Request
    standing: Standing
    now: datetime
    params: dict[str, Any]
    bearer: bool
    committed: bool = False
    within: bool = False
    by: set[str] = field(default_factory=set)
    _stood: dict[Action, Standing] = field(default_factory=dict)
    _wall: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._stood, self._wall = {self.request.action: self.standing}, self.request.abouts

    @property
    def subject(self) -> Subject:
        """Who asks."""
        return self.standing.subject

    def let_in(self, caller: Caller) -> None:
        """Let a session go on that has what the address needs which was called.

        Raises:
            OutOfScope: it has not.
            NotFound: it has not, and is told nothing.
        """
        if not isinstance(caller, Bearer):
            return
        found = check(caller.needs, self.subject)
        self.by |= found
        if isinstance(caller.needs, Scoped):
            self.stay_with_patient(found)

    def stay_with_patient(self, by: Iterable[str]) -> None:
        """Let a session whose scopes `by` are for one patient go on if its request is about that one.

        Raises:
            NotFound: it is about somebody else.
        """
        check_patients(self.subject, by, self.request.abouts, self.standing.named)

    def require(self, right: Right, *types: str) -> None:
        """Let a session go on that may use `right` on all records of one of `types`.

        Raises:
            OutOfScope: it may not.
        """
        self._let_through(smart.granting(self.subject.scopes, right, *types, whole=True), right, types)

    def reaches(self, right: Right, type_name: str) -> bool:
        """Whether a session may use `right` on some records of a type: which ones is said by each condition on them."""
        found = smart.granting(self.subject.scopes, right, type_name)
        self.by |= found
        return bool(found)

    def require_reach(self, right: Right, *types: str) -> None:
        """Let a session go on that reaches each of `types`.

        Raises:
            OutOfScope: it does not.
        """
        for name in types:
            self._let_through(smart.granting(self.subject.scopes, right, name), right, (name,))

    def _let_through(self, found: frozenset[str], right: Right, types: tuple[str, ...]) -> None:
        if not found:
            raise OutOfScope(smart.missing(right, *types))
        self.by |= found

    def row(self, patient_key: int, outcome: str = "success", **facts: Any) -> AuditRow:
        """An audit row about this request and one patient; `facts` are further fields of `AuditRow`."""
        facts = {"scopes": sorted(self.by), **facts}
        return _row(self.subject, self.request, self.now, patient_key, outcome, **facts)

    async def audit(self, *rows: AuditRow) -> None:
        """Write audit rows in this transaction."""
        await record(self.connection, rows)

    async def standing_for(self, action: Action, *beside: str) -> Standing:
        """The caller's standing for another action, with these records in question as well; it moves the wall.

        What was learnt of the same records serves again: a withdrawal holds for what begins after it.
        """
        if not set(beside) <= set(self._wall):
            self._stood, self._wall = {}, tuple(dict.fromkeys((*self._wall, *beside)))
        if action not in self._stood:
            params = {
                **self.params,
                "action_bit": ACTION_BITS[action],
                "about_keys": _keys(self.runtime, self._wall),
            }
            anyone = not self._wall
            self._stood[action] = await stand(self.connection, params, bearer=self.bearer, anyone=anyone)
        return self._stood[action]

    async def standing_towards(self, action: Action, *abouts: str) -> Standing:
        """The caller's standing with these records alone in question, or whoever shared; it moves the wall."""
        if abouts != self._wall:
            self._stood, self._wall = {}, abouts
        return await self.standing_for(action)

    async def standing_of_all(self, action: Action) -> Standing:
        """The caller's standing towards whoever shared; it moves the wall."""
        return await self.standing_towards(action)

    async def widen(self, *patient_keys: int) -> None:
        """Let the wall stand open for more patients: who are registered now, or are put a proposal."""
        await fetch(self.connection, WIDEN, {"patient_keys": list(patient_keys)})

    async def commit(self) -> None:
        """Commit now, in the caller's own pipeline if it has one; a failure shows when that ends."""
        if not self.within:
            await self.connection.execute("COMMIT")
        self.committed = True


def _row(
    subject: Subject | None, request: Request, now: datetime, patient_key: int, outcome: str, **facts: Any
) -> AuditRow:
    return AuditRow(
        patient_key=patient_key,
        audit_id=uuid4(),
        recorded=now,
        action=facts.pop("action", request.verb),
        kind=subject.kind if subject else "",
        subject=subject.reference if subject else None,
        role=subject.role if subject else None,
        client=subject.client if subject else None,
        behalf_of=facts.pop("behalf_of", None),
        purpose=subject.purpose if subject else None,
        query=request.query,
        outcome=outcome,
        session_id=subject.session_id if subject else None,
        **facts,
    )


def _key(runtime: Runtime, reference: str | None) -> int | None:
    return None if reference is None else runtime.keys.reference(reference)


def _keys(runtime: Runtime, references: Iterable[str]) -> list[int]:
    return [runtime.keys.reference(reference) for reference in references]


def standing_params(runtime: Runtime, caller: Caller, request: Request, now: datetime) -> dict[str, Any]:
    """What the standing statement binds for a caller and a request."""
    common = {
        "now": now,
        "action_bit": ACTION_BITS[request.action],
        "about_keys": _keys(runtime, request.abouts),
        "grants_linger": runtime.settings.grants_linger,
        "proxies_linger": runtime.settings.proxies_linger,
    }
    if isinstance(caller, Bearer):
        return {**common, "token_hash": caller.token_hash, "confirmation": caller.confirmation}
    subject = caller.subject
    return {
        **common,
        "kind": subject.kind,
        "subject": subject.reference,
        "role": subject.role,
        "client": subject.client,
        "actor_key": _key(runtime, subject.actor),
        "client_key": _key(runtime, subject.client),
        "patient_key": subject.patient_key,
        "opened_patient_key": subject.opened_patient_key,
        "purpose": subject.purpose,
        "scopes": sorted(subject.scopes),
        "session_id": subject.session_id,
    }


@asynccontextmanager
async def admitted(runtime: Runtime, caller: Caller, request: Request) -> AsyncIterator[Desk]:
    """Open the transaction of one request and yield its desk; commit when the block ends.

    Raises:
        Unauthenticated: the token is unknown, ended or expired.
        PassportError: what the block raised; its work is undone, and the refusal has its audit row. One that joined
            another's transaction leaves both to that.
    """
    now = runtime.clock()
    if (connection := around()) is not None:
        yield await _joined(runtime, connection, caller, request, now)
        return
    async with _opened(runtime, caller, request, now) as (connection, desk):
        standing = desk.standing
        try:
            desk.let_in(caller)
            yield desk
            if not desk.committed:
                await desk.commit()
        except BaseException as error:
            await give_up(connection, request, now, desk, error)
            raise
        if isinstance(caller, Bearer) and request.isolation == "write" and standing.shared_with:
            about = desk.params["about_keys"]
            runtime.standings.remember(place_of(caller, request.action, "write", about), Known(standing))


async def _joined(
    runtime: Runtime, connection: Connection, caller: Caller, request: Request, now: datetime
) -> Desk:
    """The desk of a request that is part of a transaction."""
    params, bearer = standing_params(runtime, caller, request, now), isinstance(caller, Bearer)
    standing = await stand(connection, params, bearer=bearer, anyone=request.about is None)
    desk = Desk(runtime, connection, request, standing, now, params, bearer, within=True)
    desk.let_in(caller)
    return desk


@asynccontextmanager
async def _opened(
    runtime: Runtime, caller: Caller, request: Request, now: datetime
) -> AsyncIterator[tuple[Connection, Desk]]:
    """A connection with the transaction begun and the caller's standing read."""
    params = standing_params(runtime, caller, request, now)
    known = None
    if isinstance(caller, Bearer) and request.isolation == "write":
        known = runtime.standings.recall(place_of(caller, request.action, "write", params["about_keys"]))
    bearer = isinstance(caller, Bearer)
    connection, standing = await _begun(runtime, request, params, known, bearer=bearer, now=now)
    try:
        yield connection, Desk(runtime, connection, request, standing, now, params, bearer)
    finally:
        await runtime.pool.putconn(connection)


async def _begun(
    runtime: Runtime,
    request: Request,
    params: Mapping[str, Any],
    known: Known | None,
    *,
    bearer: bool,
    now: datetime,
) -> tuple[Connection, Standing]:
    """Begin; a connection that a restarted server has cut costs another one, and no failed request."""
    anyone = request.about is None
    standing: Standing | None
    for further in range(runtime.pool.max_size, -1, -1):
        connection = await runtime.pool.getconn()
        try:
            standing = None
            if known is not None:
                standing = await _held(connection, request, params, known)
            if standing is None:
                async with connection.pipeline():
                    await connection.execute(BEGIN[request.isolation])
                    asked = await ask(connection, params, bearer=bearer, anyone=anyone)
                standing = await standing_in(asked)
        except BaseException as error:
            cut = isinstance(error, OperationalError) and connection.closed
            if not cut:
                await give_up(connection, request, now, None, error)
            await runtime.pool.putconn(connection)
            if not (cut and further):
                raise
        else:
            return connection, standing
    raise Unavailable


async def _held(
    connection: Connection, request: Request, params: Mapping[str, Any], known: Known
) -> Standing | None:
    """Begin with a standing that was read before; None, and nothing begun, if it holds no more."""
    async with connection.pipeline():
        await connection.execute(BEGIN[request.isolation])
        held = await start(connection, HELD, {**params, **known.standing.rests_on})
    if await held.fetchone() is not None:
        return known.standing
    known.over = True
    await connection.rollback()
    return None


async def give_up(
    connection: Connection, request: Request, now: datetime, desk: Desk | None, error: BaseException
) -> None:
    """Undo the work, and keep the row of the refusal: it must survive what it refuses."""
    if connection.closed:
        return
    await connection.rollback()
    if not isinstance(error, PassportError) and not isinstance(error, Exception):
        return
    refusal = error if isinstance(error, PassportError) else translated(error)
    if refusal.unproven:
        return
    subject = desk.subject if desk else None
    named = desk.standing.named if desk else ()
    if subject is not None and isinstance(refusal, Refused):
        refusal.tell(subject.kind)
    if subject is not None and isinstance(refusal, OutOfScope):
        refusal.name_for(min(smart.everything(subject.kind)).partition("/")[0])
    lacking = refusal.missing if isinstance(refusal, OutOfScope) else ()
    rows = [
        _row(subject, request, now, patient, refusal.outcome, detail=refusal.code, scopes=lacking)
        for patient in named or (NOBODY,)
    ]
    await record(connection, rows)
