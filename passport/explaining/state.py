"""A decision put into words: who asked, which consents were considered, and why each did or did not permit it.

http://hl7.org/fhir/R4/consent.html

A state is all that a decision is made of. The service makes one of what is in force now; whoever has one of another
time has it told in the same words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent.explain import Parts, explain, outline
from consent.explanation import Explanation, Outside, View, Weighed
from consent.model import Consent, Effect, Record, Request
from passport.explaining.facts import stored_parts
from passport.explaining.sentences import BECAUSE, BLOCKED, MAYBE_BLOCKED, Sentence, failing
from passport.records import written_instant


@dataclass(frozen=True, slots=True)
class State:
    """What a decision is made of.

    `own` are the registrations of the person who is told, whose consents these are, the policies among them;
    `record` is None where none is asked about, and then `type_name` may say of which type one would be. `parts` says
    how what is in a record takes facts from it.
    """

    consents: Sequence[Consent]
    request: Request
    own: frozenset[str]
    record: Record | None = None
    type_name: str | None = None
    parts: Parts = stored_parts

    def explanation(self) -> Explanation | None:
        """Why the record is or is not shown, without what other people decided; None without a record."""
        if self.record is None:
            return None
        return explain(self.consents, self.record, self.request, parts=self.parts).of(self.own)

    def considered(self) -> list[dict[str, Any]]:
        """Every grant and block that was considered, as JSON: what came of it, and why."""
        found = self.explanation()
        if found is None:
            weighed = outline(self.consents, self.request, self.type_name)
            return [told(one, recordless=True) for one in weighed]
        return [{**told(one), **_inside(view, found)} for view in views(found) for one in view.weighed]


def own_permit(found: Explanation) -> bool:
    """Whether the person who is told permits it, whatever others say whom the record names too."""
    if found.outside is not None:
        return found.permitted
    return all(view.permitted for view in found.views)


def views(found: Explanation | None) -> Iterator[View]:
    """The views of a record and of what it follows."""
    if found is not None:
        yield from found.views
        for target in found.follows:
            yield from views(target)


def _inside(view: View, found: Explanation) -> Mapping[str, Any]:
    """What the view is of, where it is not the record itself."""
    if view.record is found.record:
        return {}
    return {
        "of": {"type": view.record.type}
        | ({"reference": view.record.reference} if view.record.reference else {})
    }


def told(one: Weighed, *, recordless: bool = False) -> dict[str, Any]:
    """A grant or a block as JSON; `applies` is null where it is not known."""
    return {
        **named(one),
        "effect": str(one.effect),
        "applies": one.truth,
        "reasons": [
            {
                "path": path,
                "attribute": attribute or "provision",
                "text": failing(attribute, truth, recordless=recordless).as_json(),
            }
            for path, attribute, truth in one.failing()
        ],
    }


def named(one: Weighed) -> dict[str, Any]:
    """Which provision of which consent it is, and until when it holds."""
    until = one.until
    return {
        "consent": f"{one.consent.reference}/_history/{one.consent.version}",
        "policy": one.consent.patient is None,
        "path": one.path,
        **({} if until is None else {"until": written_instant(until)}),
    }


def because(found: Explanation) -> list[dict[str, Any]]:
    """What lets a record through: each grant once, or what settles it without one."""
    if found.outside is not None:
        return [{"text": BECAUSE[found.outside].as_json()}]
    listed = []
    for view in found.views:
        if view.outside in {Outside.OWN, Outside.FOLLOWS}:
            listed.append({"text": BECAUSE[view.outside].as_json()})
        listed += [{**named(one), "text": BECAUSE[None].as_json()} for one in view.because]
    return _once(listed)


def against(found: Explanation) -> list[dict[str, Any]]:
    """What keeps a record from being shown: blocks, and of the grants that name the caller what they lack."""
    if found.outside is not None:
        return [{"text": BECAUSE[found.outside].as_json()}]
    listed: list[dict[str, Any]] = []
    for view in found.views:
        if view.permitted:
            continue
        if view.outside is Outside.UNOPENED:
            listed.append({"text": BECAUSE[view.outside].as_json()})
        listed += [{**named(one), "text": _blocking(one).as_json()} for one in view.blocked]
        if not view.because and view.outside is None:
            listed += [told(one) for one in view.grants if _names_caller(one)]
    return _once(listed)


def _blocking(one: Weighed) -> Sentence:
    return BLOCKED if one.truth is True else MAYBE_BLOCKED


def _names_caller(one: Weighed) -> bool:
    """Whether the grant is for the caller, whatever else it lacks."""
    return one.effect is Effect.PERMIT and all(
        condition.truth is not False
        for step in one.steps
        for condition in step.conditions
        if condition.name == "actor"
    )


def _once(listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in listed:
        if one not in found:
            found.append(one)
    return found
