"""Standing: who is asking, and what the consents of the patients in question leave them; one statement.

http://hl7.org/fhir/R4/consent.html

The statement looks up the session, follows the caller's roles and memberships as they are now, compares the
request-facets of every grant of the patients in question, and sets the wall for the rest of the transaction:
only patients with any grant for these actors, the caller's own passport, the patient of this opening. It
answers one row per patient that the caller has anything of, so its cost grows with those and not with the
size of the passport.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from consent.compile import GrantEffect
from consent.model import Purpose
from fhirstore.tables import NOBODY
from passport.outcomes import Unauthenticated
from passport.remembering.basis import rests_on
from passport.sql import Connection, Cursor, fetch, start
from passport.standing_statement import CLOSER, STATEMENTS, SUPPOSED
from passport.subjects import Subject


class Held(NamedTuple):
    """One grant as it stands for this request: which nodes of its shape are True, and which are False."""

    effect: int
    shape_key: int
    trues: int
    falses: int


Signature = tuple[Held, ...]
"""What a patient's consents and the policies leave for this request; patients with the same one share SQL."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one caller may be shown, of whom, in one transaction.

    `groups` maps each signature to the patients that have it, nobody's records (key 0) included; `refs` are the
    consents behind a patient's signature, in its order. `everyone` tells that a policy reaches patients that are
    in no group. `named` are the patients that a request names, as far as they are here. `rests_on` is what a later
    request asks to learn that this is still so (see `passport.remembering`); nothing where only reading it anew tells.
    """

    subject: Subject
    actor_key: int
    groups: Mapping[Signature, tuple[int, ...]]
    refs: Mapping[int, tuple[str, ...]]
    policies: Signature
    everyone: bool
    named: tuple[int, ...]
    linked: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    rests_on: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> int | None:
        """The patient of a request that names one, None where it names none or an unknown one."""
        return self.named[0] if self.named else None

    @property
    def own(self) -> int | None:
        """The patient_key of the caller's own passport."""
        return self.subject.patient_key

    @property
    def owns(self) -> tuple[int, ...]:
        """The patient_keys of all that is registered of the caller: most often their own passport, or nothing."""
        return () if self.own is None else tuple(self.linked.get(self.own, {self.own: ""}))

    @property
    def shared_with(self) -> bool:
        """Whether whoever is in question is nobody, the caller, or a patient who permits them anything of their own."""
        return bool(self.named) and all(map(self._shared_by, self.named))

    def signature_towards(self, patient: int) -> Signature:
        """What their consents and the policies leave the caller, in the order of `refs`; empty if there is none."""
        return next((held for held, patients in self.groups.items() if patient in patients), ())

    def _shared_by(self, patient: int) -> bool:
        if patient == NOBODY or patient in self.owns:
            return True
        theirs = self.signature_towards(patient)
        return any(held.effect == GrantEffect.PERMIT for held in theirs[: len(theirs) - len(self.policies)])

    @property
    def unnamed(self) -> frozenset[int]:
        """The patient_keys that came along with those in question, as registrations of the same person."""
        return frozenset(key for kin in self.linked.values() for key in kin).difference(self.linked)

    def registrations_of(self, patient: str) -> frozenset[str]:
        """All registrations of the person whose Patient this is, as references; nothing where there is one."""
        kin = next((each for each in self.linked.values() if patient in each.values()), {})
        return frozenset(kin.values())

    def seen_with(self, patient_key: int) -> Mapping[int, str]:
        """All registrations of the same person by patient_key, as references; nothing where there is one."""
        return self.linked.get(patient_key, {})


async def stand(connection: Connection, params: Mapping[str, Any], *, bearer: bool, anyone: bool) -> Standing:
    """Run the statement inside the open transaction; every later statement of it is behind the wall.

    Raises:
        Unauthenticated: the token is unknown, ended or expired.
    """
    return await standing_in(await ask(connection, params, bearer=bearer, anyone=anyone))


@dataclass(frozen=True, slots=True)
class Asking:
    """A statement that was sent, and what it takes to ask more closely."""

    cursor: Cursor
    connection: Connection
    params: Mapping[str, Any]
    bearer: bool
    anyone: bool


