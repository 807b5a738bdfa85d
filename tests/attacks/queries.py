"""Searches of every kind, drawn from the parameters that the service says it carries out.

http://hl7.org/fhir/R4/search.html
"""

from random import Random
from typing import Final

from fhirstore.parameters import SearchParameter, parameters_of
from fhirstore.registry.definition import Kind
from fhirstore.types import TYPES
from tests.attacks.bodies import WEIGHTS
from tests.attacks.scene import DAYS, Scene

Pair = tuple[str, str]

SEARCHED: Final = (
    "Observation", "Observation", "Observation", "Observation", "Patient", "MedicationRequest", "Provenance",
    "Consent", "AuditEvent", "Bundle", "Appointment", "DocumentReference", "Device", "Practitioner",
)  # fmt: skip

_CODES: Final = (
    "29463-7", "85354-9", "http://loinc.org|29463-7", "http://loinc.org|85354-9", "C09CA06", "final", "active",
    "vital-signs", "proposed", "true", "N", "R", "I10",
)  # fmt: skip
_PREFIXES: Final = ("", "ge", "lt", "ne", "sa", "eb", "ap")
_MODIFIERS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.TOKEN: (":not", ":text", ":missing"),
    Kind.STRING: (":exact", ":contains", ":missing"),
    Kind.REFERENCE: (":missing", ":identifier"),
    Kind.URI: (":above", ":below"),
}


def query(draw: Random, scene: Scene, type_name: str, *, paged: bool = True) -> list[Pair]:
    """A search of this type: some conditions, and how the page is to look."""
    pairs = [condition(draw, scene, type_name) for _ in range(draw.choice((0, 1, 1, 2, 3)))]
    return [*pairs, *(_shape(draw, scene, type_name) if paged else ())]


_TOGETHER: Final = (
    "Observation,MedicationRequest", "Observation,MedicationRequest,Condition", "Patient,Practitioner,Device",
    "Observation,Provenance,Appointment", "Consent,Observation", "Observation",
)  # fmt: skip


def across(draw: Random, scene: Scene) -> list[Pair]:
    """A search of several types, or of all: by what one of them has, which the others mostly have too."""
    listed = draw.choice((*_TOGETHER, ""))
    type_name = listed.partition(",")[0] or "Observation"
    ways = (_of_patient, _of_patient, _of_id, _had, _any_parameter) if listed else (_of_id, _common, _common)
    pairs = [draw.choice(ways)(draw, scene, type_name) for _ in range(draw.choice((0, 1, 1, 2)))]
    shaped = _shape(draw, scene, type_name) or [("_count", draw.choice(("1", "2", "50")))]
    return [*([("_type", listed)] if listed else ()), *pairs, *shaped]


def _common(draw: Random, scene: Scene, type_name: str) -> Pair:
    """A condition on what every type has."""
    name = draw.choice(("_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"))
    return name, _value(draw, scene, parameters_of(type_name)[name])


def condition(draw: Random, scene: Scene, type_name: str) -> Pair:
    """One condition: on the patient, on what links the record, or on any other parameter of the type."""
    ways = (_of_patient, _of_id, _linked, _had, _any_parameter, _any_parameter, _any_parameter)
    return draw.choice(ways)(draw, scene, type_name)


def _of_patient(draw: Random, scene: Scene, type_name: str) -> Pair:
    known = parameters_of(type_name)
    if "patient" not in known:
        return _of_id(draw, scene, type_name)
    named = [scene.patient(draw) for _ in range(draw.choice((1, 1, 1, 2)))]
    return draw.choice(("patient", "subject" if "subject" in known else "patient")), ",".join(named)


def _of_id(draw: Random, scene: Scene, type_name: str) -> Pair:
    return "_id", ",".join(scene.record(draw, type_name).partition("/")[2] for _ in range(3))


