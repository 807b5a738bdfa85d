"""Codes that a person shows at a counter: one to be asked by, one that shares with whoever redeems it first.

https://www.rfc-editor.org/rfc/rfc8628#section-6.1
https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets

A code is drawn by the service, good for fifteen minutes, and stored as a keyed hash: whoever holds the database
alone cannot try codes against it. It travels in bodies, never in an address.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Literal, get_args
from uuid import UUID

import orjson

from consent.model import Action
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.identity import tokens
from passport.identity.codes import ALPHABET, typed
from passport.intake.resting import Hope
from passport.keys import KeyRing, open_sealed, seal
from passport.members import check_members
from passport.outcomes import Invalid, NotFound, Refused
from passport.runtime import Runtime
from passport.sharing import store
from passport.sharing.consents import Agreed
from passport.sharing.presets import Preset, preset_of
from passport.sharing.terms import (
    NARROWING,
    offered_attributes,
    permit,
    purpose_of,
    until_of,
    with_attributes,
)
from passport.sharing.wording import Language, Wording, agreed
from passport.sql import Row, fetch
from passport.subjects import Caller

CodeKind = Literal["request", "share"]
"""By a code of kind `request` somebody may ask; one of kind `share` shares."""

KINDS: Final[tuple[CodeKind, ...]] = get_args(CodeKind)

LIFE: Final = timedelta(minutes=15)

GROUP_CHARACTERS: Final = 4
# Five random bits a character. Whoever guesses the first kind may send somebody a request; the second opens records.
CHARACTERS: Final[Mapping[CodeKind, int]] = {"request": 8, "share": 12}

VERB: Final = "share-code"
ADDRESS: Final = "sharing/codes"

_OFFERED: Final = ("preset", "language", "version", "hash", "purpose", "until", *NARROWING)
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class UserCode:
    """A code as its owner gets it, once; only its hash is kept."""

    id: UUID
    kind: CodeKind
    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What a share code shares, and what its person was shown; who gets it is known when it is redeemed.

    `changed` are attributes of the provision, `until` an end before that of the preset.
    """

    purpose: str
    changed: Mapping[str, Any]
    wording: Wording
    until: str | None

    def to(self, organization: str) -> Agreed:
        """The same with its recipient."""
        return Agreed(
            with_attributes(permit(organization, self.purpose), self.changed), self.wording, self.until
        )

    def plain(self) -> bytes:
        """The bytes of it, before they are sealed."""
        shown = self.wording
        told = {
            "purpose": self.purpose,
            "changed": self.changed,
            "shown": [shown.preset, shown.language, shown.version, shown.text],
            "until": self.until,
        }
        return orjson.dumps(told)


def drawn(kind: CodeKind, random: Callable[[int], bytes]) -> str:
    """Draw a code, written in groups as it is shown."""
    letters = "".join(ALPHABET[byte & 31] for byte in random(CHARACTERS[kind]))
    starts = range(0, len(letters), GROUP_CHARACTERS)
    return "-".join(letters[start : start + GROUP_CHARACTERS] for start in starts)


def hashed(ring: KeyRing, code: str) -> bytes:
    """What is stored of a code, however it was typed."""
    keyed = blake2b(digest_size=32, key=ring.index_secret, person=b"sharing code")
    keyed.update(typed(code))
    return keyed.digest()


def code_in(tree: Mapping[str, Any]) -> str:
    """The code of a request.

    Raises:
        Invalid: there is none.
    """
    code = tree.get("user_code")
    if not isinstance(code, str) or not code.strip():
        raise Invalid("got no code in `user_code`", ("user_code",))
    return code


async def make(runtime: Runtime, caller: Caller, tree: Mapping[str, Any]) -> UserCode:
    """Give a person a code to show; one of the same kind that they had before is good for nothing from then on.

    Raises:
        Invalid: a member is missing, unknown or unfit.
        NotShown: what the person was shown is not what is shown now.
        Refused: the caller may not share for this person, or there is no such person.
    """
    kind = tree.get("kind")
    if kind not in KINDS:
        raise Invalid(f"got no kind of code, expected one of {', '.join(KINDS)}", ("kind",))
    check_members(tree, ("kind", "patient", *(_OFFERED if kind == "share" else ())))
    patient = patient_in(tree)
    offer = offer_of(runtime, tree) if kind == "share" else None
    request = Request(Action.COLLECT, VERB, recorded("POST", ADDRESS), patient, "write")
    async with admitted(runtime, caller, request) as desk:
        desk.require("c", PROPOSABLE)
        patient_key = sharer_key(desk)
        code = UserCode(UUID(runtime.new_id()), kind, drawn(kind, runtime.ring.random), desk.now + LIFE)
        await _put(desk, patient_key, code, offer)
        await desk.audit(desk.row(patient_key, detail=f"{kind} {code.id}"))
        return code


