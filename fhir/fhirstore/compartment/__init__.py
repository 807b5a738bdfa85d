"""Reading what there is of one patient, across the types.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""
