"""Disclosure: the one way by which records leave the store.

http://hl7.org/fhir/R4/http.html

A disclosure is two round trips: the standing, then one data-modifying statement with its COMMIT in one pipeline.
"""

from passport.disclosure.searching import Page, search
from passport.disclosure.single import Shown, directory_trees, history, read, version

__all__ = ["Page", "Shown", "directory_trees", "history", "read", "search", "version"]
