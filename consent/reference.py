"""The reference: what consents permit, as short as their definition. The SQL gives the same answers.

http://hl7.org/fhir/R4/consent.html

A condition is True, False, or None for unknown (Kleene). Only True grants; everything but False blocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum, auto

from consent import systems
from consent.errors import ConsentError, UnknownRule
from consent.kleene import Truth, all_of, any_of, negated
from consent.model import Action, Coding, Consent, Data, Meaning, Provision, Purpose, Record, Request


class Role(Enum):
    """What a provision does where it stands; its absent attributes mean something else in each."""

    GRANTING = auto()  # a permit root, or a permit child of a deny root
    BLOCKING = auto()  # a deny root
    QUALIFYING = auto()  # a deny root once more, as a condition of the grants under it
    EXCEPTION = auto()  # everything else


def decide(consents: Iterable[Consent], record: Record, request: Request) -> bool:
    """Whether the consents permit the request on the whole record, for every patient that it names.

    An error while evaluating is a deny.
    """
    try:
        return _visible([consent for consent in consents if consent.counts], record, request)
    except ConsentError:
        return False


def _visible(consents: Sequence[Consent], record: Record, q: Request) -> bool:
    if record.type in systems.DIRECTORY and q.action is Action.ACCESS:
        return True
    follows = record.type in systems.FOLLOWING and bool(record.follows)
    if follows and not all(_followed(consents, target, record, q) for target in record.follows):
        return False
    parts = list(parts_of(record))
    return all(
        _permitted(consents, record, patient, q, follows)
        and all(_permitted(consents, part, patient, q) for part in parts)
        for patient in patients_of(record) or {None}
    )


def _followed(consents: Sequence[Consent], target: Record | None, by: Record, q: Request) -> bool:
    """It is there, stands lower than what follows it, and is visible."""
    return target is not None and height(target) < height(by) and _visible(consents, target, q)


def height(record: Record) -> int:
    """How high it stands: what follows others stands higher than these."""
    return systems.FOLLOWING.get(record.type, 0)


def patients_of(record: Record) -> frozenset[str | None]:
    """Everybody whom it or something in it names; each decides about the whole."""
    return record.patients.union(*(patients_of(part) for part in record.parts))


def parts_of(record: Record) -> Iterator[Record]:
    """What is contained in it at any depth, with the container's facts where it has none of its own."""
    for own in record.parts:
        labelled = own if own.confidentiality is not None or own.sensitivities else record
        # What the elements of an unread type would say is not known, whatever its container says.
        read = ("codes", "categories", "time", "authors") if own.type in systems.READ else ()
        part = replace(
            own,
            container=record.container or record.reference,
            confidentiality=labelled.confidentiality,
            sensitivities=labelled.sensitivities,
            source=record.source,
            **{
                fact: getattr(own, fact) or getattr(record, fact)
                for fact in ("reference", "references", *read)
            },
        )
        if part.type not in systems.DIRECTORY:
            yield part
        yield from parts_of(part)


def _permitted(
    consents: Sequence[Consent], record: Record, patient: str | None, q: Request, granted: bool = False
) -> bool:
    """Whether this patient's consents and the policies grant it, or need not, and none blocks it."""
    if patient in q.own:
        return True
    if q.purpose is Purpose.BTG and patient not in q.opened:
        return False
    roots = [consent.root for consent in consents if consent.root and consent.patient in {None, patient}]
    blocks = [_region(root, Role.BLOCKING, record, q) for root in roots if root.denies]
    granted = granted or any_of(grant for root in roots for grant in _grants(root, record, q)) is True
    return granted and any_of(blocks) is False


def _grants(root: Provision, record: Record, q: Request) -> Iterator[Truth]:
    if not root.denies:
        yield _region(root, Role.GRANTING, record, q)
        return
    for child in root.children:
        yield all_of((_match(root, Role.QUALIFYING, record, q), _region(child, Role.GRANTING, record, q)))


def _region(n: Provision, role: Role, record: Record, q: Request) -> Truth:
    below = Role.GRANTING if role is Role.BLOCKING else Role.EXCEPTION
    excepted = any_of(_region(child, below, record, q) for child in n.children)
    return all_of((_match(n, role, record, q), negated(excepted)))


def _match(n: Provision, role: Role, record: Record, q: Request) -> Truth:
    return all_of(truth for _, truth in conditions(n, role, record, q))


def conditions(n: Provision, role: Role, record: Record, q: Request) -> Iterator[tuple[str, Truth]]:
    """Each attribute by its name in `Consent.provision`, and whether it holds; an absent one mostly does."""
    purposes, actions = n.purposes, n.actions
    if not purposes and role in {Role.GRANTING, Role.BLOCKING}:
        purposes = frozenset(Purpose) - {Purpose.BTG}
    if not actions and role is Role.GRANTING:
        actions = frozenset({Action.ACCESS})
    yield "period", n.period is None or n.period.holds(q.at)
    yield "purpose", not purposes or q.purpose in purposes
    yield "action", not actions or q.action in actions
    yield "actor", not n.actors or any_of(_actor(n, role, reference, q) for reference in n.actors)
    unnamed = record.type not in systems.UNNAMED_EXCLUDED
    yield "class", any_of(_class(coding, record) for coding in n.classes) if n.classes else unnamed
    yield "code", not n.codes or any_of(_code(coding, record) for coding in n.codes)
    yield "securityLabel", _label(n, record)
    time = record.time
    yield "dataPeriod", n.data_period is None or (None if time is None else time.lies_in(n.data_period))
    yield "data", not n.data or any_of(_data(data, record) for data in n.data)


def _actor(n: Provision, role: Role, reference: str, q: Request) -> Truth:
    # An application can narrow what its user may do, never widen it.
    narrows = reference == q.client and n.denies and role is not Role.QUALIFYING
    if narrows or reference in q.actors:
        return True
    kind = reference.partition("/")[0]
    missing = kind in systems.COLLECTIVES and reference not in q.resolvable
    return None if missing or (q.unresolved and kind in systems.CHAINED) else False


def _class(coding: Coding, record: Record) -> Truth:
    if coding.system == systems.RESOURCE_TYPES:
        return coding.code == record.type
    return coding in record.categories if record.categories else None


def _code(coding: Coding, record: Record) -> Truth:
    if any(coding.system == carried.system for carried in record.codes):
        return coding in record.codes
    if record.type in systems.CODELESS:
        return False
    foreign = record.type in systems.SYSTEMS and coding.system not in systems.SYSTEMS[record.type]
    return False if foreign and record.codes else None


def _label(n: Provision, record: Record) -> Truth:
    if n.confidentiality and n.sensitivities:
        raise UnknownRule("got both kinds of labels in one provision, expected one")
    if not n.confidentiality and not n.sensitivities:
        return True
    if record.confidentiality is None:
        return None
    if n.sensitivities:
        return bool(n.sensitivities & record.sensitivities)
    if n.denies:
        return record.confidentiality >= min(n.confidentiality)
    return record.confidentiality <= max(n.confidentiality)


def _data(data: Data, record: Record) -> Truth:
    if data.meaning is Meaning.AUTHOREDBY:
        written = data.reference in record.authors or data.reference == record.source
        return True if written else False if record.authors else None
    itself = data.reference in {record.reference, record.container}
    return itself or (data.meaning is Meaning.DEPENDENTS and data.reference in record.references)
