"""What a person's consents do, told to that person alone: before they are saved, and after somebody looked.

http://hl7.org/fhir/R4/consent.html

A preview asks the standing that somebody would have, under consents that are not stored, and counts and pages with
the condition of every search. It reads, and writes nothing but the audit row of the person's own look.
"""
