"""Receipts as they are asked for: the versions of a consent that the caller may read, made into one, and signed.

https://www.iso.org/standard/80392.html

A receipt is a disclosure of the consent: it is decided and recorded as its history is, and whoever may not read the
consent is answered as if there were none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from consent.model import Action, Consent
from consent.read import read_consent
from fhirstore.parse import Tree, parse
from fhirstore.search.history import Changes
from fhirstore.search.result import MAX_COUNT
from fhirstore.tables import NOBODY
from fhirstore.types import resource_type
from passport.admission import Desk, Request, admitted
from passport.audit.authors import Author, authors_of
from passport.audit.query import recorded
from passport.authority import Basis
from passport.disclosure import Asked, Shown, changes
from passport.outcomes import NotFound
from passport.receipts.content import ADDRESS, listed, receipt
from passport.receipts.events import Version
from passport.receipts.jws import signed
from passport.receipts.scope import recipients
from passport.runtime import Runtime
from passport.sharing.roles import names_of
from passport.subjects import Caller

TYPE: Final = "Consent"
_AT_THE_DESK: Final = Basis.DESK.name.lower()
_BY_SHARING: Final = "POST sharing/"
_ALL: Final = Changes(since=None, at=None, count=MAX_COUNT, cursor=None, echo=())


async def receipts(runtime: Runtime, caller: Caller) -> list[dict[str, Any]]:
    """What receipts there are of the consents that the caller may read, the newest first.

    Raises:
        Refused: the session's scopes do not reach Consent.
    """
    shown = await _versions(runtime, caller, Asked(resource_type(TYPE)), recorded("GET", ADDRESS))
    told = [
        one
        for reference, versions in _by_consent(shown)
        if _is_somebodys(versions)
        for one in listed(versions, reference, runtime.settings)
    ]
    return sorted(told, key=lambda one: (one["event_time"], one["receipt"]), reverse=True)


async def signed_receipt(
    runtime: Runtime, caller: Caller, id_: str, version: int | None
) -> tuple[bytes, Tree]:
    """The receipt of one version of a consent, the last one of which there is one: signed, and what it says.

    Raises:
        NotFound: there is no such consent or version, or not for this caller, or it neither gave nor took back.
        Refused: the session's scopes do not reach Consent.
    """
    reference = f"{TYPE}/{id_}"
    asked = Asked(resource_type(TYPE), id_)
    versions = _told(await _versions(runtime, caller, asked, recorded("GET", f"{ADDRESS}/{id_}")))
    if version is None:
        there = listed(versions, reference, runtime.settings)
        version = there[-1]["version"] if there else 0
    upto = [one for one in versions if one.number <= version]
    if not upto or upto[-1].number != version:
        raise NotFound
    query = recorded("GET", f"{ADDRESS}/{id_}")
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", query, about=reference)) as desk:
        upto = await _authored(desk, upto, reference)
        names = await names_of(desk, _recipients(upto, reference, runtime))
    content = receipt(upto, reference, runtime.settings, names)
    return signed(content, runtime.ring.signing_keys), content


async def _versions(runtime: Runtime, caller: Caller, asked: Asked, query: str) -> list[Shown]:
    """All versions that the caller may read; most have few, and they come at once."""
    question, found = _ALL, list[Shown]()
    while True:
        page = await changes(runtime, caller, asked, question, query, ADDRESS.encode())
        found += page.shown
        if page.cursor is None:
            return found
        question = replace(question, cursor=page.cursor)


async def _authored(desk: Desk, versions: Sequence[Version], reference: str) -> list[Version]:
    """The versions with who wrote each; what two clerks recorded was said by whom it names."""
    written = [one.written for one in versions]
    known = await authors_of(
        desk, NOBODY if desk.standing.asked is None else desk.standing.asked, reference, written
    )
    return [_by(one, known.get(one.number)) for one in versions]


def _by(version: Version, author: Author | None) -> Version:
    if author is None:
        return version
    if author.rests == _AT_THE_DESK:
        return replace(version, by=_patient(version), shown=True)
    return replace(version, by=author.reference, shown=author.query.startswith(_BY_SHARING))


def _patient(version: Version) -> str | None:
    named: Any = (version.tree or {}).get("patient", {}).get("reference")
    return named if isinstance(named, str) else None


def _recipients(versions: Sequence[Version], reference: str, runtime: Runtime) -> set[str]:
    """Whom the versions name."""
    zone = runtime.settings.zone
    read = [
        read_consent(one.tree, reference=reference, version=one.number, zone=zone)
        for one in versions
        if one.tree is not None
    ]
    return {name for one in read if isinstance(one, Consent) for name in recipients(one)}


def _by_consent(shown: Sequence[Shown]) -> Iterator[tuple[str, list[Version]]]:
    def named(one: Shown) -> str:
        return one.reference

    for reference, versions in groupby(sorted(shown, key=named), key=named):
        yield reference, _told(list(versions))


def _told(shown: Sequence[Shown]) -> list[Version]:
    """The versions in their order."""
    versions = [
        Version(one.version, one.last_updated, None if one.deleted else parse(one.body), one.body)
        for one in shown
    ]
    return sorted(versions, key=lambda one: one.number)


def _is_somebodys(versions: Sequence[Version]) -> bool:
    """Whether it is a person's consent; of a policy there is no receipt."""
    return any(one.tree is not None and "patient" in one.tree for one in versions)
