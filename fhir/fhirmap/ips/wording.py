"""What a record says, in the few words that a summary has room for.

http://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fhirmap.jsonformat import Json

_SEPARATOR = "、"


def concept(element: Any) -> str:
    """The text of a CodeableConcept, else the display or the code of its first coding."""
    if not isinstance(element, Mapping):
        return ""
    if element.get("text"):
        return str(element["text"])
    coding = (element.get("coding") or [{}])[0]
    return str(coding.get("display") or coding.get("code") or "")


def concepts(elements: Sequence[Any] | None) -> str:
    """Several of them."""
    return _SEPARATOR.join(filter(None, map(concept, elements or ())))


def medicine(record: Json, others: Mapping[str, Json]) -> str:
    """What a record about a medicine names; `others` are by their references."""
    if "medicationCodeableConcept" in record:
        return concept(record["medicationCodeableConcept"])
    reference = record.get("medicationReference") or {}
    target = str(reference.get("reference", ""))
    inside = {f"#{each.get('id')}": each for each in record.get("contained", ())}
    named: Mapping[str, Any] = inside.get(target) or others.get(target) or {}
    return concept(named.get("code")) or str(reference.get("display", ""))


def dosage(record: Json) -> str:
    """The texts of its dosages."""
    listed = record.get("dosageInstruction") or record.get("dosage") or ()
    texts = [str(each.get("text", "")) for each in listed if isinstance(each, Mapping)]
    return _SEPARATOR.join(filter(None, texts))


def time(record: Json, *elements: str) -> str:
    """The first of these elements that is there, a Period by its start and end."""
    for name in elements:
        value = record.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping) and ("start" in value or "end" in value):
            return f"{value.get('start', '')}–{value.get('end', '')}"
    return ""


def value(observation: Json) -> str:
    """The value of an Observation, or those of its components, each with its name."""
    own = _value(observation)
    parts = [
        f"{concept(each.get('code'))} {_value(each)}".strip() for each in observation.get("component", ())
    ]
    return _SEPARATOR.join(filter(None, (own, *parts)))


def _value(element: Mapping[str, Any]) -> str:
    if "valueQuantity" in element:
        return quantity(element["valueQuantity"])
    if "valueCodeableConcept" in element:
        return concept(element["valueCodeableConcept"])
    plain = next((element[name] for name in _PLAIN if name in element), None)
    return "" if plain is None else str(plain)


def quantity(element: Mapping[str, Any]) -> str:
    """A Quantity as it was written: `72.50 kg`."""
    number = element.get("value")
    unit = element.get("unit") or element.get("code") or ""
    return f"{element.get('comparator', '')}{'' if number is None else number} {unit}".strip()


_PLAIN = ("valueString", "valueInteger", "valueDateTime", "valueTime")
