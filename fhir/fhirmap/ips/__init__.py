"""The International Patient Summary: a person's records as one document that a stranger to them can read.

http://hl7.org/fhir/uv/ips/
"""
