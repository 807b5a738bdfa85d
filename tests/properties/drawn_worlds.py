"""Worlds at random in FHIR's own words, as `passport consent evaluate` takes them; drawn by a seed alone.

They are small, so that thousands a minute can be had and one that fails can be read: who is asked about, who asks and
what is asked meet often, since all are drawn from few values. Values are hostile: wildcards, quotes, mixed case, and
texts that a normalisation would make one.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from consent.systems import ACT_CODE, ATC, CONFIDENTIALITY, LOINC, MDC, SNOMED
from tests.unit.consent.words import P1, P2, YJ, Json, coding, concept, consent_json, provision

ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
ODD: Final = "http://例.example/\"'%_\\{}"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

NOW: Final = "2026-01-02T00:00:00Z"
ROLES: Final = ("ra", "rb", "rk")
ACTORS: Final = (
    "Practitioner/a", "Practitioner/b", "PractitionerRole/ra", "PractitionerRole/rk", "Organization/h",
    "Organization/k", "Organization/top", "CareTeam/t", "Group/g", "Device/app", "RelatedPerson/r", P2,
)  # fmt: skip
PURPOSES: Final = ("TREAT", "ETREAT", "BTG", "HRESCH", "PATRQT")
ACTIONS: Final = ("access", "collect", "correct")
DATES: Final = (
    "2024",
    "2025-12",
    "2025-12-31",
    "2026-01-01",
    "2026-01-02T00:00:00Z",
    "2026-01-03",
    "2026-01-02T09:00:00+09:00",
)
TIMES: Final = (
    "2024-06",
    "2025-12-31",
    "2026-01-01",
    "2026-01-01T23:30:00+09:00",
    "2026-01-02T00:00:00.5Z",
    "2026",
    "2027-01-01",
)
CODES: Final = (
    (ATC, "C09"), (ATC, "c09"), (ATC, "C09_"), (YJ, "Ｃ０９"), (LOINC, "85354-9"), (LOINC, "%"), (MDC, "150020"),
    (ICD10, "B20"), (SNOMED, "86406008"), (ODD, "café"), (ODD, "cafe\u0301"),
)  # fmt: skip
CATEGORIES: Final = ((CATEGORY, "vital-signs"), (CATEGORY, "laboratory"), (ODD, "'; --"))
LEVELS: Final = ("U", "L", "M", "N", "N", "N", "R", "V")
SENSITIVITIES: Final = ("HIV", "PSY", "ETH")
CLASSES: Final = (
    "Observation", "Observation", "MedicationRequest", "MedicationRequest", "Condition", "Encounter", "Patient",
    "Consent", "Provenance", "Binary", "Bundle", "CareTeam", "Appointment", "Flag",
)  # fmt: skip
INSTANCES: Final = ("Observation/0", "MedicationRequest/1", "Encounter/2", "Condition/3", "Bundle/4")
AUTHORS: Final = ("Practitioner/a", "Practitioner/b", "Organization/h", "Device/cuff")
_VITALS_PROFILE: Final = "http://hl7.org/fhir/StructureDefinition/bp"
_OTHER: Final = {"permit": "deny", "deny": "permit"}


def drawn_world(seed: int | str) -> Json:
    """The world of a seed."""
    chance = Random(seed)
    consents = [_consent(chance, number) for number in range(chance.choice((1, 1, 2, 2, 3)))]
    if chance.random() < 0.7:
        consents.append(_shared(chance))
    return {
        "consents": consents,
        "directory": _directory(chance),
        "records": [_record(chance, number) for number in range(chance.choice((2, 3, 4, 5)))]
        + _followers(chance),
        "request": _request(chance),
    }


def _some(chance: Random, pool: Sequence[Any], most: int = 2) -> list[Any]:
    return [chance.choice(pool) for _ in range(chance.randint(1, most))]


def _request(chance: Random) -> Json:
    asker = chance.choice((*ROLES, "ra", "ra", "ra", None))
    actors = (
        [f"PractitionerRole/{asker}"] if asker else [chance.choice((*ACTORS, P1, "PractitionerRole/unknown"))]
    )
    if chance.random() < 0.05:
        actors.append(chance.choice(ACTORS))
    client = {"client": chance.choice(("Device/app", "Device/other"))} if chance.random() < 0.2 else {}
    return {
        "actors": actors,
        "purpose": chance.choice((*["TREAT"] * 12, *PURPOSES)),
        "action": chance.choice((*["access"] * 10, "collect", "correct")),
        "time": chance.choice((NOW, NOW, NOW, "2026-01-01T14:59:59.999Z", "2026-01-01T15:00:00Z")),
        **client,
    }


def _shared(chance: Random) -> Json:
    """A consent that grants much, without which most worlds would permit too little to be told apart."""
    root = provision(
        "permit", chance.choice(("Organization/h", "Organization/top")), purposes=["TREAT", "BTG"]
    )
    return {**consent_json(root, chance.choice((P1, P1, P1, P2, None))), "id": "shared"}


def _consent(chance: Random, number: int) -> Json:
    kind = chance.choice(("permit", "permit", "permit", "deny"))
    root = _provision(chance, kind, 1, granting=kind == "permit")
    resource = consent_json(root, chance.choice((P1, P1, P1, P1, P2, None)))
    if chance.random() < 0.03:
        resource["status"] = chance.choice(("proposed", "inactive", "rejected"))
    if chance.random() < 0.05:
        del root["type"]
        resource["policyRule"] = concept((ACT_CODE, "OPTIN" if kind == "permit" else "OPTOUT"))
    return {**resource, "id": str(number)}


_DEPTHS: Final = (0, 0.6, 0.45, 0.3, 0.3, 0.3, 0.3, 0.3, 0)
"""How likely a provision at each depth has exceptions; none has any at the eighth."""


def _provision(chance: Random, kind: str, depth: int, *, granting: bool) -> Json:
    drawn = chance.random()
    names = chance.sample(list(_ATTRIBUTES), 0 if granting and drawn < 0.5 else 1 if drawn < 0.8 else 2)
    said = {name: _ATTRIBUTES[name](chance) for name in names}
    if granting:
        said.setdefault("actors", [chance.choice(_RECIPIENTS)])
        said.setdefault("purposes", chance.choice((["TREAT"], ["TREAT"], ["TREAT", "BTG"])))
    if {"levels", "sensitivities"} <= said.keys():
        del said["levels"]
    if chance.random() < _DEPTHS[depth]:
        grants = kind == "deny" and depth == 1
        below = range(chance.choice((1, 1, 2)))
        said["but"] = [_provision(chance, _OTHER[kind], depth + 1, granting=grants) for _ in below]
    labels = [*said.pop("levels", ()), *said.pop("sensitivities", ())]
    return provision(kind, *said.pop("actors", ()), labels=labels, **said)


_RECIPIENTS: Final = ("Organization/h", "Practitioner/a", "CareTeam/t", "Group/g", "Organization/top")


def _period(chance: Random) -> Json:
    start, end = sorted(chance.sample(range(len(DATES)), 2))
    whole = {"start": DATES[start], "end": DATES[end]}
    return {name: whole[name] for name in chance.choice((("start",), ("end",), ("start", "end")))}


def _data(chance: Random) -> list[tuple[str, str]]:
    meaning = chance.choice(("instance", "dependents", "authoredby", "related"))
    if meaning == "related":
        return [(meaning, "Encounter/2")]
    return [(meaning, each) for each in _some(chance, AUTHORS if meaning == "authoredby" else INSTANCES)]


_ATTRIBUTES: Final[dict[str, Callable[[Random], Any]]] = {
    "period": _period,
    "actors": lambda chance: _some(chance, ACTORS),
    "purposes": lambda chance: _some(chance, PURPOSES[:3]),
    "actions": lambda chance: _some(chance, ACTIONS),
    "types": lambda chance: _some(chance, CLASSES, 3),
    "classes": lambda chance: _some(chance, CATEGORIES),
    "codes": lambda chance: _some(chance, CODES, 3),
    "levels": lambda chance: _some(chance, LEVELS),
    "sensitivities": lambda chance: [(ACT_CODE, each) for each in _some(chance, SENSITIVITIES)],
    "data_period": _period,
    "data": _data,
}


def _reference(name: str) -> Json:
    return {"reference": name}


def _references(chance: Random, pool: Sequence[str]) -> list[Json]:
    return [_reference(each) for each in _some(chance, pool)]


def _patient(chance: Random) -> Json:
    return _reference(
        chance.choice((P1, P1, P1, P1, P1, P2, f"{P1}/_history/2", "#p", "https://x.example/Patient/p1"))
    )


def _codeable(chance: Random) -> Json:
    return concept(*_some(chance, CODES))


def _when(chance: Random, name: str) -> Json:
    if chance.random() < 0.2:
        return {}
    if chance.random() < 0.7:
        return {f"{name}DateTime": chance.choice(TIMES)}
    return {f"{name}Period": _period(chance)}


def _meta(chance: Random) -> Json:
    security = [coding(CONFIDENTIALITY, chance.choice(LEVELS))] if chance.random() < 0.85 else []
    if chance.random() < 0.2:
        security.append(coding(ACT_CODE, chance.choice(SENSITIVITIES)))
    profile = {"profile": [_VITALS_PROFILE]} if chance.random() < 0.1 else {}
    return {"meta": {**({"security": security} if security else {}), **profile}}


def _observation(chance: Random) -> Json:
    return {
        "subject": _patient(chance),
        **({"code": _codeable(chance)} if chance.random() < 0.85 else {}),
        **({"category": [concept(chance.choice(CATEGORIES))]} if chance.random() < 0.6 else {}),
        **({"component": [{"code": _codeable(chance)}]} if chance.random() < 0.2 else {}),
        **_when(chance, "effective"),
        **(
            {"performer": [_reference(each) for each in _some(chance, (*AUTHORS, P2))]}
            if chance.random() < 0.7
            else {}
        ),
        **({"encounter": _reference("Encounter/2")} if chance.random() < 0.2 else {}),
        **({"derivedFrom": [_reference(chance.choice(INSTANCES))]} if chance.random() < 0.2 else {}),
    }


def _prescription(chance: Random) -> Json:
    medicine: Json = {"medicationCodeableConcept": _codeable(chance)}
    if chance.random() < 0.3:
        medicine = {
            "medicationReference": _reference(chance.choice(("Medication/m", "#m", "Medication/lost")))
        }
        medicine["contained"] = [{"resourceType": "Medication", "id": "m", "code": _codeable(chance)}]
    return {
        "subject": _patient(chance),
        **medicine,
        **({"authoredOn": chance.choice(TIMES)} if chance.random() < 0.8 else {}),
        **({"requester": _reference(chance.choice(AUTHORS))} if chance.random() < 0.7 else {}),
    }


def _condition(chance: Random) -> Json:
    return {"subject": _patient(chance), "code": _codeable(chance), **_when(chance, "onset")}


def _encounter(chance: Random) -> Json:
    return {
        "subject": _patient(chance),
        "period": _period(chance),
        "partOf": _reference(chance.choice(INSTANCES)),
    }


def _appointment(chance: Random) -> Json:
    return {
        "participant": [{"actor": _reference(each)} for each in _some(chance, (P1, P1, P2, "Practitioner/a"))]
    }


def _bundle(chance: Random) -> Json:
    entries = [_record(chance, 6, inner=True) for _ in range(chance.randint(0, 2))]
    url = chance.choice(({}, {"fullUrl": "urn:uuid:0"}, {"fullUrl": "https://x.example/fhir/Observation/6"}))
    return {"entry": [{**url, "resource": each} for each in entries]}


_KINDS: Final[dict[str, Callable[[Random], Json]]] = {
    "Observation": _observation,
    "MedicationRequest": _prescription,
    "Condition": _condition,
    "Encounter": _encounter,
    "Patient": lambda chance: (
        {"link": [{"type": "seealso", "other": _reference(P2)}]} if chance.random() < 0.3 else {}
    ),
    "Consent": lambda chance: {"patient": _patient(chance)},
    "Appointment": _appointment,
    "CareTeam": lambda chance: {"subject": _patient(chance)},
    "Flag": lambda chance: {"subject": _patient(chance), "code": _codeable(chance)},
    "Organization": lambda chance: {},
    "Bundle": _bundle,
}
_DRAWN: Final = (*["Observation"] * 5, *["MedicationRequest"] * 3, "Condition", "Condition", *_KINDS)
_INSIDE: Final = tuple(kind for kind in _DRAWN if kind != "Bundle")


def _record(chance: Random, number: int, *, inner: bool = False) -> Json:
    kind = chance.choice(_INSIDE if inner else _DRAWN)
    record = {"resourceType": kind, "id": str(number), **_meta(chance), **_KINDS[kind](chance)}
    if not inner and chance.random() < 0.06:
        record.setdefault("contained", []).append(_record(chance, 7, inner=True))
    return record


def _followers(chance: Random) -> list[Json]:
    """Now and then a Binary of a record, and a Provenance of some."""
    found: list[Json] = []
    if chance.random() < 0.12:
        context = chance.choice((*INSTANCES, P1, None))
        held = {} if context is None else {"securityContext": _reference(context)}
        found.append({"resourceType": "Binary", "id": "b", **_meta(chance), **held})
    if chance.random() < 0.12:
        targets = _some(chance, (*INSTANCES, P1, "Binary/b", "Organization/h", "Provenance/v"))
        found.append(
            {"resourceType": "Provenance", "id": "v", "target": [_reference(each) for each in targets]}
        )
    return found


def _directory(chance: Random) -> list[Json]:
    roles = {"ra": ("a", "h"), "rb": ("b", "h"), "rk": ("a", "k")}
    found: list[Json] = [
        {
            "resourceType": "PractitionerRole",
            "id": role,
            "practitioner": _reference(f"Practitioner/{person}"),
            "organization": _reference(f"Organization/{where}"),
            **({"active": False} if chance.random() < 0.03 else {}),
            **({"period": _period(chance)} if chance.random() < 0.1 else {}),
        }
        for role, (person, where) in roles.items()
    ]
    above = chance.choice(("Organization/top", "Organization/top", "Organization/h", "Organization/lost"))
    found.append({"resourceType": "Organization", "id": "h", "partOf": _reference(above)})
    found += [{"resourceType": "Organization", "id": name} for name in ("k", "top")]
    found.append({"resourceType": "Medication", "id": "m", "code": _codeable(chance)})
    if chance.random() < 0.8:
        found.append(_team(chance))
    if chance.random() < 0.8:
        found.append(_group(chance))
    return found


def _team(chance: Random) -> Json:
    listed = _some(
        chance, ("Practitioner/a", "Organization/h", "PractitionerRole/rb", "Practitioner/a", "CareTeam/u")
    )
    return {
        "resourceType": "CareTeam",
        "id": "t",
        **({"status": chance.choice(("active", "inactive"))} if chance.random() < 0.2 else {}),
        **({"period": _period(chance)} if chance.random() < 0.2 else {}),
        "participant": [
            {"member": _reference(each), **({"period": _period(chance)} if chance.random() < 0.2 else {})}
            for each in listed
        ],
    }


def _group(chance: Random) -> Json:
    return {
        "resourceType": "Group",
        "id": "g",
        "actual": chance.random() < 0.9,
        **({"quantity": chance.randint(1, 3)} if chance.random() < 0.2 else {}),
        **({"characteristic": [{"exclude": False}]} if chance.random() < 0.1 else {}),
        "member": [
            {"entity": _reference(each), **({"inactive": True} if chance.random() < 0.1 else {})}
            for each in _some(chance, ("Practitioner/a", "Practitioner/b", "Organization/k", P1))
        ],
    }


_WRONG: Final[tuple[Any, ...]] = (
    None, "", 0, -1, 1.5, True, [], {}, "x", P1, "Patient/", "/", "#x", "Observation/0/_history/1", "見本" * 40, 2**70,
    [None], [[]], [{}], {"reference": 5}, {"reference": "#"}, {"coding": {}}, {"coding": [5]}, {"resourceType": 5},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "X"}}]}, {"start": 5}, {"event": [1]},
    {"start": "2026", "end": "2025"}, {"event": ["2024", "2025-01"]}, {"repeat": {"boundsPeriod": {"start": "2024"}}},
    "0000", "2024-13-45", "0001-01-01", "9999-12-31", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
    "9999-12-31T23:59:60-14:00", "0001-01-01T00:00:00+14:00",
)  # fmt: skip


def damaged(world: Json, seed: int | str) -> Json:
    """The world with some places of its resources changed for what nobody expects there."""
    chance = Random(f"damage {seed}")
    resources = [each for name in ("consents", "directory", "records") for each in world[name]]
    for _ in range(chance.randint(1, 4)):
        _damage(chance, chance.choice(resources))
    return world


def _damage(chance: Random, node: Any) -> None:
    while True:
        steps: list[Any] = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        if not steps:
            return
        step = chance.choice(steps)
        inner = node[step]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:
            break
        node = inner
    way = chance.random()
    if way < 0.6:
        node[step] = chance.choice(_WRONG)
    elif way < 0.75:
        del node[step]
    elif way < 0.85 or isinstance(node, list):
        node[step] = [node[step]]
    else:
        node[chance.choice(("extension", "x", "resourceType", "id", "contained", "entry", "link"))] = (
            node.pop(step)
        )