async def ask(connection: Connection, params: Mapping[str, Any], *, bearer: bool, anyone: bool) -> Asking:
    """Send the statement, in a pipeline with what stands before it; `standing_in` reads what came."""
    cursor = await start(connection, STATEMENTS[bearer, anyone], params)
    return Asking(cursor, connection, params, bearer, anyone)


async def standing_in(asking: Asking) -> Standing:
    """The standing that was asked for.

    Raises:
        Unauthenticated: the token is unknown, ended or expired.
    """
    row = await asking.cursor.fetchone()
    if row is not None and row.closer:
        cursor = await start(asking.connection, CLOSER[asking.bearer], asking.params)
        row = await cursor.fetchone()
    if row is None:
        raise Unauthenticated(presented=asking.bearer)
    standing = _standing(row, anyone=asking.anyone)
    return replace(standing, rests_on=rests_on(row, asking.params["now"])) if asking.bearer else standing


class Supposed(NamedTuple):
    """How somebody who is not here would stand, whom they act for (keys), and whether that is all that is known."""

    standing: Standing
    actors: frozenset[int]
    unresolved: bool


async def suppose(connection: Connection, params: Mapping[str, Any]) -> list[Supposed]:
    """How each case of `SUPPOSED` would stand, in their order; the wall is left where the last one has it."""
    return [
        Supposed(_standing(row, anyone=False), frozenset(row.actors), row.unresolved)
        for row in await fetch(connection, SUPPOSED, params)
    ]


def _standing(row: Any, *, anyone: bool) -> Standing:
    held: dict[int, list[Held]] = {}
    refs: dict[int, list[str]] = {}
    columns = (
        row.grant_patients,
        row.grant_effects,
        row.grant_shapes,
        row.grant_trues,
        row.grant_falses,
        row.grant_refs,
    )
    # In one order, so that patients who consented alike share a signature.
    for patient, effect, shape, trues, falses, ref in sorted(
        zip(*(each or () for each in columns), strict=True)
    ):
        held.setdefault(patient, []).append(Held(effect, shape, int(trues), int(falses)))
        refs.setdefault(patient, []).append(ref)
    policies, policy_refs = tuple(held.pop(NOBODY, ())), refs.get(NOBODY, [])
    # Grants are looked up of whoever is in question alone.
    patients = {NOBODY, *(row.asked or ())}
    if row.purpose == Purpose.BTG:
        # An opening is for one patient: what names nobody is not that patient's.
        patients -= {NOBODY}
    groups: dict[Signature, list[int]] = {}
    for patient in sorted(patients):
        signature = (*held.get(patient, ()), *policies)
        groups.setdefault(signature, []).append(patient)
        if patient != NOBODY:
            refs[patient] = [*refs.get(patient, ()), *policy_refs]
    return Standing(
        subject=_subject(row),
        actor_key=row.actor_key,
        groups={signature: tuple(patients) for signature, patients in groups.items()},
        refs={patient: tuple(listed) for patient, listed in refs.items()},
        policies=policies,
        everyone=bool(row.everyone) and anyone,
        named=tuple(row.about_patients or ()),
        linked=_linked(row),
    )


def _linked(row: Any) -> dict[int, dict[int, str]]:
    linked: dict[int, dict[int, str]] = {}
    columns = (each or () for each in (row.kin_of, row.kin, row.kin_ids))
    for patient, other, id_ in zip(*columns, strict=True):
        linked.setdefault(patient, {})[other] = f"Patient/{id_}"
    return linked


def _subject(row: Any) -> Subject:
    return Subject(
        kind=row.kind,
        reference=row.subject,
        role=row.role,
        client=row.client,
        patient_key=row.patient_key,
        patient=row.subject if row.kind == "patient" else None,
        purpose=row.purpose,
        scopes=frozenset(row.scopes),
        session_id=row.session_id,
        opened_patient_key=row.opened_patient_key,
        registrations=tuple(_linked(row).get(row.patient_key, {}).values()) if row.kin else (),
    )
