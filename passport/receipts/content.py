"""The content of a receipt: the record of a consent by ISO/IEC TS 27560, and the consent itself as it is stored.

https://www.iso.org/standard/80392.html (ISO/IEC TS 27560:2023, 6.3)
https://w3id.org/dpv/guides/consent-27560

Fields have the names of the specification. What stands in them is what the versions of the consent and the
settings of the installation say, who wrote them as the log has it, and names as the directory has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent.model import Consent
from consent.read import read_consent
from passport.outcomes import NotFound
from passport.receipts.events import RECEIVED, Event, State, Version, events
from passport.receipts.scope import entries, recipients, validity
from passport.records import written_instant
from passport.settings import Settings

SCHEMA: Final = "ISO/IEC TS 27560:2023, healthcare-passport receipt 1"
DPV: Final = "https://w3id.org/dpv#"
EXPRESSED: Final = f"{DPV}ExplicitlyExpressedConsent"
LANGUAGE: Final = "ja"
"""The language in which residents are asked, where the consent does not say another one."""

ADDRESS: Final = "sharing/receipts"
"""Below the service's own address."""

RIGHTS: Final = (
    "see who looked: audit/accesses",
    "withdraw or replace this consent at any time",
    "have records corrected by whoever wrote them",
)
_NO_NAMES: Final[Mapping[str, str]] = {}
_WORDING: Final = ("policy", "policyRule", "sourceAttachment", "sourceReference", "extension")


def receipt(
    versions: Sequence[Version], reference: str, settings: Settings, names: Mapping[str, str] = _NO_NAMES
) -> dict[str, Any]:
    """The receipt of the last of these versions.

    Args:
        versions: all versions of one consent up to that one, in their order.
        reference: `Consent/id`.
        settings: of the installation.
        names: what the directory calls whom the consent names.

    Raises:
        NotFound: that version neither gave the consent nor took it back, or it is nobody's.
    """
    happened = list(events(versions))
    last = happened[-1] if happened else None
    if last is None or last.version is not versions[-1] or last.state not in RECEIVED:
        raise NotFound
    granted = next(version for version in reversed(versions) if version.active)
    read = read_consent(granted.tree or {}, reference=reference, version=granted.number, zone=settings.zone)
    if not isinstance(read, Consent) or read.patient is None:
        raise NotFound
    return _receipt(_Told(happened, granted, read, reference, settings, names, _notices(versions)))


def listed(versions: Sequence[Version], reference: str, settings: Settings) -> list[dict[str, Any]]:
    """What receipts there are of a consent, in the order of its versions."""
    return [
        {
            "consent": reference,
            "version": event.version.number,
            "event_state": f"{DPV}{event.state}",
            "event_time": written_instant(event.version.written),
            "receipt": _receipt_id(reference, event.version, settings),
        }
        for event in events(versions)
        if event.state in RECEIVED
    ]


@dataclass(frozen=True, slots=True)
class _Told:
    """What one receipt is made of: what happened, the version that gave, and what that says."""

    happened: Sequence[Event]
    granted: Version
    read: Consent
    reference: str
    settings: Settings
    names: Mapping[str, str]
    notices: frozenset[str]

    @property
    def patient(self) -> str:
        """Whose consent it is."""
        return self.read.patient or ""

    @property
    def tree(self) -> Mapping[str, Any]:
        """The consent as it was given."""
        return self.granted.tree or {}

    @property
    def service(self) -> str:
        """The party that keeps the passport."""
        return self.settings.base_url

    def named(self, reference: str) -> str:
        """The id of a party."""
        return f"{self.settings.fhir_url}/{reference}"


def _receipt(told: _Told) -> dict[str, Any]:
    last = told.happened[-1]
    return {
        "schema_version": SCHEMA,
        "receipt_id": _receipt_id(told.reference, last.version, told.settings),
        "record_id": told.named(f"{told.reference}/_history/{told.granted.number}"),
        "pii_principal_id": told.named(told.patient),
        "pii_processing": _processing(told),
        "party_identification": _parties(told),
        "events": [_event(told, event) for event in told.happened],
        "consent": {
            "reference": f"{told.reference}/_history/{told.granted.number}",
            "sha256": told.granted.digest,
            "resource": told.granted.tree,
        },
        **({"withdrawal": _withdrawal(told, last)} if last.version is not told.granted else {}),
    }


