"""The device grant: a cuff or gateway shows a code, and its person enters it at a browser and decides.

https://www.rfc-editor.org/rfc/rfc8628

The code is short, since people type it: it is good for ten minutes, kept as a keyed hash, and whoever guesses is
slowed down by their own failures. No address carries it, so that nobody can be sent to allow somebody else's device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import digest
from typing import ClassVar, Final

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc8628 import DeviceCodeGrant

from passport.identity import attempts, clients
from passport.identity.authorization import families, notifying, store
from passport.identity.authorization.asking import Wish
from passport.identity.authorization.core import Answer, Core, CoreClient, Proved, Turn
from passport.identity.authorization.deciding import Choice, Offer, allowance, offer
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.grants import METHODS, SPENT, Grantee, grantee
from passport.identity.authorization.issuing import client_of
from passport.identity.authorization.paced import authenticated_within
from passport.identity.authorization.profiles import DEVICE
from passport.identity.authorization.recorded import audit, refused
from passport.identity.authorization.wanted import contexts_of, wanted
from passport.identity.codes import ALPHABET, typed
from passport.identity.login.sessions import SignedIn
from passport.identity.pace.limits import Limit
from passport.identity.purposes import GRANTABLE
from passport.outcomes import NotFound
from passport.runtime import Runtime
from passport.sql import Row, fetch

LASTS: Final = timedelta(minutes=10)
INTERVAL_SECONDS: Final = 5  # RFC 8628, section 3.2
USER_CODE_CHARACTERS: Final = 8
_GROUP: Final = 4

WINDOW: Final = timedelta(minutes=1)
BEGINNINGS_MAX: Final = 60
"""How many devices may ask for a code within the window that are one caller."""

_LIMIT: Final = Limit("device", BEGINNINGS_MAX, WINDOW)


class NoSuchCode(NotFound):
    """No device shows this code, or its minutes are over, or somebody decided: they look the same."""

    def __init__(self) -> None:
        super().__init__("no device shows this code now")


async def begin(turn: Turn, fields: Mapping[str, str], *, address: str) -> Answer:
    """Keep what a device asks for, and answer the codes by which it comes to it.

    Raises:
        Refusal: it is no client of this grant, or asks for what it may not have, or asks too often.
    """
    runtime = turn.runtime
    client = await authenticated_within(turn, fields, _LIMIT, address=address)
    if DEVICE not in client.grant_types:
        raise Refusal("unauthorized_client", "this grant is not allowed for the client")
    scope = CoreClient(client, sandbox=runtime.settings.sandbox).get_allowed_scope(fields.get("scope"))
    purpose = fields.get("purpose_of_use")
    if purpose is not None and (purpose not in GRANTABLE or not clients.may_ask_for(client, purpose)):
        raise Refusal("invalid_request", "expected purpose_of_use that is allowed for the client")
    device_code, kept = families.secret(runtime)
    letters = "".join(ALPHABET[byte & 31] for byte in runtime.ring.random(USER_CODE_CHARACTERS))
    params = {
        "device_hash": kept,
        "user_code_hash": _hashed(runtime, letters),
        "client_id": client.client_id,
        "scope": scope,
        "purpose": purpose,
        "expires_at": turn.now + LASTS,
        "interval_seconds": INTERVAL_SECONDS,
    }
    await fetch(turn.connection, store.PUT_DEVICE, params)
    return Answer(
        200,
        {
            "device_code": device_code,
            "user_code": f"{letters[:_GROUP]}-{letters[_GROUP:]}",
            "verification_uri": f"{runtime.settings.base_url}/auth/device",
            "expires_in": int(LASTS.total_seconds()),
            "interval": INTERVAL_SECONDS,
        },
    )


def guessing(person: SignedIn) -> str:
    """Under which name wrong codes are counted: the one of who is signed in, since nobody else can fill that."""
    return f"user code {person.login}"


async def asked(turn: Turn, person: SignedIn, user_code: str) -> tuple[Offer, bytes]:
    """What the device asks the person for that shows this code, and which one it is.

    Raises:
        TooMany: this caller entered too many wrong codes.
        NoSuchCode: no device shows it.
    """
    await attempts.check(turn.runtime, turn.connection, guessing(person), now=turn.now)
    params = {"user_code_hash": _hashed(turn.runtime, user_code), "now": turn.now}
    rows = await fetch(turn.connection, store.ASKED_BY_DEVICE, params)
    client = await clients.client(turn.connection, rows[0].client_id) if rows else None
    if client is None or not client.active:
        raise NoSuchCode
    (row,) = rows
    turn.client = client
    sandbox = turn.runtime.settings.sandbox
    read = wanted(row.scope.split(), contexts=contexts_of(client.grant_types), sandbox=sandbox)
    fields = {} if row.purpose is None else {"purpose_of_use": row.purpose}
    return offer(Wish(client, fields, read), person), row.device_hash


async def decide(turn: Turn, offered: Offer, device_hash: bytes, choice: Choice) -> None:
    """Keep what the person decides about a device.

    Raises:
        Refused: the choice is none of those that were offered.
    """
    if not choice.allowed:
        await fetch(turn.connection, store.DENY_DEVICE, {"device_hash": device_hash, "now": turn.now})
        return
    allowed = await allowance(turn, offered, choice)
    client = offered.question.client
    family_id = await families.begin(turn.runtime, turn.connection, client, allowed, now=turn.now)
    await fetch(turn.connection, store.ALLOW_DEVICE, {"device_hash": device_hash, "family_id": family_id})
    await notifying.allowed(turn, allowed, client)


@dataclass(slots=True)
class Waiting:
    """What a device asked for, as Authlib asks about it; `family` is there once somebody allowed it."""

    row: Row
    now: datetime
    family: Row | None = None

    def get_client_id(self) -> str:
        """Whose it is."""
        return str(self.row.client_id)

    def get_user_code(self) -> str:
        """Nothing: the row itself is asked."""
        return ""

    def get_scope(self) -> str:
        """What was allowed of it."""
        return "" if self.family is None else " ".join(self.family.scopes)

    def is_expired(self) -> bool:
        """Whether its minutes are over."""
        return bool(self.row.expires_at <= self.now)


class DeviceGrant(DeviceCodeGrant):
    """A token for a device whose person decided."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = METHODS
    server: Core
    _waiting: Waiting

    @property
    def turn(self) -> Turn:
        """The request with its transaction."""
        return self.server.turn

    def query_device_credential(self, device_code: str) -> Waiting:
        """What the device asked for.

        Raises:
            Refusal: nothing that this client asked for, or it was taken before.
        """
        self._waiting = Waiting(self.turn.wait(_hold, self.turn, device_code), self.turn.now)
        return self._waiting

    def query_user_grant(self, user_code: str) -> tuple[Grantee | None, bool] | None:
        """Whether somebody decided, and for whom the token is."""
        row = self._waiting.row
        if row.denied_at is not None:
            return None, False
        if row.family_id is None:
            return None
        taken = self.turn.wait(_taken, self.turn, row)
        self._waiting.family = taken.family
        return taken, True

    def should_slow_down(self, credential: Waiting) -> bool:
        """Whether the device asks more often than it was told to."""
        return self.turn.wait(_polled, self.turn, credential.row)


