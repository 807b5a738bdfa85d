"""Own お薬手帳 texts with plainly fictional names, and the check that every resource is FHIR R4."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhirmap.jahis.to_fhir import Imported, import_jahis
from fhirmap.jsonformat import Json, dumps

Import = Callable[..., Imported]

HEAD = """\
JAHISTC08,1
1,見本 花子,2,S300401,,,,,,,ミホン ハナコ
5,R080310,1
11,見本薬局 駅前店,07,4,0000001,,,,1
15,例示 薬子,,1
51,架空クリニック,07,1,0000002,1
55,架空 次郎,内科,1
"""


@pytest.fixture
def head() -> str:
    """Person, visit, pharmacy and prescriber, before any RP."""
    return HEAD


@pytest.fixture
def notebook() -> str:
    """One tablet for 28 days, as a pharmacy's system writes it."""
    return (
        HEAD
        + """\
201,1,見本錠５ｍｇ,1,錠,4,2149999F1011,1,【般】見本錠５ｍｇ,2,2149999F1ZZZ
301,1,【分１ 朝食後服用】,28,日分,1,2,1011000400000000,1
"""
    )


@pytest.fixture
def imported() -> Import:
    """Import a text as cp932 with CR LF, the way a pharmacy hands it in."""

    def run(text: str, *, source: str = "Organization/pharmacy", patient: str = "Patient/hanako") -> Imported:
        data = text.replace("\n", "\r\n").encode("cp932")
        result = import_jahis(data, patient=patient, source=source)
        assert_valid(result.resources)
        return result

    return run


def assert_valid(resources: Iterable[Json]) -> None:
    for resource in resources:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(dumps(resource))


@pytest.fixture
def valid() -> Callable[[Iterable[Json]], None]:
    """Fail for any resource that fhir.resources refuses as R4."""
    return assert_valid


@pytest.fixture
def of_type() -> Callable[[Imported, str], list[dict[str, Any]]]:
    """Pick the resources of one type."""
    return lambda result, name: [each for each in result.resources if each["resourceType"] == name]
