"""Search: one module per parameter type, named as the specification names it.

http://hl7.org/fhir/R4/search.html
"""
