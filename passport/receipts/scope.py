"""What a consent lets whom do with what, in the words of ISO/IEC TS 27560: purposes, information, recipients.

https://www.iso.org/standard/80392.html (ISO/IEC TS 27560:2023, 6.3.4 and 6.3.5)

One entry stands for each provision at the top of the consent, and under a deny for each of its permits; what is
excepted from it stands in it. The entries are those that are enforced: they are read by the reader that decides.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from consent import systems
from consent.model import Action, Coding, Consent, Effect, Interval, Provision, Purpose
from passport.records import written_instant

CONSENT_BASIS: Final = "https://w3id.org/dpv#Consent"
HEALTH: Final = "https://w3id.org/dpv/pd#Health"
"""Whatever a passport holds is of a special category."""

WHOLE: Final = "every record of the passport, what tells of sharing apart"
_OPEN: Final = ".."  # ISO 8601-2, of an interval without that end


def entries(consent: Consent) -> list[dict[str, Any]]:
    """The purposes of a consent that was read without issue."""
    return [] if consent.root is None else list(_entries(consent.root))


def recipients(consent: Consent) -> list[str]:
    """Everybody whom it names, each once."""
    nodes = consent.root.walk() if consent.root else ()
    return sorted({actor for node in nodes for actor in node.actors})


def validity(consent: Consent, given: datetime) -> str:
    """From when until when it holds, as an interval of ISO 8601."""
    period = (consent.root.period if consent.root else None) or Interval()
    begins = given if period.start is None else max(period.start, given)
    ends = _OPEN if period.end is None else written_instant(period.end)
    return f"{written_instant(begins)}/{ends}"


def _entries(root: Provision) -> Iterator[dict[str, Any]]:
    if root.effect is Effect.PERMIT:
        yield from _granted(root, root)
        return
    yield {"decision": str(Effect.DENY), **_said(root)}
    for child in root.children:
        yield from _granted(child, root)


def _granted(node: Provision, root: Provision) -> Iterator[dict[str, Any]]:
    """One entry for each purpose; what the root says of actor and purpose holds where the node is silent."""
    for purpose in sorted(node.purposes or root.purposes):
        yield {
            "decision": str(Effect.PERMIT),
            **_said(node),
            "purpose": _purpose(purpose),
            "lawful_basis": CONSENT_BASIS,
            "processing_method": _actions(node.actions or {Action.ACCESS}),
            "recipient_third_parties": sorted(node.actors or root.actors),
        }


def _said(node: Provision) -> dict[str, Any]:
    """What a provision names; what it does not name is no condition of it."""
    said: dict[str, Any] = {
        "purpose": " ".join(map(_purpose, sorted(node.purposes))),
        "processing_method": _actions(node.actions),
        "recipient_third_parties": sorted(node.actors),
        "validity_duration": _interval(node.period),
        "pii_period": _interval(node.data_period),
        "exceptions": [{"decision": str(child.effect), **_said(child)} for child in node.children],
    }
    return {"pii_information": _information(node), **{name: value for name, value in said.items() if value}}


def _information(node: Provision) -> list[dict[str, Any]]:
    """What of the passport it is about: types, categories and codes, labels, single records."""
    types = [code.code for code in node.classes if code.system == systems.RESOURCE_TYPES]
    categories = [code for code in node.classes if code.system != systems.RESOURCE_TYPES]
    labels = [*(f"{systems.CONFIDENTIALITY}|{level.name}" for level in sorted(node.confidentiality))]
    labels += _codings(node.sensitivities)
    attributes = [*_codings(categories), *_codings(node.codes)]
    attributes += [f"{data.meaning} {data.reference}" for data in sorted(node.data)]
    told: dict[str, Any] = {"pii_attribute_id": attributes, "sensitive_pii_category": labels}
    narrowed = {name: values for name, values in told.items() if values}
    return [
        {"pii_type": name, **narrowed, "special_pii_category": HEALTH} for name in sorted(types) or [WHOLE]
    ]


def _codings(codings: Iterable[Coding]) -> list[str]:
    return [f"{coding.system}|{coding.code}" for coding in sorted(codings)]


def _purpose(purpose: Purpose) -> str:
    return f"{systems.ACT_REASON}|{purpose}"


def _actions(actions: Iterable[Action]) -> list[str]:
    return [f"{systems.CONSENT_ACTION}|{action}" for action in sorted(actions)]


def _interval(interval: Interval | None) -> str | None:
    if interval is None:
        return None
    ends = [_OPEN if end is None else written_instant(end) for end in (interval.start, interval.end)]
    return "/".join(ends)
