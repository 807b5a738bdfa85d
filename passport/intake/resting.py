"""What the pieces of a write rest on: the standings by which they are judged, learnt before anything is stored.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from consent.compile import GrantEffect
from consent.model import Action
from passport.admission import Desk
from passport.authority import Basis
from passport.outcomes import Refused
from passport.pieces import Piece, resting
from passport.standing import Standing


@dataclass(frozen=True, slots=True)
class Hope:
    """The patients of whom anything can be let through at all; None means that nobody was asked.

    Whoever granted nothing is taken for somebody who is not here, so that both cost the same work.
    """

    patients: frozenset[int] | None = None

    def holds(self, patient_key: int) -> bool:
        """Whether something of this patient can be let through."""
        return self.patients is None or patient_key in self.patients

    @classmethod
    def of(cls, standing: Standing) -> "Hope":
        """The hope that a standing leaves."""
        if standing.everyone:
            return cls()
        granted = {
            patient
            for signature, patients in standing.groups.items()
            if any(held.effect == GrantEffect.PERMIT for held in signature)
            for patient in patients
        }
        return cls(frozenset(granted.union(standing.owns)))


ANYBODY: Final = Hope()


@dataclass(frozen=True, slots=True)
class Rest:
    """The standing for each action that a piece rests on, and the hope that it leaves."""

    standings: Mapping[Action, Standing]
    hopes: Mapping[Action, Hope]

    def hope(self, piece: Piece) -> Hope:
        """Of whom the piece may speak; what rests on no consent is bound by other rules."""
        action = resting(piece)
        return ANYBODY if action is None else self.hopes[action]

    def standing(self, action: Action, registered: Sequence[int]) -> Standing:
        """The standing for an action; who was registered by this write consented to nothing but the policies."""
        standing = self.standings[action]
        if not registered or standing.everyone:
            return standing
        with_policies = (*standing.groups.get(standing.policies, ()), *registered)
        theirs = standing.refs.get(0, ())
        return replace(
            standing,
            groups={**standing.groups, standing.policies: with_policies},
            refs={**standing.refs, **dict.fromkeys(registered, theirs)},
            rests_on={},
        )


async def rest_of(desk: Desk, pieces: Sequence[Piece]) -> Rest:
    """Learn the standings towards everybody whom the pieces name.

    Raises:
        Refused: there is a new record that no consent can permit, whatever it says.
    """
    asking = [piece for piece in pieces if resting(piece) is not None]
    beside = {piece.reference for piece in pieces}
    named = {
        name
        for piece in pieces
        if piece.on in (Basis.CONSENT, Basis.OWN)
        for name in (*piece.facts.patients, *piece.facts.follows)
    } - beside
    actions = dict.fromkeys(action for piece in asking if (action := resting(piece)) is not None)
    if not actions:
        # Nothing will be asked of a consent, but the wall has to stand open for whom the content names.
        await desk.standing_for(desk.request.action, *sorted(named))
    standings = {action: await desk.standing_for(action, *sorted(named)) for action in actions}
    rest = Rest(standings, {action: Hope.of(standing) for action, standing in standings.items()})
    if any(piece.creates and rest.hope(piece).patients == frozenset() for piece in asking):
        raise Refused
    return rest
