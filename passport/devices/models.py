"""The registry of device models: what may be enrolled, and which readings each model takes.

http://hl7.org/fhir/R4/device-definitions.html#Device.modelNumber

The registry is part of the directory: operators write it, every signed-in caller reads it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirmap.vitals import VITAL_SIGNS
from passport.outcomes import Invalid

MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TEXT_MAX_CHARACTERS: Final = 128

# What a device counts on the side of the act: a cuff and an oximeter both tell the pulse.
COMPANIONS: Final[Mapping[str, frozenset[str]]] = {
    "blood-pressure": frozenset({"heart-rate"}),
    "oxygen-saturation": frozenset({"heart-rate"}),
}

_MEMBERS: Final = frozenset({"manufacturer", "display", "readings", "active"})


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """One model; `readings` are kinds of `fhirmap.vitals`. Only an active model can be enrolled."""

    model: str
    manufacturer: str
    display: str
    readings: frozenset[str]
    active: bool = True

    def as_json(self) -> dict[str, Any]:
        """The model as the registry answers it."""
        return {
            "model": self.model,
            "manufacturer": self.manufacturer,
            "display": self.display,
            "readings": sorted(self.readings),
            "active": self.active,
        }


def collected(readings: frozenset[str]) -> frozenset[str]:
    """The kinds that a device of a model with these `readings` delivers, its companions included."""
    return readings.union(*(COMPANIONS.get(kind, frozenset()) for kind in readings))


def device_model(model: str, tree: Mapping[str, Any]) -> DeviceModel:
    """Read what an operator puts as the model named `model`.

    Raises:
        Invalid: an unfit name, a missing or unknown member, or a kind of reading that is not known.
    """
    if not MODEL_NAME.fullmatch(model):
        raise Invalid("got an unfit model name, expected letters, digits, `.`, `_` and `-`, at most 64")
    if tree.keys() - _MEMBERS:
        raise Invalid(f"got a member that a model does not have, expected {', '.join(sorted(_MEMBERS))}")
    manufacturer, display = (_text(tree, name) for name in ("manufacturer", "display"))
    readings = tree.get("readings")
    if not isinstance(readings, list) or not readings or not all(_is_kind(kind) for kind in readings):
        raise Invalid(
            f"got no list of kinds in `readings`, expected some of {', '.join(VITAL_SIGNS)}", ("readings",)
        )
    active = tree.get("active", True)
    if not isinstance(active, bool):
        raise Invalid("got no boolean in `active`", ("active",))
    return DeviceModel(model, manufacturer, display, frozenset(readings), active)


def _text(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_MAX_CHARACTERS:
        raise Invalid(f"got no text of 1 to {TEXT_MAX_CHARACTERS} characters in `{name}`", (name,))
    return value


def _is_kind(kind: object) -> bool:
    return isinstance(kind, str) and kind in VITAL_SIGNS
