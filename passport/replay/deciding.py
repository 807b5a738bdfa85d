"""One record decided again: by what stands outside of the consents, else by the reference.

http://hl7.org/fhir/R4/consent.html

Whose permits have ended because they died is a matter of the law of the place, and no consent's. For them the
reference is asked twice: whether others permit it, and whether anything that they said blocks it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from consent import systems
from consent.model import Action, Coding, Consent, Effect, Provision, Purpose, Record, Request, Status
from consent.reference import decide
from fhirstore.tables import NOBODY
from passport.replay.caller import Caller, caller_of, request_of
from passport.replay.facts import Reading, sources_of
from passport.replay.past import Past, Stored, names
from passport.replay.row import Row
from passport.subjects import CITY

CONSENT: Final = "Consent"
OWN: Final = "the caller's own passport"
_READING_NO_PROPOSALS: Final = CITY | {"patient"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a record was permitted, and by what: consents in their versions, or a rule beside them."""

    permitted: bool
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What bears on the records of some patients: consents, the request under them, of whom permits had ended."""

    consents: Sequence[Consent]
    request: Request | None
    ended: frozenset[str]
    reading: Reading


@dataclass(frozen=True, slots=True)
class Bench:
    """All that one row's decisions are made of; with `own` what its transaction wrote itself is there for them."""

    past: Past
    caller: Caller
    own: bool = False
    _settled: dict[tuple[frozenset[int], Action], Settled] = field(default_factory=dict)

    async def decide(self, stored: Stored, action: Action) -> Verdict:
        """Whether the caller was permitted this on a version.

        Raises:
            Forgotten: something that it was decided on was erased.
        """
        if (outside := self._outside(stored, action)) is not None:
            return Verdict(permitted=True, by=(outside,))
        settled = await self._settle(stored.homes, action)
        if settled.request is None:
            return Verdict(permitted=False)
        record = await settled.reading.record(stored)
        permitted = decided(settled.consents, record, settled.request, settled.ended)
        # Each row of the log is one patient's, and names what that patient permitted it by.
        row = self.past.row
        holder = (await self.past.registered({row.patient_key})).get(row.patient_key)
        if holder in settled.request.own:
            return Verdict(permitted, (OWN,))
        living = [one for one in settled.consents if one.patient not in settled.ended]
        return Verdict(permitted, tuple(relied(living, _alone(record, holder), settled.request)))

    async def _settle(self, homes: frozenset[int], action: Action) -> Settled:
        if (homes, action) not in self._settled:
            consents = await self.past.consents(homes)
            self._settled[homes, action] = Settled(
                consents,
                await request_of(self.past, self.caller, action, consents),
                await self._ended(homes),
                Reading(self.past, self._sources(consents), own=self.own),
            )
        return self._settled[homes, action]

    def _outside(self, stored: Stored, action: Action) -> str | None:
        """The rule that lets it through whatever the consents say."""
        written = stored.source == self._actor_key
        consent = stored.type_name == CONSENT
        if stored.type_name in systems.DIRECTORY and action is Action.ACCESS:
            return "the directory is readable"
        if self.caller.kind == "operator" and stored.patient_key == NOBODY and (written or not consent):
            return "an operator's office"
        proposed = consent and written and stored.tree.get("status") == Status.PROPOSED
        if action is Action.ACCESS and proposed and self.caller.kind not in _READING_NO_PROPOSALS:
            return "its requester's own proposal"
        return None

    def wrote(self, stored: Stored) -> bool:
        """Whether the caller is the source that wrote a version, by whichever registration of theirs."""
        keys = self.past.runtime.keys
        return stored.source in {keys.reference(one) for one in (self.caller.start or "", *self.caller.own)}

    async def _ended(self, patient_keys: Collection[int]) -> frozenset[str]:
        """Of whom the permits had ended because they had died."""
        linger = _linger(self.past.row, self.caller, self.past)
        keys = sorted(set(patient_keys) - {NOBODY})
        if linger is None or not keys:
            return frozenset()
        deaths, registered = await self.past.deaths(keys), await self.past.registered(keys)
        at = self.past.row.at
        return frozenset(
            registered[key] for key in keys if any(since + linger <= at for since in deaths[key])
        )

    @property
    def _actor_key(self) -> int:
        return self.past.runtime.keys.reference(self.caller.start or "")

    def _sources(self, consents: Iterable[Consent]) -> dict[int, str]:
        return dict(names(self.past, sources_of(consents, self.caller.start)))


async def bench_of(past: Past, *, own: bool = False) -> Bench:
    """What a row's decisions are made of; with `own` what its transaction wrote itself is there for them.

    Raises:
        Forgotten: the caller was a patient who was erased.
    """
    return Bench(past, await caller_of(past), own)


def named(consent: Consent) -> str:
    """A consent in its version, as the log names it."""
    return f"{consent.reference}/_history/{consent.version}"


def relied(consents: Iterable[Consent], record: Record, request: Request) -> list[str]:
    """The consents that each by itself permit a record, in their versions."""
    return sorted(named(one) for one in consents if decide([one], record, request))


def decided(
    consents: Sequence[Consent], record: Record, request: Request, ended: Collection[str] = ()
) -> bool:
    """What the reference says; of the patients in `ended` nothing permits any more, and everything blocks as before."""
    if not ended:
        return decide(consents, record, request)
    by_others = [one for one in consents if one.patient not in ended]
    unblocked = [*consents, *map(_everything, sorted(ended))]
    return decide(by_others, record, request) and decide(unblocked, record, request)


def _everything(patient: str) -> Consent:
    """A consent that permits this request whatever it is about, so that only what blocks is left to say."""
    root = Provision(
        effect=Effect.PERMIT,
        purposes=frozenset(Purpose),
        actions=frozenset(Action),
        classes=frozenset(Coding(systems.RESOURCE_TYPES, name) for name in systems.TYPES),
    )
    return Consent(reference="", version=0, patient=patient, status=Status.ACTIVE, root=root)


def _alone(record: Record, holder: str | None) -> Record:
    """What one grant is compared with: the record without what is in it, as that of its holder alone."""
    return replace(record, parts=(), follows=(), patients=frozenset({holder} if holder else ()))


def _linger(row: Row, caller: Caller, past: Past) -> timedelta | None:
    """How long permits outlived their giver for this caller, None where they did for good."""
    if row.rules is None:
        settings = past.runtime.settings
        return settings.proxies_linger if caller.kind == "proxy" else settings.grants_linger
    seconds = row.rules.proxies_linger if caller.kind == "proxy" else row.rules.grants_linger
    return None if seconds is None else timedelta(seconds=seconds)
