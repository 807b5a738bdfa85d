"""Why the reference decides as it does: every provision that was considered, and what came of each condition.

http://hl7.org/fhir/R4/consent.html

The same words as in `consent.reference`: it decides, this tells how. The outcome of the whole is the reference's own,
which a test holds it against.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from consent import systems
from consent.errors import ConsentError
from consent.explanation import Condition, Explanation, Outside, Step, View, Weighed
from consent.kleene import all_of, negated
from consent.model import Action, Consent, Effect, Provision, Purpose, Record, Request
from consent.reference import Role, conditions, height, parts_of, patients_of

ROOT: Final = "Consent.provision"
"""The path of a root provision."""

OF_REQUESTS: Final = frozenset({"period", "purpose", "action", "actor"})
"""The attributes that are known without a record."""

_ATTRIBUTES: Final = {
    "period": "period",
    "purpose": "purposes",
    "action": "actions",
    "actor": "actors",
    "class": "classes",
    "code": "codes",
    "dataPeriod": "data_period",
    "data": "data",
}

Parts = Callable[[Record], Iterable[Record]]
"""The parts of a record with the facts that they take from it."""


def explain(
    consents: Iterable[Consent], record: Record, request: Request, *, parts: Parts = parts_of
) -> Explanation:
    """How the consents decide about the whole record.

    Args:
        consents: all of the patients that it names, and the policies.
        record: the record; `parts` yields what is inside of it.
        request: who asks, why, for what, and when.
        parts: how parts take facts from their container, where that was not done before.

    Returns:
        An explanation whose `permitted` is what `consent.reference.decide` says.
    """
    try:
        return _explained([one for one in consents if one.counts], record, request, parts)
    except ConsentError:
        return Explanation(record, permitted=False, outside=Outside.FAULT)


def outline(
    consents: Iterable[Consent], request: Request, type_name: str | None = None
) -> tuple[Weighed, ...]:
    """What a request meets before any record is looked at: its record conditions are unknown.

    Args:
        consents: those that are considered.
        request: who asks, why, for what, and when.
        type_name: the type that was asked for, where there was one.
    """
    record = Record(type=type_name or "", reference=None)
    known = OF_REQUESTS if type_name is None else OF_REQUESTS | {"class"}
    try:
        return tuple(_weighed([one for one in consents if one.counts], record, request, known))
    except ConsentError:
        return ()


def _explained(consents: Sequence[Consent], record: Record, q: Request, parts: Parts) -> Explanation:
    if record.type in systems.DIRECTORY and q.action is Action.ACCESS:
        return Explanation(record, permitted=True, outside=Outside.DIRECTORY)
    following = record.type in systems.FOLLOWING and bool(record.follows)
    targets = tuple(
        None if target is None else _explained(consents, target, q, parts)
        for target in (record.follows if following else ())
    )
    if not all(one is not None and one.permitted and height(one.record) < height(record) for one in targets):
        return Explanation(record, permitted=False, outside=Outside.LOST, follows=targets)
    inside = list(parts(record))
    views = tuple(
        view
        for patient in sorted(patients_of(record), key=str) or [None]
        for view in (
            _view(consents, record, patient, q, following=following),
            *(_view(consents, part, patient, q) for part in inside),
        )
    )
    return Explanation(record, all(view.permitted for view in views), None, views, targets)


def _view(
    consents: Sequence[Consent], record: Record, patient: str | None, q: Request, *, following: bool = False
) -> View:
    if patient in q.own:
        return View(patient, record, permitted=True, outside=Outside.OWN)
    if q.purpose is Purpose.BTG and patient not in q.opened:
        return View(patient, record, permitted=False, outside=Outside.UNOPENED)
    named = [consent for consent in consents if consent.patient in {None, patient}]
    weighed = tuple(_weighed(named, record, q))
    outside = Outside.FOLLOWS if following else None
    view = View(patient, record, permitted=False, outside=outside, weighed=weighed)
    return replace(view, permitted=bool(following or view.because) and not view.blocked)


def _weighed(
    consents: Iterable[Consent], record: Record, q: Request, known: Collection[str] | None = None
) -> Iterator[Weighed]:
    """Every grant and every block; `known` are the attributes that can be told, None for all of them."""
    for consent in consents:
        root = consent.root
        if root is None:
            continue
        if not root.denies:
            step = _step(root, Role.GRANTING, ROOT, record, q, known)
            yield Weighed(consent, Effect.PERMIT, (step,), step.region)
            continue
        step = _step(root, Role.BLOCKING, ROOT, record, q, known)
        yield Weighed(consent, Effect.DENY, (step,), step.region)
        head = _step(replace(root, children=()), Role.QUALIFYING, ROOT, record, q, known)
        for granting in step.exceptions:
            truth = all_of((head.matched, granting.region))
            yield Weighed(consent, Effect.PERMIT, (head, granting), truth)


def _step(
    n: Provision, role: Role, path: str, record: Record, q: Request, known: Collection[str] | None
) -> Step:
    below = Role.GRANTING if role is Role.BLOCKING else Role.EXCEPTION
    found = tuple(_known(n, Condition(*one), known) for one in conditions(n, role, record, q))
    matched = all_of(one.truth for one in found)
    exceptions = tuple(
        _step(child, below, f"{path}.provision[{place}]", record, q, known)
        for place, child in enumerate(n.children)
    )
    region = all_of((matched, *(negated(one.region) for one in exceptions)))
    return Step(path, n, found, matched, exceptions, region)


def _known(n: Provision, condition: Condition, known: Collection[str] | None) -> Condition:
    if known is None or condition.name in known or not _names(n, condition.name):
        return condition
    return Condition(condition.name, None)


def _names(n: Provision, attribute: str) -> bool:
    if attribute == "class":
        # A provision without class leaves some types out.
        return True
    if attribute == "securityLabel":
        return bool(n.confidentiality or n.sensitivities)
    found = getattr(n, _ATTRIBUTES[attribute])
    return bool(found) if isinstance(found, frozenset) else found is not None