def _linked(draw: Random, scene: Scene, type_name: str) -> Pair:
    """A reference, alone or as a chain."""
    found = [one for one in parameters_of(type_name).values() if one.kind is Kind.REFERENCE]
    if not found:
        return _any_parameter(draw, scene, type_name)
    through = draw.choice(found)
    if draw.random() < 0.2:
        return f"{through.name}._lastUpdated", draw.choice(("gt2020", "lt2020"))
    to = draw.choice(through.targets or ("Observation", "Patient", "MedicationRequest"))
    if draw.random() < 0.3 or to not in TYPES or to == "AuditEvent":
        return through.name, scene.record(draw, to)
    name, value = _any_parameter(draw, scene, to)
    return f"{through.name}:{to}.{name}", value


def _had(draw: Random, scene: Scene, type_name: str) -> Pair:
    source, through = draw.choice(
        (
            ("Observation", "derived-from"),
            ("Provenance", "target"),
            ("Observation", "patient"),
            ("List", "item"),
        )
    )
    name, value = _any_parameter(draw, scene, source)
    return f"_has:{source}:{through}:{name}", value


def _any_parameter(draw: Random, scene: Scene, type_name: str) -> Pair:
    known = parameters_of(type_name)
    parameter = known[draw.choice(sorted(known))]
    modifier = draw.choice(_MODIFIERS.get(parameter.kind, (":missing",))) if draw.random() < 0.2 else ""
    if modifier == ":missing":
        return f"{parameter.name}{modifier}", draw.choice(("true", "false"))
    return f"{parameter.name}{modifier}", _value(draw, scene, parameter)


def _value(draw: Random, scene: Scene, parameter: SearchParameter) -> str:
    if parameter.name == "_id":
        return scene.record(draw).partition("/")[2]
    if parameter.name == "identifier":
        return f"{WEIGHTS}|{draw.choice(DAYS)}"
    match parameter.kind:
        case Kind.NUMBER | Kind.QUANTITY:
            return draw.choice(("gt1", "62.5", "lt100", "128", "5.4|http://unitsofmeasure.org|mg"))
        case Kind.DATE:
            return draw.choice(_PREFIXES) + draw.choice((*DAYS, "2026-11-01", "2026-11-01T00:10:00Z"))
        case Kind.REFERENCE:
            return scene.record(draw, draw.choice(parameter.targets or (None,)))
        case Kind.COMPOSITE:
            return f"{draw.choice(_CODES)}${draw.choice(('gt1', 'final', '85354-9'))}"
        case Kind.STRING:
            return draw.choice(("見本", "架空", "a"))
        case Kind.URI:
            return "https://hook.example/"
        case _:
            return draw.choice(_CODES)


def _shape(draw: Random, scene: Scene, type_name: str) -> list[Pair]:
    """Result parameters."""
    include = draw.choice(("*", f"{type_name}:subject", f"{type_name}:patient", f"{type_name}:derived-from"))
    back = draw.choice(("*", "Provenance:target", "Observation:derived-from", "List:item"))
    choices: list[Pair] = [
        ("_count", draw.choice(("0", "1", "2", "3", "1000"))),
        ("_total", draw.choice(("accurate", "none", "estimate"))),
        (
            "_sort",
            draw.choice(("_lastUpdated", "-_lastUpdated", "_id", "-date", "date,_id", "value-quantity")),
        ),
        ("_summary", draw.choice(("count", "true", "text", "data"))),
        ("_elements", "subject"),
        (draw.choice(("_include", "_include:iterate")), include),
        (draw.choice(("_revinclude", "_revinclude:iterate")), back),
        ("_lastUpdated", draw.choice(("gt2026-11-01", "lt2026-11-01T00:10:00Z"))),
    ]
    return draw.sample(choices, draw.choice((0, 1, 1, 2, 3)))


def changes(draw: Random) -> list[Pair]:
    """What a history is asked for."""
    choices: list[Pair] = [
        ("_count", draw.choice(("1", "2", "7"))),
        ("_since", draw.choice(("2026-11-01", "2026-11-01T00:02:00Z"))),
        ("_at", draw.choice(("2026-11-01", "2026-11-01T00:02:00Z"))),
        ("_elements", "subject"),
    ]
    return draw.sample(choices, draw.choice((0, 1, 2)))
