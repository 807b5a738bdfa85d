"""A preview: what somebody would see if a person saved what they are about to save; counts, and the records.

http://hl7.org/fhir/R4/consent.html

Round trips, whatever there is of consents and records: the person's standing, the consents in force, the standing of
the onlooker and the counts (before, and after), the page, one look at what categories are called, and the audit row
with the COMMIT; on the first page what the warnings cost. What the onlooker's statements see is the onlooker's wall,
and is rolled back with everything else that they set.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import orjson

from consent.model import Action
from fhirstore.parse import serialise
from fhirstore.search.cursor import BadCursor, open_cursor, seal_cursor
from fhirstore.search.order import Place
from passport.admission import Request
from passport.audit.query import recorded
from passport.disclosure.cursors import cursor_context
from passport.disclosure.supposing import Supposed, SupposedPage, supposed_page
from passport.disclosure.weighing import Weighed, left_out, weigh
from passport.explaining.asked import Edit, Look
from passport.explaining.counts import Seen, counted
from passport.explaining.people import called, people_of
from passport.explaining.sentences import leaving_out
from passport.explaining.supposition import Supposition, named_consent, supposed
from passport.explaining.viewing import Viewing, viewing
from passport.explaining.warnings import warnings_of
from passport.outcomes import Invalid
from passport.records import written_instant
from passport.runtime import Runtime
from passport.subjects import Caller

VERB: Final = "preview"
ADDRESS: Final = "sharing/preview"

_BEFORE, _AFTER = 1, 2


async def preview(runtime: Runtime, caller: Caller, edit: Edit, look: Look) -> bytes:
    """What somebody would see once the edit is saved, as JSON.

    Raises:
        Refused: the caller is neither the person nor a proxy who may write these Consents.
        Invalid: a draft could not be saved, or what it replaces is no consent of this person in force.
        BadCursor: the cursor is not of this question and caller.
    """
    request = Request(Action.ACCESS, VERB, recorded("POST", ADDRESS), about=edit.patient)
    async with viewing(runtime, caller, request, patient=edit.patient, drafts=edit.drafts) as view:
        supposition = await supposed(view, edit)
        if look.actor in view.registrations.values():
            raise Invalid("got the person themselves, who sees their own records", ("actor",))
        after, context = _place(view, edit, look)
        told: dict[str, Any] = {
            "at": written_instant(view.desk.now),
            "patient": view.patient,
            "as": await _as(view, look),
        }
        if after is None:
            people = await people_of(supposition, [*supposition.before, *supposition.after])
            told["warnings"] = [one.as_json() for one in await warnings_of(supposition, people)]
        groups, page = await _looked(supposition, look, after)
        if after is None:
            found = await counted(view.whose, groups)
            ways: dict[str, Seen] = {
                "total": lambda seen: seen == _AFTER,
                "now": lambda seen: seen == _BEFORE,
            }
            told |= {way: found.total(seen) for way, seen in ways.items()}
            told["counts"] = found.by_type(ways)
            told["leftOut"] = leaving_out(await left_out(view.whose))
        told["records"] = [_record(one) for one in page.records]
        if page.last is not None:
            values, record_key = page.last
            told["next"] = seal_cursor(runtime.ring.cursor_secret, context, values, record_key)
        await view.end(_shown(page))
    return orjson.dumps(told)


async def _looked(
    supposition: Supposition, look: Look, after: Place | None
) -> tuple[list[Weighed], SupposedPage]:
    """What the onlooker sees now and then, counted on the first page, each behind the onlooker's own wall."""
    whose, groups = supposition.viewing.whose, []
    subject = supposition.subject(look.actor, look.purpose, look.client)
    async with supposition.viewing.desk.connection.transaction(force_rollback=True):
        if after is None:
            (now,) = await supposition.stand([supposition.case(subject, look.action, saved=False)])
            groups += [replace(each, seen=each.seen * _BEFORE) for each in await weigh(whose, [now.decision])]
        (then,) = await supposition.stand([supposition.case(subject, look.action, saved=True)])
        if after is None:
            groups += [replace(each, seen=each.seen * _AFTER) for each in await weigh(whose, [then.decision])]
        return groups, await supposed_page(whose, then.decision, look.count, after)


async def _as(view: Viewing, look: Look) -> dict[str, Any]:
    named = await called(view.desk, [look.actor])
    told = {"reference": look.actor, "purpose": str(look.purpose), "action": str(look.action)}
    return told | ({"name": named[look.actor]} if look.actor in named else {})


def _place(view: Viewing, edit: Edit, look: Look) -> tuple[Place | None, bytes]:
    """Where the page before ended; a cursor opens for the same question alone."""
    asked = {
        "patient": edit.patient,
        "drafts": list(edit.drafts),
        "replaces": list(edit.replaces),
        "look": [look.actor, str(look.purpose), str(look.action), look.client],
    }
    context = cursor_context(view.desk, b"preview\0" + sha256(serialise(asked)).digest())
    if look.cursor is None:
        return None, context
    try:
        return open_cursor(view.desk.runtime.ring.cursor_secret, context, look.cursor), context
    except BadCursor as error:
        raise Invalid(str(error), ("cursor",)) from None


def _record(one: Supposed) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "because": [named_consent(ref) for ref in one.grants],
        "resource": orjson.Fragment(one.body),
    }


def _shown(page: SupposedPage) -> dict[int, list[tuple[int, int]]]:
    """What the look showed, for each person whom it names."""
    shown: dict[int, list[tuple[int, int]]] = {}
    for one in page.records:
        for patient in one.named:
            shown.setdefault(patient, []).append((one.record_key, one.version))
    return shown
