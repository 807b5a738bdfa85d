"""What the server tells of itself, in each mode that R4 knows.

http://hl7.org/fhir/R4/http.html#capabilities
"""

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from fhirstore.validate.profiles import PROFILES
from tests.town import Town, outcome

pytestmark = pytest.mark.anyio


async def test_all_of_it_is_told_unless_a_part_is_asked_for(town: Town) -> None:
    plain, full = [await town.stranger.get(path) for path in ("metadata", "metadata?mode=full")]
    assert plain.status_code == 200
    assert plain.content == full.content


async def test_the_normative_part_leaves_out_what_is_for_trial_use(town: Town) -> None:
    full, normative = [
        (await town.stranger.get(f"metadata?mode={mode}")).json() for mode in ("full", "normative")
    ]
    CapabilityStatement.model_validate(normative)
    for whole, part in zip(full["rest"][0]["resource"], normative["rest"][0]["resource"], strict=True):
        assert whole.keys() - part.keys() == {
            "conditionalCreate",
            "conditionalRead",
            "conditionalUpdate",
            "conditionalDelete",
        }
        assert {name: whole[name] for name in part} == part
    assert full.keys() == normative.keys()


@pytest.mark.parametrize("query", ["foo=1", "mode=full&resource=Patient", "_count=1"])
async def test_what_it_does_not_take_is_refused_by_name(town: Town, query: str) -> None:
    told = outcome(await town.stranger.get(f"metadata?{query}"), 400, "invalid")
    assert told["issue"][0]["expression"] == [query.rpartition("&")[2].partition("=")[0]]


async def test_a_part_of_it_is_told_on_request(town: Town) -> None:
    part = (await town.stranger.get("metadata?_elements=format&_format=json&_pretty=true")).json()
    assert {"format", "status", "kind", "fhirVersion"} <= part.keys()
    assert "rest" not in part
    summary = (await town.stranger.get("metadata?_summary=true")).json()
    assert summary["meta"]["tag"][0]["code"] == "SUBSETTED"
    CapabilityStatement.model_validate(summary)


async def test_no_terminology_service_is_said_to_be_there(town: Town) -> None:
    told = outcome(await town.stranger.get("metadata?mode=terminology"), 404, "not-supported")
    assert "no terminology service" in told["issue"][0]["diagnostics"]


@pytest.mark.parametrize("query", ["mode=banana", "mode=", "mode=FULL", "mode=full&mode=full"])
async def test_another_mode_is_refused(town: Town, query: str) -> None:
    told = outcome(await town.stranger.get(f"metadata?{query}"), 400, "invalid")
    assert told["issue"][0]["expression"] == ["mode"]


async def test_the_log_offers_no_operation_that_writes(town: Town) -> None:
    (rest,) = (await town.stranger.get("metadata")).json()["rest"]
    told = {row["type"]: {one["name"] for one in row["operation"]} for row in rest["resource"]}
    assert {"meta", "meta-add", "meta-delete"} <= told["Observation"]
    assert not {"meta-add", "meta-delete"} & told["AuditEvent"]
    assert "meta" in told["AuditEvent"]


async def test_each_type_names_the_profiles_that_are_checked_of_it(town: Town) -> None:
    (rest,) = (await town.stranger.get("metadata")).json()["rest"]
    told = {row["type"]: row.get("supportedProfile", []) for row in rest["resource"]}
    assert sorted(url for urls in told.values() for url in urls) == sorted(PROFILES)
    assert told["MedicationDispense"] == [
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationDispense"
    ]
    assert told["Consent"] == []
