"""A service on the loopback, a resident who shares weights, and a physician who may write them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import resources as made
from tests.databases import Database
from tests.loopback import Served, loopback
from tests.unit.consent.words import consent_json, permit


@dataclass(frozen=True)
class Practice:
    """Who calls: the physician in a role, with a token; `patient` is whom it is about."""

    served: Served
    patient: str
    role: str
    token: str


@pytest.fixture(scope="module")
def practice(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with loopback(module_database, tmp_path_factory.mktemp("installation")) as served:
        operator = ("operator", "HOPERAT")
        hospital = served.create(*operator, made.organization("ひな形病院"))
        person = served.create(*operator, made.practitioner("架空 一郎"))
        role = served.create(*operator, made.role(person, hospital))
        patient = served.create(*operator, {"resourceType": "Patient", "name": [{"text": "見本 花子"}]})
        shared = permit(hospital, codes=[made.BODY_WEIGHT], actions=["access", "collect", "correct"])
        served.create(patient, "PATRQT", consent_json(shared, patient))
        served.create(patient, "PATRQT", made.pressure(patient))
        yield Practice(served, patient, role, served.token(role, "TREAT"))
