"""A person decides about what a client asks for: how much of it, for which purpose, or not at all.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
https://profiles.ihe.net/ITI/IUA/

What is offered is what both the client and the person may have. It narrows only: consents decide what is then seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from anyio import to_thread

from consent.model import Purpose
from fhirstore import base64url
from passport.identity import clients, scopes
from passport.identity.authorization import families, notifying, store
from passport.identity.authorization.asking import Question, Wish
from passport.identity.authorization.core import Answer, Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.wanted import LAUNCH, LAUNCH_PATIENT, OFFLINE, left_of
from passport.identity.authorization.words import BESIDE, record_words
from passport.identity.login.factors import require_second
from passport.identity.login.sessions import LASTS, SignedIn
from passport.identity.persons import city_kind
from passport.identity.principals import UnknownPrincipal, principal, resident_concerned
from passport.identity.record_scopes import RecordScope, covered
from passport.outcomes import Refused
from passport.sharing.words import PURPOSES, Words
from passport.sql import fetch

CODE_LASTS: Final = timedelta(minutes=1)

LATELY: Final = timedelta(minutes=1)
"""How long ago a person may have signed in where a client asks that they do so now (`prompt=login`)."""

READING: Final = timedelta(minutes=10)
"""How long a person may take to decide."""

_NO_PATIENT: Final = Words(
    "このアプリは一人の患者の記録を求めていますが、どなたの記録かがわかりません。電子カルテで患者を開いてから、アプリを開き直してください。",
    "The app asks for the records of one patient and does not say whose. Open the patient in your records system, and "
    "the app from there.",
)
_NONE_LEFT: Final = Words(
    "このアプリが求めている記録のうち、あなたのサインインで許可できるものはありません。",
    "Of the records that the app asks for there is none that you can allow with this sign-in.",
)

_PATIENT: Final = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one person can allow of what a client asks for."""

    question: Wish
    person: SignedIn
    records: frozenset[RecordScope]
    purposes: tuple[str, ...]

    @property
    def beyond(self) -> list[str]:
        """What is asked for and cannot be allowed by this person."""
        return sorted(str(each) for each in self.question.wanted.records if not covered(each, self.records))

    @property
    def refused(self) -> Words | None:
        """Why there is nothing to allow, where records are asked for and this person can allow none of them."""
        if self.records or not self.question.wanted.records:
            return None
        launched = {LAUNCH, LAUNCH_PATIENT} & self.question.wanted.beside
        of_one = all(each.context == "patient" for each in self.question.wanted.records)
        return _NO_PATIENT if of_one and not launched and self.person.kind == "practitioner" else _NONE_LEFT

    @property
    def names_patient(self) -> bool:
        """Whether the person says whose records are to be opened, since they may be anybody's."""
        beside = self.question.wanted.beside
        return (
            LAUNCH_PATIENT in beside and LAUNCH not in beside and self.person.kind not in {"patient", "proxy"}
        )

    @property
    def as_json(self) -> dict[str, Any]:
        """What a page shows, in both languages, with what its answer has to carry."""
        client, person = self.question.client, self.person
        return {
            "client": {"client_id": client.client_id, "name": client.name, "subject": client.subject},
            "person": {
                "login": person.login,
                "subject": person.subject,
                "role": person.role,
                "kind": person.kind,
            },
            "refused": None if self.refused is None else self.refused.as_json(),
            "scopes": [
                {"scope": str(each), "means": record_words(each).as_json()} for each in sorted(self.records)
            ],
            "beside": [
                {"scope": each, "means": BESIDE[each].as_json()}
                for each in sorted(self.question.wanted.beside)
            ],
            "not_offered": self.beyond,
            "purposes": [
                {"purpose": each, "means": PURPOSES[Purpose(each)].as_json()} for each in self.purposes
            ],
            "names_patient": self.names_patient,
            "redirect_uri": self.question.redirect_uri,
            "csrf": person.csrf,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person says; `scopes` None is all that is offered."""

    allowed: bool
    purpose: str | None = None
    scopes: frozenset[str] | None = None
    patient: str | None = None


def offer(question: Wish, person: SignedIn) -> Offer:
    """What the person can allow."""
    own = scopes.contexts(person.kind, launched=bool({LAUNCH, LAUNCH_PATIENT} & question.wanted.beside))
    asked = (each for each in question.wanted.records if each.context in own)
    limit = question.fields.get("purpose_of_use")
    purposes = tuple(
        each
        for each in question.client.purposes
        if each in person.purposes and clients.may_ask_for(question.client, each) and limit in {None, each}
    )
    offered = Offer(question, person, left_of(asked, person.scopes), purposes)
    # There is no purpose for which nothing could be allowed.
    return offered if offered.refused is None else replace(offered, purposes=())


def must_sign_in(
    turn: Turn, question: Question, person: SignedIn | None, *, reading: timedelta = timedelta(0)
) -> bool:
    """Whether the person has to prove who they are before they are asked, `reading` being what they may take to answer.

    Raises:
        Refusal: the client wants nobody to be asked, and nothing is allowed unasked here.
    """
    prompt, age = question.fields.get("prompt"), question.fields.get("max_age")
    if prompt == "none":
        raise Refusal(
            "login_required" if person is None else "interaction_required",
            "expected a request that a person may be shown",
            redirect_uri=question.redirect_uri,
            state=question.fields.get("state"),
        )
    limits = [LATELY] if prompt == "login" else []
    limits += [timedelta(seconds=int(age))] if age is not None else []
    return person is None or not all(person.fresh(turn.now, limit + reading) for limit in limits)


async def decide(turn: Turn, question: Question, person: SignedIn, choice: Choice) -> Answer:
    """Carry the decision out: the address that the person is sent to, with a code or the refusal.

    Raises:
        Refused: the choice is none of those that were offered.
    """
    offered = offer(question, person)
    if question.pushed is not None:
        spent = {"request_hash": question.pushed, "client_id": question.client.client_id, "now": turn.now}
        if not await fetch(turn.connection, store.SPEND_PUSHED, spent):
            raise Refused("this was decided before")
    deciding = Deciding(question, await allowance(turn, offered, choice)) if choice.allowed else None
    answer: Answer = await to_thread.run_sync(
        question.server.create_authorization_response, question.grant.request, deciding, question.grant
    )
    answer.status = 303
    return answer


@dataclass(frozen=True, slots=True)
class Deciding:
    """What the person allowed; kept when the code for it is made."""

    question: Question
    allowed: families.Allowed

    async def keep(self, turn: Turn, code_hash: bytes) -> None:
        """Begin the family, and keep the code that leads to it."""
        client, fields = self.question.client, self.question.fields
        family_id = await families.begin(turn.runtime, turn.connection, client, self.allowed, now=turn.now)
        jkt = fields.get("dpop_jkt")
        params = {
            "code_hash": code_hash,
            "family_id": family_id,
            "client_id": client.client_id,
            "redirect_uri": self.question.redirect_uri,
            "challenge": fields["code_challenge"],
            "thumbprint": None if jkt is None else base64url.decode(jkt),
            "expires_at": turn.now + CODE_LASTS,
        }
        await fetch(turn.connection, store.PUT_CODE, params)
        await notifying.allowed(turn, self.allowed, client)


async def allowance(turn: Turn, offered: Offer, choice: Choice) -> families.Allowed:
    """What the person allows by their choice.

    Raises:
        InsufficientAuthentication: they need a second factor, and have shown one alone.
        Refused: it is none of what was offered, or they may not act any more.
    """
    require_second(turn.runtime.settings, offered.person)
    if offered.refused is not None:
        raise Refused(offered.refused.en)
    if choice.purpose is None or choice.purpose not in offered.purposes:
        raise Refused("expected one of the purposes that were offered")
    question, person = offered.question, offered.person
    texts = {str(each) for each in offered.records}
    chosen = texts if choice.scopes is None else choice.scopes & texts
    if choice.scopes is not None and not choice.scopes <= texts | question.wanted.beside:
        raise Refused("expected scopes of those that were offered")
    beside = question.wanted.beside if choice.scopes is None else question.wanted.beside & choice.scopes
    launch = await _launch(turn, offered, choice)
    allowed = families.Allowed(
        kind=person.kind,
        subject=person.subject,
        role=person.role,
        patient_key=person.patient_key,
        scopes=frozenset(chosen),
        beside=beside,
        purpose=choice.purpose,
        authenticated_at=person.authenticated_at,
        until=turn.now + families.OFFLINE_LASTS if OFFLINE in beside else person.authenticated_at + LASTS,
        nonce=question.fields.get("nonce"),
        launch=launch,
        login_id=person.login_id,
    )
    await _known(turn, allowed)
    return allowed


async def _known(turn: Turn, allowed: families.Allowed) -> None:
    """Let only somebody allow who may still act."""
    reference = allowed.subject if city_kind(allowed.subject) else allowed.role or allowed.subject
    try:
        turn.subject = await principal(
            turn.runtime,
            turn.connection,
            reference,
            purpose=allowed.purpose,
            scopes=allowed.scopes,
            now=turn.now,
        )
    except UnknownPrincipal:
        raise Refused("expected somebody who may act") from None


async def _launch(turn: Turn, offered: Offer, choice: Choice) -> Mapping[str, str]:
    """The patient in whose context the app begins: it opens nothing, and bounds a clinician's `patient/`.

    Who asks a resident for scopes of `patient/` is told whose they are, asked for or not.
    """
    person, beside = offered.person, offered.question.wanted.beside
    if LAUNCH in beside:
        return await _opened(turn, offered.question.fields.get("launch", ""), person)
    theirs = person.kind in {"patient", "proxy"} and any(
        each.context == "patient" for each in offered.records
    )
    if LAUNCH_PATIENT not in beside and not theirs:
        return {}
    if person.kind == "patient":
        return {"patient": person.subject.partition("/")[2]}
    if person.kind == "proxy":
        subject = await principal(
            turn.runtime, turn.connection, person.subject, purpose="", scopes=frozenset(), now=turn.now
        )
        key = await resident_concerned(turn.runtime, turn.connection, subject)
        rows = await fetch(turn.connection, store.PATIENT_ID, {"patient_key": key})
        return {"patient": rows[0].patient_id} if rows else {}
    named = _PATIENT.fullmatch(choice.patient or "")
    if named is None:
        raise Refused("expected the patient whose records are to be opened")
    return {"patient": named[1]}


async def _opened(turn: Turn, launch: str, person: SignedIn) -> Mapping[str, str]:
    """What the clinician's system has open.

    Raises:
        Refused: nothing that this very clinician has open in this role, or it was used.
    """
    taking = {
        "launch_hash": families.hashed(launch),
        "subject": person.subject,
        "role": person.role,
        "now": turn.now,
    }
    rows = await fetch(turn.connection, store.TAKE_LAUNCH, taking)
    if not rows:
        raise Refused("expected what the system of this clinician has open now")
    context: Mapping[str, str] = rows[0].context
    return context
