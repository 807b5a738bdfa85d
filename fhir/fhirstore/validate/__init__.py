"""Validation of a resource against FHIR R4, all problems at once.

http://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Mapping
from typing import Any

from fhirstore.errors import Problem
from fhirstore.validate.models import model_problems
from fhirstore.validate.profiles import held_problems
from fhirstore.validate.walk import Walk


def validate(tree: Mapping[str, Any], *, confirm: bool = False) -> list[Problem]:
    """Return everything that is wrong with a resource; empty if it is valid.

    Texts name elements and codes, never other values. A profile that the resource claims and is held to
    (see `profiles`) counts as part of the specification.

    Args:
        tree: what `parse` read.
        confirm: also ask the models of fhir.resources, once the walk has found nothing. They take several times
            as long, and find nothing more: that is a property which the tests prove type by type.
    """
    walk = Walk()
    walk.resource(tree)
    if walk.problems:
        return walk.problems
    problems = held_problems(tree)
    if problems or not confirm:
        return problems
    return model_problems(tree)


__all__ = ["validate"]
