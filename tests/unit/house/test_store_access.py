"""`passport/disclosure.py` alone reads the store and `passport/intake.py` alone writes it."""

import pytest

from tests.unit.house.access import STORES, SYSTEM_READERS, Surface, breaches, surface_of, unlisted
from tests.unit.house.source import module_from, product_modules

SURFACE = Surface(reads=frozenset({"page"}), writes=frozenset({"save"}))


def test_only_disclosure_reads_and_only_intake_writes() -> None:
    surface = surface_of(*(module for module in product_modules() if module.name in STORES))
    assert [breach for module in product_modules() for breach in breaches(module, surface)] == []


def test_every_coroutine_of_the_store_is_listed_as_read_or_write() -> None:
    for module in product_modules():
        if module.name in STORES:
            assert unlisted(module, surface_of(module)) == []


def test_every_system_reader_is_a_module_that_exists() -> None:
    assert set(SYSTEM_READERS) <= {module.name for module in product_modules()}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("passport/routes/fhir.py", "from fhirstore.store import page"),
        ("passport/routes/fhir.py", "from fhirstore.store import page as anything"),
        ("passport/routes/fhir.py", "from fhirstore import store\nstore.save()"),
        ("passport/routes/fhir.py", "from fhirstore import store as s\ns.page()"),
        ("passport/routes/fhir.py", "import fhirstore.store\nfhirstore.store.page()"),
        ("passport/routes/fhir.py", "from fhirstore.store import *"),
        ("passport/routes/fhir.py", "from fhirstore.store import INSERT_RECORDS"),
        ("passport/routes/fhir.py", "from fhirstore.tables import resource"),
        ("workers/export.py", "STATEMENT = 'SELECT body FROM resource'"),
        ("passport/routes/everything.py", "from fhirstore.compartment.everything import page"),
        ("passport/intake.py", "from fhirstore.store import page"),
        ("passport/disclosure/single.py", "from fhirstore.store import save"),
    ],
)
def test_going_around_is_found(path: str, text: str) -> None:
    assert len(breaches(module_from(path, text), SURFACE)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("passport/disclosure/searching.py", "from fhirstore.store import page"),
        ("passport/disclosure/searching.py", "from fhirstore.tables import resource"),
        ("passport/intake.py", "from fhirstore import store\nstore.save()"),
        ("passport/routes/fhir.py", "from fhirstore.store import RecordRow"),
        ("fhir/fhirstore/history.py", "from fhirstore.store import page"),
    ],
)
def test_the_two_doors_are_open(path: str, text: str) -> None:
    assert breaches(module_from(path, text), SURFACE) == []


def test_the_lists_are_read_from_the_store() -> None:
    text = 'READS: Final = ("page",)\nWRITES = ("save",)\nasync def page(): ...\nasync def count(): ...'
    store = module_from("fhir/fhirstore/store.py", text)
    assert surface_of(store) == SURFACE
    assert unlisted(store, SURFACE) == ["count"]
