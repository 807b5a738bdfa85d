"""A FHIR R4 store on PostgreSQL: parse, validate, keep, find again.

https://hl7.org/fhir/R4/http.html
"""
