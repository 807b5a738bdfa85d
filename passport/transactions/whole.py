"""A transaction: every entry is carried out, or none.

http://hl7.org/fhir/R4/http.html#trules

Deletions, creations, updates and patches become one write of the intake: the records that they name are different
ones, so the order that the specification gives them shows only in what conditions match. Whatever refuses one
entry refuses the whole, and tells no more than it would tell of the entry alone.
"""

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fhirstore.errors import UnknownType
from fhirstore.parse import Tree
from fhirstore.patch import read_fhirpath_patch, read_json_patch
from fhirstore.types import ResourceType, resource_type
from passport import intake
from passport.admission import Desk
from passport.conditions import (
    Condition,
    check_unmatched,
    claimed,
    condition_of,
    matched,
    pairs_of,
)
from passport.disclosure.finding import Budget
from passport.interactions import JSON_PATCH
from passport.outcomes import Invalid, NotAllowed, NotFound, PreconditionFailed, naming
from passport.pieces import Write, Written, misnamed
from passport.transactions.entries import Asked
from passport.transactions.linking import base_of, conditional_references, linked, place_of, unanswered
from passport.turns import in_pieces

MOST_LED_TO: Final = 1_000
"""Conditional references that differ in one transaction: each is a search."""


class TooManyConditions(Invalid):
    """The transaction has more conditional references than one request may ask for."""

    def __init__(self) -> None:
        text = f"got more than {MOST_LED_TO} different conditional references, expected no more"
        super().__init__(text, code="too-costly")


@dataclass(frozen=True, slots=True)
class Known:
    """What a conditional creation found: the record is there already."""

    reference: str


@dataclass(slots=True)
class _Plan:
    """What the entries name: by entry what is there already, and what stands for what.

    All conditions together may look into as many records as one search may.
    """

    known: dict[int, str | None] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


async def carry_out(
    desk: Desk, entries: Sequence[Asked], *, commit: bool
) -> dict[int, Written | Known | None]:
    """Carry out the writing entries; returns what became of each, None where there was nothing to delete.

    `commit` ends the transaction with them.

    Raises:
        PassportError: one of them cannot be carried out, and so none is.
    """
    patches = {}
    for one in entries:
        if one.method == "PATCH":
            with naming(one.place):
                patches[one.at] = _patch(one)
    conditions = {one.at: condition for one in entries if (condition := _condition(desk, one)) is not None}
    creating = [
        conditions[one.at] for one in entries if one.at in conditions and one.method in ("POST", "PUT")
    ]
    await claimed(desk, creating)
    plan = await _planned(desk, entries, conditions)
    await _name_conditions(desk, entries, plan)
    writes = {
        one.at: write
        async for one in in_pieces(entries)
        if (write := _write(one, plan, patches.get(one.at))) is not None
    }
    _check_apart(writes)
    written = await intake.write(desk, list(writes.values()), commit=commit) if writes else []
    if not writes:
        await intake.nothing_written(desk)
    done = dict(zip(writes, written, strict=True))
    return {one.at: done.get(one.at) or _untouched(one, plan) for one in entries}


def _untouched(one: Asked, plan: _Plan) -> Known | None:
    reference = plan.known.get(one.at)
    return None if reference is None else Known(reference)


def _type(one: Asked) -> ResourceType:
    last = one.path.rpartition("/")[2]
    if last.startswith("$") or last == "_search":
        raise Invalid(
            f"got `{last[:64]}` in a transaction, expected it in a batch or by itself",
            (f"{one.place}.request.url",),
            code="not-supported",
        )
    if one.type_ is None:
        raise UnknownType(one.path.partition("/")[0])
    if not one.type_.writable:
        raise NotAllowed("records of this type are written by the service alone", allowed=("GET",))
    if one.method == "POST" and one.id is not None:
        raise Invalid("got `POST` to a record, expected one to its type", (f"{one.place}.request.url",))
    if one.query and (one.id is not None or one.if_none_exist is not None):
        raise Invalid(
            "got parameters beside an id or a condition, expected none", (f"{one.place}.request.url",)
        )
    return one.type_


def _condition(desk: Desk, one: Asked) -> Condition | None:
    """The condition of an entry, None where it names its record, or none."""
    with naming(one.place):
        return _condition_of(desk, one, _type(one))


def _condition_of(desk: Desk, one: Asked, type_: ResourceType) -> Condition | None:
    if one.method == "POST":
        stated = one.query or None if one.if_none_exist is None else one.if_none_exist
        return None if stated is None else condition_of(desk.runtime, type_, pairs_of(stated, type_))
    return condition_of(desk.runtime, type_, one.pairs) if one.id is None else None


async def _planned(desk: Desk, entries: Sequence[Asked], conditions: Mapping[int, Condition]) -> _Plan:
    """Find what the conditions match, and name what will be created."""
    plan = _Plan()
    gone = await _deleted(desk, entries, conditions, plan)
    first: dict[int, int] = {}
    async for one in in_pieces(entries):
        condition = conditions.get(one.at) if one.method != "DELETE" else None
        if condition is not None and condition.key in first and one.method == "POST":
            # The same condition twice: the second finds what the first finds or makes.
            earlier = first[condition.key]
            plan.known[one.at] = plan.known.get(earlier) or f"{_type(one).name}/{plan.ids[earlier]}"
        elif condition is not None:
            # What is deleted and updated is refused; what is deleted and created anew is another record.
            left_out = gone if one.method == "POST" else ()
            with naming(one.place):
                plan.known[one.at] = await matched(desk, condition, gone=left_out, budget=plan.budget)
            if one.method != "PATCH":
                # A patch makes nothing that another entry could find.
                first[condition.key] = one.at
        if one.method in ("POST", "PUT") and one.id is None and plan.known.get(one.at) is None:
            stated = (one.tree or {}).get("id") if one.method == "PUT" else None
            plan.ids[one.at] = desk.runtime.new_id() if stated is None else str(stated)
        if one.full_url is not None:
            id_ = one.id or plan.ids.get(one.at)
            reference = plan.known.get(one.at) or (f"{_type(one).name}/{id_}" if id_ else None)
            if one.full_url in plan.named:
                raise Invalid("got a fullUrl twice, expected each once", (f"{one.place}.fullUrl",))
            if reference is not None:
                plan.named[one.full_url] = reference
    return plan


