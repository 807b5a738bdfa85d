"""What a provider says of a resident is theirs to take over: shown before, one by one, and never written by itself.

https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims

What was taken over is what the person said, with the provider as its source, sealed with their own key. It changes no
registration: that is for two clerks of the city desk, who see both.
"""

from typing import Any, Final

from passport.identity.authorization.core import Turn
from passport.identity.federation import acting, store
from passport.identity.federation.profiles import ATTRIBUTES
from passport.identity.federation.providers import PROVIDER_ID
from passport.identity.login.sessions import SignedIn
from passport.identity.store import PATIENT_KEY
from passport.keys import KeyRing, open_sealed, seal
from passport.outcomes import Invalid, NotFound, Refused
from passport.records import written_instant
from passport.sql import Connection, Row, fetch

TAKE: Final = "attributes-take"
FORGET: Final = "attributes-forget"


def resident_key(person: SignedIn) -> int:
    """The passport of a resident who is signed in.

    Raises:
        Refused: it is somebody else.
    """
    if person.kind != "patient" or person.patient_key is None:
        raise Refused("expected a resident, for themselves")
    return person.patient_key


async def overview(turn: Turn, person: SignedIn) -> dict[str, Any]:
    """What a resident may take over from this sign-in, and what they took over before."""
    patient_key = resident_key(person)
    way = await _said(turn, person)
    offered = None
    if way is not None:
        said = acting.opened(turn.runtime, way)
        offered = {
            "provider": way.provider_id,
            "attributes": [{"name": name, "value": said[name]} for name in ATTRIBUTES if name in said],
        }
    kept = await taken_over(turn.connection, turn.runtime.ring, patient_key)
    return {"offered": offered, "taken": kept, "csrf": person.csrf}


async def take(turn: Turn, person: SignedIn, names: object) -> list[str]:
    """Take over what the resident chose of what is offered, and forget the rest; the names.

    Raises:
        Invalid: no list of names that are offered.
        NotFound: nothing is offered, or it was decided before.
    """
    patient_key = resident_key(person)
    way = await _said(turn, person)
    if way is None:
        raise NotFound("nothing is offered")
    said = acting.opened(turn.runtime, way)
    if not isinstance(names, list) or not all(isinstance(name, str) and name in said for name in names):
        raise Invalid("got no list of what is offered in `take`", ("take",))
    if not await fetch(turn.connection, store.FORGET_SAID, {"login_id": person.login_id}):
        raise NotFound("nothing is offered")
    chosen = [name for name in ATTRIBUTES if name in names]
    (row,) = await fetch(turn.connection, PATIENT_KEY, {"patient_key": patient_key})
    ring = turn.runtime.ring
    key = ring.unwrap(patient_key, row.wrapped_key)
    for name in chosen:
        place = {"patient_key": patient_key, "provider_id": way.provider_id, "name": name}
        value = seal(key, said[name].encode(), _place(way.provider_id, name), random=ring.random)
        await fetch(turn.connection, store.TAKE_OVER, {**place, "value": value, "now": turn.now})
    return chosen


async def forget(turn: Turn, person: SignedIn, provider_id: str, name: str) -> None:
    """Forget one thing that a resident took over.

    Raises:
        NotFound: they did not.
    """
    place = {"patient_key": resident_key(person), "provider_id": provider_id, "name": name}
    fit = PROVIDER_ID.fullmatch(provider_id) and name in ATTRIBUTES
    if not fit or not await fetch(turn.connection, store.GIVE_UP, place):
        raise NotFound("nothing of this name was taken over")


async def taken_over(connection: Connection, ring: KeyRing, patient_key: int) -> list[dict[str, str]]:
    """What a resident took over, each with its source and when they said it."""
    rows = await fetch(connection, store.TAKEN_OVER, {"patient_key": patient_key})
    if not rows:
        return []
    (owner,) = await fetch(connection, PATIENT_KEY, {"patient_key": patient_key})
    key = ring.unwrap(patient_key, owner.wrapped_key)
    return [_told(key, row) for row in rows]


async def _said(turn: Turn, person: SignedIn) -> Row | None:
    rows = await fetch(turn.connection, store.SAID, {"login_id": person.login_id, "now": turn.now})
    return rows[0] if rows else None


def _told(key: bytes, row: Row) -> dict[str, str]:
    value = open_sealed(key, row.value, _place(row.provider_id, row.name)).decode()
    return {
        "provider": row.provider_id,
        "source": row.provider,
        "name": row.name,
        "value": value,
        "said": written_instant(row.said_at),
    }


def _place(provider_id: str, name: str) -> bytes:
    """What a sealed value is bound to."""
    return f"attribute {provider_id} {name}".encode()
