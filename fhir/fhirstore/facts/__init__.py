"""The facts of a record: what search and consent know of it, read once when it is written.

http://hl7.org/fhir/R4/consent.html
http://hl7.org/fhir/R4/security-labels.html

Which element holds which fact is said by the table of types; this package only walks it.

- Patients are those that literal references name. `Patient/x`, its absolute URL here and either with a
  version are one and the same; a patient elsewhere, a `urn:`, a contained Patient or a logical identifier
  names nobody who could consent here.
- Contained resources and the entries of a Bundle are parts: records of their own, with their container's
  facts where they have none. The patients that they name are the container's too.
- Of a part whose type is not held nothing is known but that type, its labels and whom it refers to. What its
  own elements say may be what somebody denied, so it does not take its container's codes, categories, time
  and authors: they stay unknown.
- The category that a vitals profile implies is kept apart from those that the record states.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fhirstore.elements import Code, References, values_at
from fhirstore.facts.reading import VITAL_SIGNS, labels_of, medications_in, patients_of, read
from fhirstore.facts.record import CONFIDENTIALITIES, CONFIDENTIALITY_SYSTEM, Columns, Facts, Holder
from fhirstore.facts.wholes import completed
from fhirstore.parts import Placed, placed
from fhirstore.types import ResourceType, resource_type


def extract(
    tree: Mapping[str, Any],
    *,
    zone: ZoneInfo,
    medication_codes: Mapping[str, Sequence[Code]] | None = None,
    base_urls: Collection[str] = (),
) -> Facts:
    """Read the facts of a resource.

    Args and Raises as of `gathered`.
    """
    return completed(gathered(tree, zone=zone, medication_codes=medication_codes, base_urls=base_urls))


def gathered(
    tree: Mapping[str, Any],
    *,
    zone: ZoneInfo,
    medication_codes: Mapping[str, Sequence[Code]] | None = None,
    base_urls: Collection[str] = (),
) -> Facts:
    """Read what a resource and its parts say, each of itself; `completed` lets the parts take from the whole.

    Args:
        tree: a valid resource, with the id that it is stored under.
        zone: the passport's time zone, in which days begin and end.
        medication_codes: the codes of the Medications that `medications` names; of one that is missing
            the codes are not known.
        base_urls: this service's own base URLs, without a slash at the end.

    Raises:
        UnknownType: the resource is of a type that the store does not hold, or one inside it of none of R4's.
    """
    _held(tree)
    at = placed(tree, References(tuple(base_urls)))
    return read(at, zone, medication_codes or {})


def medications(tree: Mapping[str, Any], base_urls: Collection[str] = ()) -> tuple[str, ...]:
    """Return the `Medication/x` references whose codes `extract` wants to be given.

    Raises:
        UnknownType: as `extract`.
    """
    _held(tree)
    return tuple(dict.fromkeys(medications_in(placed(tree, References(tuple(base_urls))))))


def about(tree: Mapping[str, Any], row: ResourceType, base_urls: Collection[str] = ()) -> tuple[str, ...]:
    """Return the records that a resource of this type follows, or the patients whom it names.

    It may not have been validated yet: this tells whose consents to ask, and nothing of what may be stored.
    """
    references = References(tuple(base_urls))
    if row.follows:
        return references.literals(values_at(tree, row.follows))
    # The id of a new Patient is none of its own choosing.
    return patients_of(Placed(tree, references, {}, addressed=False), row)


def _held(tree: Mapping[str, Any]) -> ResourceType:
    # Whether this installation holds it was decided where it came in.
    return resource_type(str(tree.get("resourceType", "")), sandbox=True)


__all__ = [
    "CONFIDENTIALITIES",
    "CONFIDENTIALITY_SYSTEM",
    "VITAL_SIGNS",
    "Columns",
    "Facts",
    "Holder",
    "about",
    "completed",
    "extract",
    "gathered",
    "labels_of",
    "medications",
]
