"""Sharing as people do it: asking, granting in words that were shown, codes at the reception, and withdrawing.

http://hl7.org/fhir/R4/consent.html

All of it ends in Consents that are written through the intake: there is no grant beside them.
"""
