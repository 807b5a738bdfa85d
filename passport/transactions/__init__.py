"""Bundles of requests: a transaction is carried out whole or not at all, a batch entry by entry.

http://hl7.org/fhir/R4/http.html#transaction
"""

from passport.transactions.entries import Asked, Method, asked_of, entries_of
from passport.transactions.grouping import write_group
from passport.transactions.linking import refers_to_any
from passport.transactions.whole import Known, carry_out

__all__ = ["Asked", "Known", "Method", "asked_of", "carry_out", "entries_of", "refers_to_any", "write_group"]
