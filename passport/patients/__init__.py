"""Patients as persons: registered twice and merged, merged in error and separated, and dead.

http://hl7.org/fhir/R4/patient.html#merge
"""
