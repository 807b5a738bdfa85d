"""Whether anything lets a source hand a file over: some permit that could cover a record of those that files become.

http://hl7.org/fhir/R4/consent.html

Each record is asked about when it is written. Here it is only kept out who may store nothing of the kind, so that
nobody has files read, kept and reported on for a person who let them write something else.
"""

from typing import Final

from consent.compile import GrantEffect
from consent.grants import StandingGrant
from consent.model import Action
from consent.shape import Shape
from consent.systems import UNNAMED_EXCLUDED
from passport.admission import Desk
from passport.decision import decide

WRITTEN: Final = frozenset(
    {
        "AllergyIntolerance",
        "Condition",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
    }
)
"""The types of the records that a file becomes."""


async def may_hand_over(desk: Desk, patient_key: int) -> bool:
    """Whether a file about this patient could become anything: the caller's own, or as some consent lets them store."""
    standing = desk.standing
    if patient_key in standing.owns:
        return True
    decision = await decide(desk.runtime, desk.connection, standing, Action.COLLECT)
    signatures = [signature for signature in standing.groups if signature]
    return any(
        _could_cover(grant)
        for signature, grants in zip(signatures, decision.sight.groups, strict=True)
        for grant in grants
        if patient_key in standing.groups[signature]
    )


def _could_cover(grant: StandingGrant) -> bool:
    """Whether a permit asks for nothing of the request, and for no type, that rules every record of a file out."""
    shape = grant.shape
    if grant.effect != GrantEffect.PERMIT or shape is None:
        return False
    asked = all(grant.t_bits >> head & 1 for head in range(shape.heads))
    return asked and any(_could_match(shape, name) for name in WRITTEN)


def _could_match(shape: Shape, type_name: str) -> bool:
    return all(
        type_name in node.types or bool(node.categories)
        if node.classed
        else type_name not in UNNAMED_EXCLUDED
        for node in shape.nodes[: shape.heads]
    )
