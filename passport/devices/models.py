"""The registry of device models: what may be enrolled, which readings each takes, and which forward those of others.

http://hl7.org/fhir/R4/device-definitions.html#Device.modelNumber

The registry is part of the directory: device approvers write it, every signed-in caller reads it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirmap.vitals import VITAL_SIGNS
from passport.members import check_members
from passport.outcomes import Invalid

MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TEXT_MAX_CHARACTERS: Final = 128

# What a device counts on the side of the act: a cuff and an oximeter both tell the pulse.
COMPANIONS: Final[Mapping[str, frozenset[str]]] = {
    "blood-pressure": frozenset({"heart-rate"}),
    "oxygen-saturation": frozenset({"heart-rate"}),
}

_MEMBERS: Final = frozenset({"manufacturer", "display", "readings", "active", "gateway"})


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """One model; `readings` are kinds of `fhirmap.vitals`. Only an active model can be enrolled.

    A `gateway` (a phone, a hub) signs for devices that have no key; it may take no readings of its own.
    """

    model: str
    manufacturer: str
    display: str
    readings: frozenset[str]
    active: bool = True
    gateway: bool = False

    def as_json(self) -> dict[str, Any]:
        """The model as the registry answers it; that one is no gateway goes without saying."""
        told = {
            "model": self.model,
            "manufacturer": self.manufacturer,
            "display": self.display,
            "readings": sorted(self.readings),
            "active": self.active,
        }
        return {**told, "gateway": True} if self.gateway else told


def collected(readings: frozenset[str]) -> frozenset[str]:
    """The kinds that a device of a model with these `readings` delivers, its companions included."""
    return readings.union(*(COMPANIONS.get(kind, frozenset()) for kind in readings))


def device_model(model: str, tree: Mapping[str, Any]) -> DeviceModel:
    """Read what a device approver puts as the model named `model`.

    Raises:
        Invalid: an unfit name, a missing or unknown member, or a kind of reading that is not known.
    """
    if not MODEL_NAME.fullmatch(model):
        raise Invalid("got an unfit model name, expected letters, digits, `.`, `_` and `-`, at most 64")
    check_members(tree, _MEMBERS)
    manufacturer, display = (_text(tree, name) for name in ("manufacturer", "display"))
    active, gateway = _flag(tree, "active", absent=True), _flag(tree, "gateway", absent=False)
    readings = tree.get("readings")
    fit = isinstance(readings, list) and all(_is_kind(kind) for kind in readings)
    if not fit or not (readings or gateway):
        raise Invalid(
            f"got no list of kinds in `readings`, expected some of {', '.join(VITAL_SIGNS)}", ("readings",)
        )
    return DeviceModel(model, manufacturer, display, frozenset(readings or ()), active, gateway)


def _flag(tree: Mapping[str, Any], name: str, *, absent: bool) -> bool:
    value = tree.get(name, absent)
    if not isinstance(value, bool):
        raise Invalid(f"got no boolean in `{name}`", (name,))
    return value


def _text(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_MAX_CHARACTERS:
        raise Invalid(f"got no text of 1 to {TEXT_MAX_CHARACTERS} characters in `{name}`", (name,))
    return value


def _is_kind(kind: object) -> bool:
    return isinstance(kind, str) and kind in VITAL_SIGNS
