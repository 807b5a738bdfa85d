"""Replay: what a row of the audit log tells of is decided again, by the reference, on the world of then.

http://hl7.org/fhir/R4/consent.html

Nothing of a decision is stored for it. Every version of a consent, of the directory and of a record is kept anyway,
and each row of the log names the snapshot in which it was decided: so the world of then is read, not remembered.
"""
