"""Whether a caller may read one record, for an answer that would tell something of it; it shows nothing itself.

http://hl7.org/fhir/R4/http.html#read
"""

from sqlalchemy import select

from consent.model import Action
from fhirstore import reads
from fhirstore.types import TYPE_NUMBERS
from passport.admission import Desk
from passport.decision import decide
from passport.disclosure.recorded import UNKNOWN_PATIENT, kept
from passport.sql import fetch


async def may_see(desk: Desk, reference: str) -> bool:
    """Whether the consents, and the session's scopes, let the caller read this record of the patient in question.

    The request's own action has to be access. A record that is denied costs what one that is not there costs.
    """
    type_name = reference.partition("/")[0]
    decision = await decide(desk.runtime, desk.connection, desk.standing, Action.ACCESS)
    typed = decision.by("r").of(type_name)
    prepared = kept(
        desk.runtime,
        ("may see", type_name, decision.structure),
        lambda: select(reads.visible(typed.clause).scalar_subquery().label("visible")),
    )
    asked = desk.standing.asked
    record = {
        "asked": UNKNOWN_PATIENT if asked is None else asked,
        "record_key": desk.runtime.keys.reference(reference),
        "type": TYPE_NUMBERS[type_name],
    }
    (row,) = await fetch(desk.connection, prepared, {**decision.params, **record})
    return bool(row.visible)
