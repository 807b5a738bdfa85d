"""What somebody asks for or a person offers: the members of a request, as attributes of a provision.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent import systems
from consent.model import Confidentiality
from consent.period import read_period
from passport.identity.purposes import grantable
from passport.outcomes import Invalid
from passport.sharing.categories import LISTED_MAX, classes_of

Tree = dict[str, Any]

NARROWING: Final = ("categories", "codes", "data_period", "confidentiality")
"""What says which records."""

EDITABLE: Final = frozenset({*NARROWING, "until"})
"""What a person may change of what was asked."""

ORDINARY: Final = Confidentiality.N
"""Up to which confidentiality a preset shows: whoever shares more says so."""

AS_ASKED: Final = "as-asked"
"""What a person says instead of a confidentiality who grants a request with the labels that it asks for."""

TEXT_CHARACTERS: Final = 200


def attributes(tree: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The attributes of a provision that a request states; None stands for one that it takes away.

    An empty list of categories is everything, one of codes every code, null as data period all times, and null as
    confidentiality every label.

    Raises:
        Invalid: a member is unfit.
    """
    found: dict[str, Any] = {}
    if "categories" in tree:
        found["class"] = classes_of(tree["categories"]) or None
    if "codes" in tree:
        found["code"] = _codes(tree["codes"]) or None
    if "data_period" in tree:
        found["dataPeriod"] = _data_period(tree["data_period"], zone)
    if "confidentiality" in tree:
        found["securityLabel"] = _labels(tree["confidentiality"])
    return found


def offered_attributes(tree: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The same of what a person shares by a preset: without what is restricted, unless they say otherwise.

    Raises:
        Invalid: a member is unfit.
    """
    return {"securityLabel": [_up_to(ORDINARY)], **attributes(tree, zone)}


def answered_attributes(tree: Mapping[str, Any], zone: ZoneInfo) -> tuple[dict[str, Any], bool]:
    """What a person changes of what was asked, and whether they say up to which confidentiality they share.

    Raises:
        Invalid: a member is unfit.
    """
    if tree.get("confidentiality") != AS_ASKED:
        return attributes(tree, zone), "confidentiality" in tree
    return attributes({name: tree[name] for name in tree if name != "confidentiality"}, zone), True


def ordinary(provision: Mapping[str, Any]) -> Tree:
    """What was asked, without what is restricted.

    Raises:
        Invalid: it asks by a sensitivity, and so for what is restricted.
    """
    asked: list[Any] = provision.get("securityLabel", [])
    levels = [label["code"] for label in asked if label.get("system") == systems.CONFIDENTIALITY]
    if len(levels) < len(asked):
        expected = f"`confidentiality`, such as `{AS_ASKED}`, from whoever wants to share that"
        raise Invalid(f"got a request for what is restricted, expected {expected}", ("confidentiality",))
    kept = [Confidentiality[level] for level in levels if Confidentiality[level] <= ORDINARY]
    if kept and len(kept) == len(levels):
        return {**provision}
    return {**provision, "securityLabel": [_up_to(ORDINARY)]}


def with_attributes(provision: Mapping[str, Any], changed: Mapping[str, Any]) -> Tree:
    """The provision with these attributes in the place of its own."""
    kept = {name: value for name, value in provision.items() if name not in changed}
    return {**kept, **{name: value for name, value in changed.items() if value is not None}}


def purpose_of(tree: Mapping[str, Any]) -> str:
    """The purpose of use that is asked for, treatment where none is stated.

    Raises:
        UnknownPurpose: it is none that can be asked for.
    """
    return grantable(tree.get("purpose", "TREAT"))


def until_of(tree: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str | None:
    """The end that is asked for, a date or an instant; None where none is stated.

    Raises:
        Invalid: it is none of both, or is over.
    """
    until = tree.get("until")
    if until is None:
        return None
    try:
        read_period({"start": now.isoformat(timespec="seconds"), "end": until}, zone)
    except ValueError:
        raise Invalid("got no date in `until` that is still to come", ("until",)) from None
    return str(until)


def permit(actor: str, purpose: str) -> Tree:
    """A provision by which somebody sees everything, before attributes narrow it."""
    return {
        "type": "permit",
        "actor": [
            {"role": _concept(systems.PARTICIPATION, "IRCP"), "reference": {"reference": actor}},
        ],
        "action": [_concept(systems.CONSENT_ACTION, "access")],
        "purpose": [{"system": systems.ACT_REASON, "code": purpose}],
    }


def _codes(listed: object) -> list[Tree]:
    if not isinstance(listed, Sequence) or isinstance(listed, str) or len(listed) > LISTED_MAX:
        raise _no_code()
    return [_concept(*_code(one)) for one in listed]


def _code(text: object) -> tuple[str, str]:
    if not isinstance(text, str) or len(text) > TEXT_CHARACTERS:
        raise _no_code()
    system, bar, code = text.rpartition("|")
    if not (system and bar and code) or any(letter.isspace() for letter in text):
        raise _no_code()
    return system, code


def _no_code() -> Invalid:
    return Invalid("got no code, expected a list of such as `http://loinc.org|85354-9`", ("codes",))


def _data_period(value: object, zone: ZoneInfo) -> Tree | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and not value.keys() - {"start", "end"}:
        try:
            read_period(value, zone)
        except ValueError:
            pass
        else:
            return {name: edge for name, edge in value.items() if edge is not None}
    expected = "`start` and `end` as dates, or one of them"
    raise Invalid(f"got no period in `data_period`, expected {expected}", ("data_period",))


def _labels(value: object) -> list[Tree] | None:
    """The label up to which something is shown."""
    if value is None:
        return None
    if isinstance(value, str) and value in Confidentiality.__members__:
        return [_up_to(Confidentiality[value])]
    expected = f"one of {', '.join(Confidentiality.__members__)}, or null"
    raise Invalid(f"got another confidentiality, expected {expected}", ("confidentiality",))


def _up_to(level: Confidentiality) -> Tree:
    return {"system": systems.CONFIDENTIALITY, "code": level.name}


def _concept(system: str, code: str) -> Tree:
    return {"coding": [{"system": system, "code": code}]}
