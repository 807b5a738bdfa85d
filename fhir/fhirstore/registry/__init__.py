"""The search parameters of R4 as tables, one module per group of types.

http://hl7.org/fhir/R4/searchparameter-registry.html
"""