async def cancel(runtime: Runtime, caller: Caller, code_id: UUID, patient: str | None) -> None:
    """Take a code back that was not used yet.

    Raises:
        NotFound: there is no such code of this person that could still be used.
        Refused: the caller may not share for this person.
    """
    request = Request(Action.COLLECT, VERB, recorded("DELETE", f"{ADDRESS}/{code_id}"), patient, "write")
    async with admitted(runtime, caller, request) as desk:
        patient_key = sharer_key(desk)
        params = {"patient_key": patient_key, "code_id": code_id, "now": desk.now}
        rows = await fetch(desk.connection, store.END_CODE, params)
        if not rows:
            raise NotFound("no such code")
        await _end_session(desk, rows[0])
        await desk.audit(desk.row(patient_key, detail=f"ended {code_id}"))


def offer_of(runtime: Runtime, tree: Mapping[str, Any]) -> Offer:
    """What a request offers to whoever redeems the code.

    Raises:
        Invalid: a member is missing or unfit.
        NotShown: what the person was shown is not what is shown now.
    """
    zone, now = runtime.settings.zone, runtime.clock()
    wording = agreed(preset_of(tree.get("preset")), tree)
    return Offer(purpose_of(tree), offered_attributes(tree, zone), wording, until_of(tree, now, zone))


def opened_offer(desk: Desk, row: Row, code_hash: bytes, sealed: bytes) -> Offer:
    """What a code shares, opened with the key of the person who made it (`row` of `store.PATIENT`)."""
    key = desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    tree = orjson.loads(open_sealed(key, sealed, _place(code_hash)))
    preset, language, version, text = tree["shown"]
    wording = Wording(Preset(preset), Language(language), version, text)
    return Offer(tree["purpose"], tree["changed"], wording, tree["until"])


def patient_in(tree: Mapping[str, Any]) -> str | None:
    """For whom somebody acts who is not the person themselves.

    Raises:
        Invalid: it is no reference of a Patient.
    """
    patient = tree.get("patient")
    if patient is not None and (not isinstance(patient, str) or not _PATIENT.fullmatch(patient)):
        raise Invalid("got no reference such as `Patient/1` in `patient`", ("patient",))
    return patient


def sharer_key(desk: Desk) -> int:
    """The patient_key of the passport that the caller shares from: their own, or the one that they act for.

    Whether a proxy's scope covers it is decided where the Consent is written.

    Raises:
        Refused: the caller is no patient and no proxy, or is given nothing by this person.
    """
    subject, asked = desk.subject, desk.standing.asked
    if subject.kind == "patient" and desk.standing.own is not None and desk.request.about is None:
        return desk.standing.own
    if subject.kind == "patient" and asked in desk.standing.owns:
        return asked
    if subject.kind != "proxy" or asked is None or not Hope.of(desk.standing).holds(asked):
        raise Refused
    return asked


async def _put(desk: Desk, patient_key: int, code: UserCode, offer: Offer | None) -> None:
    runtime, connection = desk.runtime, desk.connection
    for former in await fetch(connection, store.FORMER_CODE, {"patient_key": patient_key, "kind": code.kind}):
        await _end_session(desk, former)
    (owner,) = await fetch(connection, store.PATIENT, {"patient_key": patient_key})
    code_hash = hashed(runtime.ring, code.text)
    row: dict[str, Any] = {
        "patient_key": patient_key,
        "kind": code.kind,
        "code_id": code.id,
        "code_hash": code_hash,
        "expires_at": code.expires_at,
        "token_hash": None,
        "terms": None,
    }
    if offer is not None:
        key = runtime.ring.unwrap(patient_key, owner.wrapped_key)
        row["terms"] = seal(key, offer.plain(), _place(code_hash), random=runtime.ring.random)
        row["token_hash"] = await tokens.delegate(
            runtime, connection, desk.subject, now=desk.now, lifetime=LIFE
        )
    await fetch(connection, store.PUT_CODE, row)


async def _end_session(desk: Desk, row: Row) -> None:
    """Nobody shares in the name of somebody whose code is good no more."""
    if row.token_hash is not None:
        await tokens.revoke(desk.connection, row.token_hash, now=desk.now)


def _place(code_hash: bytes) -> bytes:
    return b"sharing code " + code_hash
