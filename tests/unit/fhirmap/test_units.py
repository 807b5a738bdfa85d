from decimal import Decimal

import pytest

from fhirmap.units import CELSIUS, FAHRENHEIT, KILOPASCAL, POUND, Unit, convert


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("17.1", KILOPASCAL, "128.3"),
        ("16", KILOPASCAL, "120"),
        ("98.6", FAHRENHEIT, "37.00"),
        ("100.4", FAHRENHEIT, "38.00"),
        ("-40", FAHRENHEIT, "-40.0"),
        ("150.00", POUND, "68.039"),
        ("36.50", CELSIUS, "36.50"),
    ],
)
def test_conversion_keeps_the_precision_of_the_value_as_sent(value: str, unit: Unit, expected: str) -> None:
    assert str(convert(Decimal(value), unit)) == expected
