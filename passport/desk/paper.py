"""Consent on paper, and its withdrawal on paper, for people without a phone.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.source_x_
http://hl7.org/fhir/R4/consent-definitions.html#Consent.verification

What two clerks agree on becomes an ordinary Consent whose source is the scan. Its Provenance says who entered and who
verified it.
"""

import re
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from consent import systems
from fhirstore.parse import Tree
from passport.admission import Desk
from passport.audit.names import named
from passport.authority import Basis
from passport.desk import store
from passport.desk.matters import Matter
from passport.disclosure import directory_trees
from passport.disclosure.kin import with_kin
from passport.effects import checked_consent
from passport.identity import tokens
from passport.intake import write
from passport.members import check_members
from passport.notices import Kind, tell
from passport.outcomes import Conflict, Invalid, NotFound
from passport.pieces import Write, check_valid
from passport.records import written_instant
from passport.sharing import presets
from passport.sharing.terms import (
    NARROWING,
    offered_attributes,
    permit,
    purpose_of,
    until_of,
    with_attributes,
)
from passport.sql import fetch

GRANT: Final = frozenset({"recipient", "purpose", "until", "preset", *NARROWING})
WITHDRAWN: Final[Kind] = "paper-withdrawal-recorded"
"""What everybody is told of whom something was withdrawn on paper."""

CONSENT_MEMBERS: Final = frozenset({"kind", "patient", "scan", "grant", "provision"})
WITHDRAWAL_MEMBERS: Final = frozenset({"kind", "patient", "scan", "consents"})

_CONSENTS_MAX: Final = 100
_CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_RECIPIENT: Final = re.compile(r"(?:Organization|Practitioner|PractitionerRole)/[A-Za-z0-9\-.]{1,64}")
_CONSENT: Final = re.compile(r"Consent/[A-Za-z0-9\-.]{1,64}")


async def consent_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read a consent on paper: a `grant` in the words of sharing, or a `provision` as FHIR has it.

    Raises:
        Invalid: neither or both, something unfit, or what cannot be enforced.
    """
    check_members(tree, CONSENT_MEMBERS)
    grant, provision = tree.get("grant"), tree.get("provision")
    if isinstance(grant, Mapping) and provision is None:
        provision = await _granted(desk, grant)
    elif not isinstance(provision, Mapping) or grant is not None:
        raise Invalid("got no `grant` and no `provision`, expected one of them", ("grant", "provision"))
    consent = _consent(desk, patient, provision)
    check_valid([Write("create", "Consent", consent)])
    checked_consent(desk, consent, "Consent/new", 1)
    return {"consent": consent}


async def consent_agreed(desk: Desk, matter: Matter) -> tuple[str, ...]:
    """Write the Consent that two clerks agreed on; its reference."""
    id_ = desk.runtime.new_id()
    instant = written_instant(desk.now)
    verified = {"verified": True, "verifiedWith": {"reference": matter.patient}, "verificationDate": instant}
    consent = {
        **matter.content["consent"],
        "id": id_,
        "dateTime": instant,
        "sourceReference": {"reference": matter.document},
        "verification": [verified],
    }
    writes = [
        Write("create", "Consent", consent, id=id_, on=Basis.DESK),
        Write("create", "Provenance", _provenance(desk, matter, [f"Consent/{id_}"]), on=Basis.DESK),
    ]
    await write(desk, writes)
    return (f"Consent/{id_}",)


async def withdrawal_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read a withdrawal on paper: some `consents` by reference, or whatever is shared where none is named.

    It is a person who withdraws: what they share by another registration of theirs is meant as well.

    Raises:
        Invalid: no list of references.
        NotFound: one of them shares nothing of this patient now.
    """
    check_members(tree, WITHDRAWAL_MEMBERS)
    listed = tree.get("consents")
    if listed is None:
        return {"consents": None}
    if not isinstance(listed, Sequence) or not 0 < len(listed) <= _CONSENTS_MAX:
        raise Invalid("got no list of references in `consents`", ("consents",))
    if not all(isinstance(one, str) and _CONSENT.fullmatch(one) for one in listed):
        raise Invalid("got no list of references such as `Consent/1` in `consents`", ("consents",))
    if len(await _sharing(desk, desk.standing.named[0], listed)) < len(set(listed)):
        raise NotFound("no such Consent")
    return {"consents": sorted(set(listed))}


