"""Intake: the one way by which records enter the store.

http://hl7.org/fhir/R4/http.html#create
http://hl7.org/fhir/R4/http.html#update

A write is validated whole, given to its patient, stored, and judged where it stands: the same clause that decides
reads is asked of the rows that were just saved, in their transaction, and a refusal undoes them. So contained
resources, several patients and every condition on the new content count as they do for readers.

Any number of creations costs the same statements. They leave in three round trips: BEGIN with the standing, the
owners, and then in one pipeline the rows, the judgement with the audit rows, and COMMIT.
"""

from passport.intake.rows import PROPOSALS_PER_HOUR, claim, open_directory
from passport.intake.writing import nothing_written, write

__all__ = ["PROPOSALS_PER_HOUR", "claim", "nothing_written", "open_directory", "write"]
