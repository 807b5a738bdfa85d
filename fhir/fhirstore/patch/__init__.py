"""Patches: documents that say how one version of a resource becomes the next.

http://hl7.org/fhir/R4/http.html#patch

Both kinds are read whole before anything is looked up, and applied to a copy: what cannot be carried out to its end
changes nothing.
"""

from fhirstore.patch.errors import PatchFails, UnreadablePatch
from fhirstore.patch.fhirpath_patch import read_fhirpath_patch
from fhirstore.patch.json_patch import read_json_patch

__all__ = ["PatchFails", "UnreadablePatch", "read_fhirpath_patch", "read_json_patch"]
