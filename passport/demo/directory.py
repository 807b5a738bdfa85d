"""What is written before anybody lives in the town: institutions, clinicians, a client, and models of devices.

http://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Iterator
from typing import Any, Final

from passport.demo import town
from passport.demo.books import Books
from passport.demo.client import Caller, granted
from passport.demo.devices import MODELS, new_key, private_jwk, public_jwk

PHARMACY_CLIENT: Final = "pharmacy"
SIZE: Final = len(town.INSTITUTIONS) + len(town.CLINICIANS) + 1 + len(MODELS)


def entries(operator: Caller, second: Caller, approver: Caller, books: Books) -> Iterator[str]:
    """Write the directory, one entry each time the iterator advances, and yield its key; the models as approver.

    Raises:
        Refused: an entry was not taken.
    """
    references = books.references
    for institution in town.INSTITUTIONS:
        references[institution.key] = operator.create(institution.resource(references))
        yield institution.key
    for clinician in town.CLINICIANS:
        references[town.person_key(clinician)] = operator.create(clinician.practitioner())
        references[clinician.key] = operator.create(clinician.role(references))
        yield clinician.key
    books.pharmacy_jwk = _register_client(operator, second, references["pharmacy"])
    yield PHARMACY_CLIENT
    for model in MODELS:
        granted(approver.put(f"/devices/models/{model.name}", model.registration()))
        yield model.name


def _register_client(operator: Caller, second: Caller, organization: str) -> dict[str, Any]:
    """Register the pharmacy's system, which signs in by itself, by two operators; returns its private key."""
    key = new_key("P-256")
    registration = {
        "name": "れいじ薬局 レセプトコンピュータ",
        "subject": organization,
        "jwks": {"keys": [public_jwk(key)]},
        "purposes": ["TREAT"],
    }
    path = f"/auth/clients/{PHARMACY_CLIENT}"
    proposed = granted(operator.put(path, registration)).json()["proposed"]
    granted(second.post(f"{path}/approve", {"proposal": proposed["proposal"]}))
    return private_jwk(key)
