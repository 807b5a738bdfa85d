"""Whom a search names: the patients in the criteria of a subscription.

http://hl7.org/fhir/R4/subscription-definitions.html#Subscription.criteria

Only what names a patient outright counts: `patient=x`, `subject=Patient/x`, `Patient?_id=x`. A chain, a
modifier such as `:not` or an identifier may be about anybody.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE: Final = re.compile(r"(https?://[^|]+/)?Patient/[A-Za-z0-9\-.]{1,64}")
_OF_ANY_TYPE: Final = frozenset({"patient", "subject"})
_MODIFIERS: Final = frozenset({"", "Patient"})


def patients_named(criteria: str) -> tuple[str, ...]:
    """Return the references to patients that a search names, as they are written: `Patient/x` or a URL.

    Args:
        criteria: a search as `Observation?patient=x&code=…`.
    """
    address, _, query = criteria.partition("?")
    return tuple(dict.fromkeys(_named(address.rpartition("/")[2], query)))


def _named(type_name: str, query: str) -> Iterator[str]:
    for name, value in parse_qsl(query):
        parameter, _, modifier = name.partition(":")
        if modifier not in _MODIFIERS:
            continue
        itself = type_name == "Patient" and parameter == "_id"
        for one in value.split(","):
            if _REFERENCE.fullmatch(one):
                yield one
            elif _ID.fullmatch(one) and (itself or parameter in _OF_ANY_TYPE or modifier == "Patient"):
                yield f"Patient/{one}"
