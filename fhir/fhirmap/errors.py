"""Why a foreign format cannot become FHIR; a message never holds health data."""


class MappingError(Exception):
    """The source cannot be mapped to FHIR."""


class UnreadableSource(MappingError):
    """The bytes hold nothing that a person could read as this format."""


class TooMuch(MappingError):
    """One file becomes more records, or longer ones, than any that a person carries."""


class DifferentPersons(MappingError):
    """One file names two persons; importing it would give one of them the other's medicines."""


class MalformedReading(MappingError):
    """A reading lacks what it needs, or says something that its type does not have."""


class MalformedPayload(MalformedReading):
    """A Bluetooth payload does not have the length that its flags announce."""


class MalformedJson(MappingError):
    """The bytes are not the JSON that the format asks for."""
