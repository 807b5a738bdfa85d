"""Trying consents out: what they would decide, by the reference and by the SQL; nothing is stored.

http://hl7.org/fhir/R4/consent.html

A world is consents, a directory, records and one request. It is decided twice, by ways that share nothing but the
reading of the resources: by `consent.reference`, and on a PostgreSQL server by the SQL that every request carries.
"""
