"""Simulated devices: a key of their own, signed messages, and Bluetooth payloads where the model speaks so.

https://www.rfc-editor.org/rfc/rfc7515
https://www.bluetooth.com/specifications/gss/ (2A35, 2A9D)
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

from passport.demo.readings import Reading
from passport.demo.residents import Kind

BATCH_READINGS: Final = 90
"""What a gateway delivers at a time: about six weeks of mornings and evenings."""

_2A35_PULSE: Final = 0x04
_2A9D_KILOGRAM_STEP: Final = 0.005


@dataclass(frozen=True, slots=True)
class Model:
    """A device model as the operator registers it; `curve` is of the keys that its devices hold."""

    name: str
    kind: Kind
    display: str
    readings: tuple[str, ...]
    curve: str
    bluetooth: bool = False

    def registration(self) -> dict[str, Any]:
        """What the operator puts into the registry of models."""
        return {"manufacturer": "見本計器（架空）", "display": self.display, "readings": list(self.readings)}


MODELS: Final = (
    Model("kaku-bp-1", "cuff", "上腕式血圧計 架空BP-1", ("blood-pressure",), "P-256"),
    Model(
        "kaku-bp-2",
        "cuff",
        "上腕式血圧計 架空BP-2 (Bluetooth)",
        ("blood-pressure",),
        "Ed25519",
        bluetooth=True,
    ),
    Model("kaku-scale-1", "scale", "体重計 架空S-1 (Bluetooth)", ("body-weight",), "P-256", bluetooth=True),
    Model("kaku-spo2-1", "oximeter", "パルスオキシメータ 架空P-1", ("oxygen-saturation",), "Ed25519"),
    Model("kaku-temp-1", "thermometer", "体温計 架空T-1", ("body-temperature",), "P-256"),
)


def models_of(kind: Kind) -> tuple[Model, ...]:
    """The models that measure so, at least one."""
    return tuple(model for model in MODELS if model.kind == kind)


class SimulatedDevice:
    """A device with its private key and its counter."""

    def __init__(
        self, model: Model, serial: str, key: ECKey | OKPKey, kid: str = "", next_counter: int = 1
    ) -> None:
        self.model = model
        self.serial = serial
        self.next_counter = next_counter
        self.kid = kid or key.thumbprint()
        """What the key is called: by its thumbprint until an enrolment gives it a name of its own."""
        self._key = key

    @classmethod
    def made(cls, model: Model, serial: str) -> "SimulatedDevice":
        """A new device with a new key."""
        return cls(model, serial, new_key(model.curve))

    @classmethod
    def known(cls, model: str, jwk: Mapping[str, Any], next_counter: int) -> "SimulatedDevice":
        """A device that was enrolled before."""
        (found,) = (each for each in MODELS if each.name == model)
        return cls(found, "", key_of(jwk), jwk["kid"], next_counter)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The key as an enrolment names it."""
        return {**public_jwk(self._key), "kid": self.kid}

    @property
    def private_jwk(self) -> dict[str, Any]:
        """The key as only the device, and the persona file, knows it."""
        return {**private_jwk(self._key), "kid": self.kid}

    def enrolment(self, patient: str) -> dict[str, Any]:
        """The body by which the device asks to measure for a patient (`Patient/…`)."""
        return {"patient": patient, "model": self.model.name, "serial": self.serial, "jwk": self.public_jwk}

    def batches(self, readings: Sequence[Reading]) -> Iterator[bytes]:
        """The readings as signed messages in the device's own format, each with the next counter."""
        spoken = [_bluetooth(reading) for reading in readings] if self.model.bluetooth else list(readings)
        for at in range(0, len(spoken), BATCH_READINGS):
            yield message(self._key, self.kid, self.next_counter, spoken[at : at + BATCH_READINGS])
            self.next_counter += 1


def new_key(curve: str) -> ECKey | OKPKey:
    """A fresh private key, P-256 or Ed25519."""
    return ECKey.generate_key("P-256") if curve == "P-256" else OKPKey.generate_key("Ed25519")


def private_jwk(key: ECKey | OKPKey) -> dict[str, Any]:
    """The whole key, with the name and the algorithm under which it signs."""
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": _algorithm(key), "use": "sig"}


def public_jwk(key: ECKey | OKPKey) -> dict[str, Any]:
    """What others may know of it."""
    whole = private_jwk(key)
    return {name: value for name, value in whole.items() if name != "d"}


def key_of(jwk: Mapping[str, Any]) -> ECKey | OKPKey:
    """The private key that a persona file holds."""
    return ECKey.import_key(dict(jwk)) if jwk["kty"] == "EC" else OKPKey.import_key(dict(jwk))


def message(key: ECKey | OKPKey, kid: str, counter: int, readings: Sequence[Reading]) -> bytes:
    """A compact JWS over one batch; `kid` is what the enrolment called the key, or what a forger claims."""
    algorithm = _algorithm(key)
    header = orjson.dumps({"alg": algorithm, "kid": kid})
    payload = orjson.dumps({"counter": counter, "readings": list(readings)})
    signing_input = urlsafe_b64encode(header) + b"." + urlsafe_b64encode(payload)
    signature = JWSRegistry.algorithms[algorithm].sign(signing_input, key)
    return signing_input + b"." + urlsafe_b64encode(signature)


def _algorithm(key: ECKey | OKPKey) -> str:
    return "ES256" if isinstance(key, ECKey) else "EdDSA"


def _bluetooth(reading: Reading) -> Reading:
    """The same reading as the characteristic that a Bluetooth device indicates."""
    if reading["type"] == "blood-pressure":
        mean = (reading["systolic"] + 2 * reading["diastolic"]) // 3
        # An SFLOAT with exponent 0 is its mantissa.
        values = (reading["systolic"], reading["diastolic"], mean, reading["pulse"])
        uuid, payload = "2A35", struct.pack("<BHHHH", _2A35_PULSE, *values)
    else:
        uuid, payload = "2A9D", struct.pack("<BH", 0, round(reading["value"] / _2A9D_KILOGRAM_STEP))
    return {"gatt": uuid, "hex": payload.hex(), "time": reading["time"]}
