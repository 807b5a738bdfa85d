"""Devices that are known again when their own person enrols them once more.

http://hl7.org/fhir/R4/device-definitions.html#Device.serialNumber
"""