async def withdrawal_agreed(desk: Desk, matter: Matter) -> tuple[str, ...]:
    """End what two clerks agreed on, by whichever registration it was given; the references of what ended.

    Raises:
        Conflict: nothing of it is shared any more.
    """
    keys = await _sharing(desk, matter.patient_key, matter.content["consents"])
    records = await named(desk.connection, keys)
    ended: dict[int, list[str]] = {}
    for record in sorted(records.values(), key=attrgetter("reference")):
        if not record.deleted:
            ended.setdefault(record.patient_key, []).append(record.reference)
    if not ended:
        raise Conflict("got a withdrawal of what is not shared any more, expected something that is")
    references = [one for theirs in ended.values() for one in theirs]
    writes = [
        Write("update", "Consent", id=one.partition("/")[2], patch=_ended, on=Basis.DESK)
        for one in references
    ]
    # What follows records lies with them: one for each registration.
    told = [
        Write("create", "Provenance", _provenance(desk, matter, theirs), on=Basis.DESK)
        for theirs in ended.values()
    ]
    await write(desk, [*writes, *told])
    for patient_key in ended.keys() - {matter.patient_key}:
        notice_id = tokens.random_uuid(desk.runtime)
        about = {"matter": str(matter.id)}
        await tell(desk.connection, patient_key, WITHDRAWN, about, notice_id=notice_id, now=desk.now)
    return tuple(sorted(references))


def _ended(tree: Tree) -> Tree:
    return {**tree, "status": "inactive"}


async def _sharing(desk: Desk, patient_key: int, consents: Sequence[str] | None) -> list[int]:
    """The keys of these consents, or of all, by which somebody sees or writes something of this person now."""
    keys = None if consents is None else [desk.runtime.keys.reference(one) for one in consents]
    asked = {"patient_keys": sorted(await with_kin(desk, {patient_key})), "consent_keys": keys}
    return [row.consent_key for row in await fetch(desk.connection, store.SHARING, asked)]


async def _granted(desk: Desk, grant: Mapping[str, Any]) -> Tree:
    """The provision of a grant in the words of sharing."""
    check_members(grant, GRANT)
    zone, now, recipient = desk.runtime.settings.zone, desk.now, grant.get("recipient")
    if not isinstance(recipient, str) or not _RECIPIENT.fullmatch(recipient):
        expected = "a reference of an Organization, a Practitioner or a PractitionerRole"
        raise Invalid(f"got no recipient, expected {expected}", ("grant.recipient",))
    if recipient not in await directory_trees(desk, [recipient]):
        raise Invalid("got a recipient whom the directory does not know", ("grant.recipient",))
    preset = presets.preset_of(grant.get("preset"))
    ends = (until_of(grant, now, zone), presets.ending(preset, now, zone))
    provision = with_attributes(permit(recipient, purpose_of(grant)), offered_attributes(grant, zone))
    return {**provision, "period": presets.period(ends, now, zone)}


def _consent(desk: Desk, patient: str, provision: Mapping[str, Any]) -> Tree:
    rule = "OPTOUT" if provision.get("type") == "deny" else "OPTIN"
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": systems.CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [_CATEGORY]}],
        "patient": {"reference": patient},
        "dateTime": written_instant(desk.now),
        "performer": [{"reference": patient}],
        "policyRule": {"coding": [{"system": systems.ACT_CODE, "code": rule}]},
        "provision": dict(provision),
    }


def _provenance(desk: Desk, matter: Matter, targets: Sequence[str]) -> Tree:
    """Who entered and who verified what is written, and the paper that it was written from."""
    clerks = (("enterer", matter.proposed_by), ("verifier", desk.subject.reference))
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": written_instant(desk.now),
        "agent": [
            {"type": {"coding": [{"system": _PARTICIPANT, "code": code}]}, "who": {"display": clerk}}
            for code, clerk in clerks
        ],
        "entity": [{"role": "source", "what": {"reference": matter.document}}],
    }