async def _deleted(
    desk: Desk, entries: Sequence[Asked], conditions: Mapping[int, Condition], plan: _Plan
) -> set[str]:
    """What the entries delete, by address or by condition: that goes first, and keeps no creation from being made."""
    gone: set[str] = set()
    async for one in in_pieces([one for one in entries if one.method == "DELETE"]):
        if one.at in conditions:
            with naming(one.place):
                plan.known[one.at] = await matched(desk, conditions[one.at], budget=plan.budget)
                if plan.known[one.at] is None:
                    check_unmatched(desk, _type(one), one.versions)
        reference = plan.known.get(one.at) or (f"{_type(one).name}/{one.id}" if one.id else None)
        gone |= {reference} if reference else set()
    return gone


async def _name_conditions(desk: Desk, entries: Sequence[Asked], plan: _Plan) -> None:
    """Find what conditional references lead to: one record that the caller may read, each.

    Raises:
        PreconditionFailed: one leads to none, or to several.
        TooManyConditions: there are more than one request may ask for.
        TooCostly: they would have to look into too many records.
    """
    led_to = 0
    async for one in in_pieces(entries):
        for written, type_name, query in conditional_references(one.tree):
            if written in plan.named:
                continue
            led_to += 1
            with naming(partial(place_of, one.tree, written, f"{one.place}.resource")):
                if led_to > MOST_LED_TO:
                    raise TooManyConditions
                plan.named[written] = await _led_to(desk, type_name, query, plan.budget)


async def _led_to(desk: Desk, type_name: str, query: str, budget: Budget) -> str:
    type_ = resource_type(type_name, sandbox=desk.runtime.settings.sandbox)
    condition = condition_of(desk.runtime, type_, pairs_of(query, type_))
    reference = await matched(desk, condition, budget=budget)
    if reference is None:
        raise PreconditionFailed("got a conditional reference that no record matches, expected one")
    return reference


def _write(one: Asked, plan: _Plan, patch: Callable[[Tree], Tree] | None) -> Write | None:
    """What the entry writes; None where it turned out to write nothing."""
    type_, known = _type(one), plan.known.get(one.at)
    place = f"{one.place}.resource"
    id_ = one.id or (known.partition("/")[2] if known else None)
    if one.method == "DELETE":
        return None if id_ is None else _deletion(one, type_, id_)
    if one.method == "PATCH":
        if id_ is None:
            with naming(one.place):
                raise NotFound
        return Write("update", type_.name, None, id_, one.versions, patch=patch, place=place)
    tree: Tree = linked(one.tree, plan.named, base_of(one.full_url, type_.name))
    # A Bundle that is stored has entries of its own, which its references lead to.
    if type_.name != "Bundle" and (lost := unanswered(tree)) is not None:
        text = f"got the temporary reference `{lost[:64]}`, expected the fullUrl of an entry"
        raise Invalid(text, (place_of(tree, lost, place),))
    if one.method == "POST":
        return None if known else Write("create", type_.name, tree, plan.ids[one.at], place=place)
    return _update(one, type_, tree, id_ or plan.ids[one.at], created=one.id is None and known is None)


def _deletion(one: Asked, type_: ResourceType, id_: str) -> Write:
    return Write("delete", type_.name, id=id_, if_match=one.versions, place=one.place)


def _update(one: Asked, type_: ResourceType, tree: Tree, id_: str, *, created: bool) -> Write:
    place, stated = f"{one.place}.resource", tree.get("id")
    if created and stated is None:
        return Write("create", type_.name, tree, id_, one.versions, place=place)
    if one.id is None and stated not in (None, id_):
        raise Invalid(misnamed(tree, f"`{id_}` of the record that matches, or none"), (f"{place}.id",))
    content = tree if one.id is not None else {**tree, "id": id_}
    return Write("update", type_.name, content, id_, one.versions, place=place)


def _check_apart(writes: Mapping[int, Write]) -> None:
    """Each record is written by one entry: of two it could not be said which comes first.

    Raises:
        Invalid: a record is named twice.
    """
    times = Counter(f"{write.type}/{write.id}" for write in writes.values())
    twice = [at for at, write in writes.items() if times[f"{write.type}/{write.id}"] > 1]
    if twice:
        text = "got a record that several entries write, expected each once"
        raise Invalid(text, [f"Bundle.entry[{at}].request.url" for at in twice])


def _patch(one: Asked) -> Callable[[Tree], Tree]:
    """The change of a patching entry: a FHIRPath Patch as it is, a JSON Patch in a Binary."""
    tree: Mapping[str, Any] = one.tree or {}
    if tree.get("resourceType") != "Binary":
        return read_fhirpath_patch(dict(tree))
    if tree.get("contentType") != JSON_PATCH:
        raise Invalid(
            f"got another content type, expected `{JSON_PATCH}`", (f"{one.place}.resource.contentType",)
        )
    try:
        return read_json_patch(b64decode(str(tree.get("data", "")), validate=True))
    except (binascii.Error, ValueError):
        raise Invalid("got data that are no base64, expected some", (f"{one.place}.resource.data",)) from None
