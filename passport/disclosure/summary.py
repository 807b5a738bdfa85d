"""What a summary of a patient may be made of, for this caller.

http://hl7.org/fhir/uv/ips/

Without the Patient there is no summary: a denied patient and an unknown one are answered alike, as when they are
read. What is hidden leaves no gap that could be told from what was never recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, cast, exists, func, literal, null, select, union_all

from consent.model import Action
from fhirmap.ips.sections import MEDICINES, NOT_SHOWN, OBSERVATION, PATIENT, STILL_TAKEN, TYPES
from fhirstore.compartment import everything as compartment
from fhirstore.compartment import summary as records
from fhirstore.compartment.question import DIRECTORY
from fhirstore.facts.reading import VITAL_SIGNS
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS
from passport.admission import Desk, Request, admitted
from passport.bundles import Entry
from passport.decision import Decision, decide
from passport.disclosure.everything import entry
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    UNKNOWN_PATIENT,
    audit_params,
    disclosed,
    kept,
    present,
    recorded,
)
from passport.disclosure.through import kin_of, through
from passport.outcomes import Invalid, NotFound
from passport.runtime import Runtime
from passport.subjects import Caller

RECENT: Final = timedelta(days=180)
"""How long a medicine that is no longer known to be taken stays in the summary."""

MOST_RECORDS: Final = 2_000
"""Records in one summary; it is shown whole or not at all."""

_NAMES: Final = (*BODY_COLUMNS, "type", "included", "time", "record_key")


class TooMany(Invalid):
    """The summary would leave something out."""

    def __init__(self) -> None:
        text = f"got a patient with more than {MOST_RECORDS} records of a summary, expected to ask for them by type"
        super().__init__(text, code="too-costly")


@dataclass(frozen=True, slots=True)
class Gathered:
    """The Patient, the records of the sections, and what of the directory they refer to."""

    patient: Entry
    records: tuple[Entry, ...]
    others: tuple[Entry, ...]


async def summary(runtime: Runtime, caller: Caller, patient: str, asked_as: str) -> Gathered:
    """What a summary of `patient` is made of.

    Raises:
        NotFound: the Patient is not there, or not for this caller.
        Refused: the session's scopes leave out a section.
        TooMany: there is more than a summary holds.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "summary", asked_as, about=patient)) as desk:
        desk.require_reach("s", *TYPES)
        decision = (await decide(runtime, desk.connection, desk.standing, Action.ACCESS)).by("s")
        kin = bool(kin_of(desk))
        prepared = kept(runtime, ("summary", kin, decision.structure), lambda: _statement(decision, kin=kin))
        rows = await disclosed(desk, prepared, _params(desk, decision))
    if rows and rows[0].many:
        raise TooMany
    return _gathered(desk, present(rows))


def _gathered(desk: Desk, rows: Sequence[Any]) -> Gathered:
    is_patient, runtime, seen_through = TYPE_NUMBERS[PATIENT], desk.runtime, through(desk)
    found = [entry(runtime, row) for row in rows if row.type == is_patient]
    if not found:
        raise NotFound
    return Gathered(
        patient=found[0],
        records=tuple(
            entry(runtime, row, seen_through) for row in rows if not row.included and row.type != is_patient
        ),
        others=tuple(entry(runtime, row) for row in rows if row.included),
    )


def _statement(decision: Decision, *, kin: bool) -> Select[Any]:
    permit, relied = decision.clause, decision.relied
    found = records.summary(permit, relied, kin=kin).cte("found")
    beside = compartment.supporting(found, permit, relied).cte("beside")
    many = select(func.count() > bindparam("most", type_=Integer)).select_from(found).scalar_subquery()
    whole = exists(select(found.c.record_key).where(found.c.type == bindparam("patient_type"))) & ~many
    shown = union_all(
        select(
            *compartment.columns(found), found.c.relied, found.c.time, literal(0, Integer).label("included")
        ).where(whole),
        select(
            *compartment.columns(beside),
            beside.c.relied,
            cast(null(), found.c.time.type).label("time"),
            literal(1, Integer).label("included"),
        ).where(whole),
    ).cte("shown")
    totals = select(many.label("many")).subquery("totals")
    rows = recorded(shown, totals, _NAMES, of_asked=False, before=(found, beside))
    return rows.order_by(shown.c.included, *records.in_order(shown))


def _params(desk: Desk, decision: Decision) -> Mapping[str, Any]:
    asked, keys = desk.standing.asked, desk.runtime.keys
    timeless = [name for name in TYPES if name not in (PATIENT, OBSERVATION, *MEDICINES)]
    readable = [name for name in DIRECTORY if desk.reaches("s", name)]
    return {
        **decision.params,
        **audit_params(desk, decision, [NOBODY if asked is None else asked], one=True),
        "asked": UNKNOWN_PATIENT if asked is None else asked,
        "kin": list(kin_of(desk)),
        "patient_type": TYPE_NUMBERS[PATIENT],
        "observation_type": TYPE_NUMBERS[OBSERVATION],
        "types": [TYPE_NUMBERS[name] for name in timeless],
        "medicine_types": [TYPE_NUMBERS[name] for name in MEDICINES],
        "supporting_types": sorted(TYPE_NUMBERS[name] for name in readable),
        "not_shown": [keys.token(word) for word in sorted(NOT_SHOWN)],
        "still_taken": [keys.token(word) for word in sorted(STILL_TAKEN)],
        "vital_categories": [keys.category(*VITAL_SIGNS), keys.implied_category(*VITAL_SIGNS)],
        "since": desk.now - RECENT,
        "most": MOST_RECORDS,
        "limit": MOST_RECORDS + 1,
    }
