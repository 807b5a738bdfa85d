"""Labelling: which records are sensitive and how confidential each is, said in `meta.security` when it is written.

http://hl7.org/fhir/R4/security-labels.html

The table is declared by value sets, one module each. The step is pure: from what a record says to its labels.
"""

from passport.labelling.step import Label, is_labelled, labelled, lowered, security_of
from passport.labelling.table import TABLE, TABLE_VERSION

__all__ = ["TABLE", "TABLE_VERSION", "Label", "is_labelled", "labelled", "lowered", "security_of"]
