"""The search parameters of R4 as tables, one module per group of types.

http://hl7.org/fhir/R4/searchparameter-registry.html

They name every type that the passport is made for; a type that the store does not hold is not searched.
"""

from types import MappingProxyType
from typing import Final

from fhirstore.registry import (
    canonicals,
    care,
    clinical,
    documents,
    infrastructure,
    medicines,
    observations,
    people,
    workflow,
)
from fhirstore.registry.definition import Table, date, token, uri

# `_text` and `_content` are missing: there is no index of words, as words stand nowhere in the clear.
COMMON: Final = (
    token("_id", "id"),
    date("_lastUpdated", "meta.lastUpdated"),
    uri("_profile", "meta.profile"),
    token("_security", "meta.security"),
    uri("_source", "meta.source"),
    token("_tag", "meta.tag"),
)
"""The parameters of every type."""

_GROUPS: Final = (
    canonicals,
    care,
    clinical,
    documents,
    infrastructure,
    medicines,
    observations,
    people,
    workflow,
)
PARAMETERS: Final[Table] = MappingProxyType(
    {name: rows for group in _GROUPS for name, rows in group.PARAMETERS.items()}
)
"""The parameters of each type beside the common ones."""
