"""IEEE 11073-20601 SFLOAT and FLOAT; the exponent carries the precision (0xF014 is 2.0, not 2).

https://www.bluetooth.com/specifications/gss/ (medfloat16, medfloat32);
special values as in https://build.fhir.org/ig/HL7/phd/ConvertingMderFloats.html
"""

from decimal import Decimal

from fhirmap.reading import Absent


def _special(mantissa_bits: int) -> dict[int, Absent]:
    top = 1 << (mantissa_bits - 1)
    return {
        top - 1: Absent.NOT_A_NUMBER,
        top - 2: Absent.POSITIVE_INFINITY,
        top: Absent.ERROR,  # NRes: not at this resolution
        top + 1: Absent.ERROR,  # reserved for future use
        top + 2: Absent.NEGATIVE_INFINITY,
    }


_SPECIAL = {bits: _special(bits) for bits in (12, 24)}


def _signed(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def _decode(octets: bytes, mantissa_bits: int) -> Decimal | Absent:
    raw = int.from_bytes(octets, "little")
    mantissa = raw & ((1 << mantissa_bits) - 1)
    exponent = raw >> mantissa_bits
    if exponent == 0 and mantissa in _SPECIAL[mantissa_bits]:
        return _SPECIAL[mantissa_bits][mantissa]
    exponent_bits = len(octets) * 8 - mantissa_bits
    return Decimal(_signed(mantissa, mantissa_bits)).scaleb(_signed(exponent, exponent_bits))


def sfloat(octets: bytes) -> Decimal | Absent:
    """Decode two octets: signed exponent of 4 bits, signed mantissa of 12 bits."""
    return _decode(octets, 12)


def float32(octets: bytes) -> Decimal | Absent:
    """Decode four octets: signed exponent of 8 bits, signed mantissa of 24 bits."""
    return _decode(octets, 24)
