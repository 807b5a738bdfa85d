"""The rules of documents, lists, forms, terminologies, requests and plans."""

from typing import Any

import pytest

from fhirstore.validate import validate

NOW = "2024-06-01T10:00:00+09:00"
LINE = {"linkId": "1", "type": "string"}
ITEM = {"reference": "Observation/x"}
LESS = {"value": 1, "unit": "x", "comparator": "<"}


def resource(name: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": name} | elements


def form(*items: dict[str, Any]) -> dict[str, Any]:
    return resource("Questionnaire", status="active", item=list(items))


def appointment(**elements: Any) -> dict[str, Any]:
    someone = {"actor": {"reference": "Patient/hanako"}, "status": "accepted"}
    return resource(
        "Appointment", **({"status": "booked", "start": NOW, "end": NOW, "participant": [someone]} | elements)
    )


def listed(**elements: Any) -> dict[str, Any]:
    return resource(
        "List", **({"status": "current", "mode": "snapshot", "entry": [{"item": ITEM}]} | elements)
    )


def task(**elements: Any) -> dict[str, Any]:
    return resource("Task", status="requested", intent="order", **elements)


def composition(**section: Any) -> dict[str, Any]:
    cover = resource("Composition", status="final", type={"text": "x"}, date="2024-06-01", title="x")
    return cover | {"author": [{"reference": "Practitioner/a"}], "section": [section]}


BROKEN = [
    ("app-1", appointment(participant=[{"status": "accepted"}])),
    ("app-2", appointment(end=None, status="proposed")),
    ("app-3", appointment(start=None, end=None)),
    ("app-4", appointment(cancelationReason={"text": "x"})),
    ("lst-1", listed(emptyReason={"text": "x"})),
    ("lst-2", listed(entry=[{"item": ITEM, "deleted": True}])),
    ("lst-3", listed(entry=[{"item": ITEM, "date": "2024"}])),
    ("inv-1", task(authoredOn="2024-06-02", lastModified="2024-06-01")),
    ("cmp-1", composition(title="x")),
    ("cmp-2", composition(entry=[ITEM], emptyReason={"text": "x"})),
    ("que-1", form(LINE | {"type": "group"})),
    ("que-1", form(LINE | {"type": "display", "item": [LINE | {"linkId": "2"}]})),
    ("que-2", form(LINE, LINE | {"linkId": "2", "type": "group", "item": [LINE]})),
    ("que-3", form(LINE | {"type": "display", "code": [{"code": "x"}]})),
    ("que-4", form(LINE | {"answerOption": [{"valueString": "x"}], "answerValueSet": "http://x.example/v"})),
    ("que-5", form(LINE | {"type": "boolean", "answerValueSet": "http://x.example/v"})),
    ("que-6", form(LINE | {"type": "display", "required": True})),
    ("que-7", form(LINE | {"enableWhen": [{"question": "2", "operator": "exists", "answerString": "x"}]})),
    ("que-8", form(LINE | {"type": "display", "initial": [{"valueString": "x"}]})),
    ("que-9", form(LINE | {"type": "display", "readOnly": True})),
    ("que-10", form(LINE | {"type": "date", "maxLength": 3})),
    ("que-11", form(LINE | {"answerOption": [{"valueString": "x"}], "initial": [{"valueString": "x"}]})),
    ("que-12", form(LINE | {"enableWhen": [{"question": "2", "operator": "=", "answerString": "x"}] * 2})),
    ("que-13", form(LINE | {"initial": [{"valueString": "x"}, {"valueString": "y"}]})),
    (
        "qrs-1",
        resource(
            "QuestionnaireResponse",
            status="completed",
            item=[{"linkId": "1", "answer": [{"valueString": "x"}], "item": [{"linkId": "2"}]}],
        ),
    ),
    (
        "fhs-1",
        resource(
            "FamilyMemberHistory",
            status="completed",
            patient={"reference": "Patient/hanako"},
            relationship={"text": "x"},
            ageString="x",
            bornString="x",
        ),
    ),
    (
        "fhs-2",
        resource(
            "FamilyMemberHistory",
            status="completed",
            patient={"reference": "Patient/hanako"},
            relationship={"text": "x"},
            estimatedAge=True,
        ),
    ),
    (
        "gol-1",
        resource(
            "Goal",
            lifecycleStatus="active",
            description={"text": "x"},
            subject={"reference": "Patient/hanako"},
            target=[{"detailString": "x"}],
        ),
    ),
    (
        "mad-1",
        resource(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept={"text": "x"},
            subject={"reference": "Patient/hanako"},
            effectiveDateTime="2024",
            dosage={"text": "x"},
        ),
    ),
    (
        "prr-1",
        resource(
            "ServiceRequest",
            status="active",
            intent="order",
            subject={"reference": "Patient/hanako"},
            orderDetail=[{"text": "x"}],
        ),
    ),
    (
        "cpl-3",
        resource(
            "CarePlan",
            status="active",
            intent="plan",
            subject={"reference": "Patient/hanako"},
            activity=[{"reference": {"reference": "Task/x"}, "detail": {"status": "completed"}}],
        ),
    ),
    ("csd-1", resource("CodeSystem", status="active", content="complete", concept=[{"code": "x"}] * 2)),
    ("vsd-1", resource("ValueSet", status="active", compose={"include": [{"version": "1"}]})),
    (
        "vsd-3",
        resource(
            "ValueSet",
            status="active",
            compose={
                "include": [
                    {
                        "system": "http://x.example",
                        "concept": [{"code": "x"}],
                        "filter": [{"property": "x", "op": "=", "value": "x"}],
                    }
                ]
            },
        ),
    ),
    (
        "vsd-10",
        resource("ValueSet", status="active", expansion={"timestamp": NOW, "contains": [{"code": "x"}]}),
    ),
]

KEPT = [
    appointment(),
    {key: value for key, value in appointment(status="waitlist").items() if key not in ("start", "end")},
    listed(),
    listed(mode="working", entry=[{"item": ITEM, "date": "2024"}]),
    task(authoredOn="2024-06-01", lastModified="2024-06-01"),
    composition(text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}),
    form(LINE, LINE | {"linkId": "2", "type": "group", "item": [LINE | {"linkId": "3"}]}),
    form(LINE | {"enableWhen": [{"question": "2", "operator": "exists", "answerBoolean": True}]}),
    form(LINE | {"repeats": True, "initial": [{"valueString": "x"}, {"valueString": "y"}]}),
]


@pytest.mark.parametrize(("key", "tree"), BROKEN, ids=[f"{key}-{at}" for at, (key, _) in enumerate(BROKEN)])
def test_broken_rule_is_told_by_its_key(key: str, tree: dict[str, Any]) -> None:
    problems = validate({name: value for name, value in tree.items() if value is not None})
    assert [(problem.code, problem.text.partition(":")[0]) for problem in problems] == [("invariant", key)]


@pytest.mark.parametrize("tree", KEPT, ids=range(len(KEPT)))
def test_kept_rules_are_silent(tree: dict[str, Any]) -> None:
    assert validate(tree) == []


@pytest.mark.parametrize(
    ("elements", "places"),
    [
        ({"referenceRange": [{"high": LESS}]}, ["Observation.referenceRange[0].high"]),
        ({"valueRange": {"low": LESS}}, ["Observation.valueRange.low"]),
        ({"valueQuantity": LESS}, []),
    ],
)
def test_simple_quantity_has_no_comparator(elements: dict[str, Any], places: list[str]) -> None:
    problems = validate(resource("Observation", status="final", code={"text": "x"}, **elements))
    assert [problem.expression for problem in problems] == places
    assert all(problem.text.startswith("sqty-1:") for problem in problems)
