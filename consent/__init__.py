"""Consent: what a FHIR Consent permits, as a reference evaluation and as SQL over the caller's grants.

https://hl7.org/fhir/R4/consent.html
"""