def _receipt_id(reference: str, version: Version, settings: Settings) -> str:
    id_ = reference.partition("/")[2]
    return f"{settings.base_url}/{ADDRESS}/{id_}?version={version.number}"


def _processing(told: _Told) -> dict[str, Any]:
    custodian, base = told.settings.custodian, told.settings.base_url
    notice = _notice(told.tree)
    shown = notice in told.notices
    wording = {name: told.tree[name] for name in _WORDING if shown and name in told.tree}
    common = {
        "pii_controllers": [told.service],
        "storage_locations": [custodian.storage],
        "retention_period": custodian.retention,
        "jurisdiction": custodian.jurisdiction,
        "withdrawal_method": f"PUT {told.named(told.reference)} with status inactive, or in the app",
        "privacy_rights": list(RIGHTS),
    }
    return {
        "privacy_notice": (notice if shown else None) or custodian.notice or base,
        "language": _language(told.tree) if shown else LANGUAGE,
        **({"wording": wording} if wording else {}),
        "purposes": [
            {**entry, **common, "recipient_third_parties": _ids(told, entry)} for entry in entries(told.read)
        ],
    }


def _language(tree: Mapping[str, Any]) -> str:
    """That in which the person was asked: of the text that was shown, else of the consent."""
    shown: Any = tree.get("sourceAttachment")
    spoken = (shown.get("language") if isinstance(shown, dict) else None) or tree.get("language")
    return spoken if isinstance(spoken, str) else LANGUAGE


def _notices(versions: Sequence[Version]) -> frozenset[str]:
    """What the service showed the person, by one of the versions; of another text nobody knows who showed it."""
    told = (_notice(version.tree or {}) for version in versions if version.shown)
    return frozenset(notice for notice in told if notice is not None)


def _notice(tree: Mapping[str, Any]) -> str | None:
    listed: Any = tree.get("policy")
    named = [one.get("uri") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return next((uri for uri in named if isinstance(uri, str)), None)


def _ids(told: _Told, entry: Mapping[str, Any]) -> list[str]:
    return [told.named(actor) for actor in entry.get("recipient_third_parties", ())]


def _parties(told: _Told) -> list[dict[str, Any]]:
    custodian, base = told.settings.custodian, told.settings.base_url
    keeper = {
        "party_id": told.service,
        "party_name": custodian.name,
        "party_address": custodian.address or base,
        "party_contact": custodian.contact or base,
        "party_url": base,
        "party_role": f"{DPV}DataController",
        "party_type": "custodian",
    }
    others = [(told.patient, "DataSubject"), *((actor, "Recipient") for actor in recipients(told.read))]
    return [keeper, *(_party(told, reference, role) for reference, role in others)]


def _party(told: _Told, reference: str, role: str) -> dict[str, Any]:
    """Somebody whom the consent names, as the directory calls them: the names in it are those of whoever wrote it."""
    address = told.named(reference)
    return {
        "party_id": address,
        "party_name": told.names.get(reference, reference),
        "party_address": address,
        "party_contact": address,
        "party_role": f"{DPV}{role}",
        "party_type": reference.partition("/")[0],
    }


def _event(told: _Told, event: Event) -> dict[str, Any]:
    lasts = event.state in {State.GIVEN, State.RENEWED}
    instant = written_instant(event.version.written)
    return {
        "event_time": instant,
        "event_state": f"{DPV}{event.state}",
        "event_type": EXPRESSED,
        "validity_duration": _validity(told, event) if lasts else f"{instant}/..",
        "entity_id": told.named(event.by) if event.by else told.service,
        "version": event.version.number,
    }


def _validity(told: _Told, event: Event) -> str:
    tree, number = event.version.tree or {}, event.version.number
    read = read_consent(tree, reference=told.reference, version=number, zone=told.settings.zone)
    given = read if isinstance(read, Consent) else told.read
    return validity(given, event.version.written)


def _withdrawal(told: _Told, event: Event) -> dict[str, Any]:
    """The version that took it back; a deletion left none of its own."""
    place = {"reference": f"{told.reference}/_history/{event.version.number}"}
    return place if event.version.tree is None else {**place, "sha256": event.version.digest}
