"""Conditions: the search by which a write names its record.

http://hl7.org/fhir/R4/http.html#ccreate
http://hl7.org/fhir/R4/http.html#cond-update

A condition sees what its caller may read and nothing else. Two creations under the same condition come one after
the other, so that the second sees what the first one made; the lock is taken whatever the condition will find.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fhirstore.search.include import includes
from fhirstore.search.query import Query, parse_query
from fhirstore.search.result import RESULT
from fhirstore.search.test import SearchError
from fhirstore.types import ResourceType
from passport import query_strings
from passport.admission import Desk
from passport.disclosure.finding import Budget
from passport.disclosure.matching_records import matches
from passport.intake import claim
from passport.outcomes import Invalid, PreconditionFailed, Refused
from passport.pieces import MADE_FOR_NONE, Versions
from passport.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Condition:
    """A search that names the record of a write; `key` is one for equal conditions."""

    query: Query
    key: int


def condition_of(runtime: Runtime, type_: ResourceType, pairs: Sequence[tuple[str, str]]) -> Condition:
    """Read a condition.

    Raises:
        Invalid: it is no search of this type, or shapes a result instead of naming a record.
        PreconditionFailed: it asks for nothing, so that any record would match.
    """
    for name, _ in pairs:
        if name in RESULT or includes(name):
            raise Invalid(
                f"got `{name[:64]}` in a condition, expected parameters that name a record", (name[:64],)
            )
    if not pairs:
        raise PreconditionFailed("got a condition without parameters, expected one that names a record")
    settings = runtime.settings
    try:
        query = parse_query(
            (type_,),
            pairs,
            keys=runtime.keys,
            zone=settings.zone,
            base_urls=(settings.fhir_url,),
            sifting=True,
            now=runtime.clock(),
        )
    except SearchError as error:
        raise Invalid(str(error), (error.parameter,) if error.parameter else ()) from None
    asked = f"{type_.name}?{urlencode(sorted(query.echo))}"
    return Condition(query, runtime.keys.token(asked))


def pairs_of(text: str, type_: ResourceType) -> list[tuple[str, str]]:
    """The parameters of a condition as it stands in a header or an address, without or with its `?`.

    Raises:
        Invalid: it names another type than `type_`, or is not UTF-8.
    """
    head, mark, rest = text.strip().partition("?")
    if not mark or "=" in head:
        # A question mark that stands in a value begins nothing.
        return query_strings.pairs_of(text.strip())
    if head.rpartition("/")[2] not in ("", type_.name):
        raise Invalid(f"got a condition on another type, expected one on `{type_.name}`")
    return query_strings.pairs_of(rest)


async def claimed(desk: Desk, conditions: Collection[Condition]) -> None:
    """Let nobody else write under these conditions until the transaction ends."""
    if conditions:
        await claim(desk, *(condition.key for condition in conditions))


async def matched(
    desk: Desk, condition: Condition, *, gone: Collection[str] = (), budget: Budget | None = None
) -> str | None:
    """The reference of the one record that matches, None where there is none.

    `gone` are records that the same transaction deletes: they match no more. `budget` is what all of its conditions may
    look into together.

    Raises:
        PreconditionFailed: several match.
        Refused: an operator asks for a registration, of which no condition of theirs would find any.
    """
    if desk.subject.kind == "operator" and any(type_.is_patient for type_ in condition.query.types):
        raise Refused(
            "an operator reads no registration, so that a condition would find none and a second one be made: "
            "`/identity/duplicates` tells which are of one person"
        )
    found = [
        reference
        for reference in await matches(desk, condition.query, limit=2 + len(gone), budget=budget)
        if reference not in gone
    ]
    if len(found) > 1:
        raise PreconditionFailed(
            "got a condition that several records match, expected one that matches no more than one; "
            "nothing was written"
        )
    return found[0] if found else None


def check_unmatched(desk: Desk, type_: ResourceType, if_match: Versions | None) -> None:
    """Let a deletion whose condition matches nothing be done by that: a version of what is not there cannot be met.

    http://hl7.org/fhir/R4/http.html#3.1.0.7.1

    Raises:
        OutOfScope: the session may delete nothing of this type.
        PreconditionFailed: it is made for a version.
    """
    desk.require_reach("d", type_.name)
    if if_match is not None and if_match != MADE_FOR_NONE:
        raise PreconditionFailed
