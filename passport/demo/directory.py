"""What the operator writes before anybody lives in the town: institutions, clinicians, device models.

http://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Iterator
from typing import Final

from passport.demo import town
from passport.demo.books import Books
from passport.demo.client import Caller, granted
from passport.demo.devices import MODELS

SIZE: Final = len(town.INSTITUTIONS) + len(town.CLINICIANS) + len(MODELS)


def entries(operator: Caller, books: Books) -> Iterator[str]:
    """Write the directory, one entry each time the iterator advances; yields the entry's key.

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
    for model in MODELS:
        granted(operator.put(f"/devices/models/{model.name}", model.registration()))
        yield model.name
