"""Foreign formats to FHIR R4 and back, as pure functions.

https://hl7.org/fhir/R4/resourcelist.html
"""
