"""Disclosure: the one way by which records leave the store.

http://hl7.org/fhir/R4/http.html

A disclosure is two round trips: the standing, then one data-modifying statement with its COMMIT in one pipeline.
What has to be looked into before, or comes along, is gathered in the same transaction by further ones.
"""

from passport.disclosure.changing import Asked, Versions, changes
from passport.disclosure.searching import Page, search
from passport.disclosure.several import versions_of
from passport.disclosure.single import Shown, directory_trees, read, version

__all__ = [
    "Asked",
    "Page",
    "Shown",
    "Versions",
    "changes",
    "directory_trees",
    "read",
    "search",
    "version",
    "versions_of",
]