async def _hold(turn: Turn, device_code: str) -> Row:
    params = {"device_hash": families.hashed(device_code), "client_id": client_of(turn).client_id}
    rows = await fetch(turn.connection, store.HOLD_DEVICE, params)
    if not rows:
        raise Refusal("invalid_grant", SPENT)
    (row,) = rows
    if row.spent_at is not None:
        await notifying.end_reused(turn, row.family_id, client_of(turn))
        raise Refusal("invalid_grant", SPENT)
    return row


async def _taken(turn: Turn, row: Row) -> Grantee:
    await fetch(turn.connection, store.SPEND_DEVICE, {"device_hash": row.device_hash, "now": turn.now})
    turn.spent = row.family_id
    family = await families.held(turn.connection, row.family_id, now=turn.now)
    if family is None:
        raise Refusal("invalid_grant", SPENT)
    return await grantee(turn, family)


async def _polled(turn: Turn, row: Row) -> bool:
    interval = timedelta(seconds=row.interval_seconds)
    early = row.polled_at is not None and turn.now < row.polled_at + interval
    params = {
        "device_hash": row.device_hash,
        "now": turn.now,
        "slower": INTERVAL_SECONDS if early else 0,
    }
    await fetch(turn.connection, store.POLLED, params)
    return early


async def authorize(
    runtime: Runtime, fields: Mapping[str, str], proved: Proved | None = None, *, address: str
) -> Answer:
    """Answer a device that asks; asked or refused, it has its audit row."""
    async with runtime.pool.connection() as connection, connection.transaction():
        turn = Turn(runtime, connection, runtime.clock(), proved)
        try:
            answer = await begin(turn, fields, address=address)
        except OAuth2Error as refusal:
            answer = refused(refusal)
        name = turn.client.client_id if turn.client else ""
        await audit(turn, "authorize", "POST auth/device", answer.error, detail=name)
    return answer


def _hashed(runtime: Runtime, user_code: str) -> bytes:
    return digest(runtime.ring.index_secret, b"user code\n" + typed(user_code), "sha256")
