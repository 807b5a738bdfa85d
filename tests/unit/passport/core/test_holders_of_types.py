"""Whose the records of each type are: a passport holds nothing of nobody."""

import pytest

from fhirstore.types import types_of
from passport.admission import Desk
from passport.outcomes import Invalid
from passport.records import Owner
from tests.hospital import device_metric, records_of
from tests.unit.passport.core.test_holders import P_KEY, P, Q, desk, owner

pytestmark = pytest.mark.anyio

__all__ = ["desk"]

NAMELESS = [name for name, row in types_of(sandbox=False).items() if not row.directory and not row.is_patient]


@pytest.mark.parametrize("type_name", records_of(P))
async def test_a_record_lies_with_the_patient_whom_it_names(desk: Desk, type_name: str) -> None:
    assert owner(desk, records_of(P)[type_name]) == Owner(7, P_KEY)


@pytest.mark.parametrize("type_name", NAMELESS)
async def test_a_record_that_names_no_patient_is_refused(desk: Desk, type_name: str) -> None:
    with pytest.raises(Invalid) as refused:
        owner(desk, {"resourceType": type_name})
    assert refused.value.status == 422
    assert refused.value.problems[0].code == "required"


@pytest.mark.parametrize(
    "criteria", ["Observation?code=x", "Observation?patient.name=x", "Observation?patient:not=Patient/p"]
)
async def test_a_subscription_to_what_could_be_anybodys_is_refused(desk: Desk, criteria: str) -> None:
    with pytest.raises(Invalid):
        owner(desk, {**records_of(P)["Subscription"], "criteria": criteria})


async def test_a_subscription_to_several_is_of_all_of_them(desk: Desk) -> None:
    tree = {**records_of(P)["Subscription"], "criteria": f"Observation?patient={P},{Q}"}
    assert owner(desk, tree) == Owner(7, P_KEY, (8,))


async def test_a_binary_lies_with_the_record_of_its_context(desk: Desk) -> None:
    binary = records_of(P)["Binary"]
    context = {"securityContext": {"reference": "Observation/of-p"}}
    assert owner(desk, {**binary, **context}) == Owner(7, P_KEY)
    for said in (None, {"identifier": {"value": "1"}}):
        with pytest.raises(Invalid):
            owner(desk, {**binary, "securityContext": said})


async def test_a_device_metric_lies_with_its_device(desk: Desk) -> None:
    assert owner(desk, device_metric("Observation/of-p")) == Owner(7, P_KEY)
