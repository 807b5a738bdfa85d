import csv
import re
from fractions import Fraction
from pathlib import Path

import pytest
import ucumvert
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirstore.matching.ucum import MOST_CHARACTERS, MOST_EXPONENT, unit

PARSER = ucumvert.get_ucum_parser()
NUMBER = re.compile("[0-9]+")
EXAMPLES = Path(ucumvert.__file__).parent / "vendor" / "ucum_examples.tsv"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("g", "mg", 1000),
        ("mg/dL", "g/L", Fraction(1, 100)),
        ("kPa", "mm[Hg]", Fraction(1_000_000, 133_322)),
        ("[in_i]", "cm", Fraction(254, 100)),
        ("[lb_av]", "g", Fraction(45_359_237, 100_000)),
        ("[Cal]", "cal", 1000),
        ("wk", "h", 168),
        ("10*3/uL", "10*9/L", 1),
        ("%", "mmol/mol", 10),
        ("m/s2.kg", "N", 1),
        ("mmol/L", "mol/m3", 1),
        ("{beats}/min", "/min", 1),
        ("{回}/min", "/min", 1),
        ("g{wet}", "g", 1),
        ("[IU]", "[iU]", 1),
        ("k[IU]/L", "[IU]/mL", 1),
        ("L", "dm3", 1),
        ("dB", "B", Fraction(1, 10)),
        ("J/Cel", "J/K", 1),
    ],
)
def test_units_of_one_dimension_have_an_exact_ratio(one: str, other: str, ratio: Fraction) -> None:
    first, second = unit(one), unit(other)
    assert first is not None
    assert second is not None
    assert first.dimension == second.dimension
    assert first.factor / second.factor == ratio


@pytest.mark.parametrize(
    ("code", "kelvin"), [("Cel", "310.15"), ("K", "37"), ("[degF]", "310.15"), ("[degRe]", "310.15")]
)
def test_temperatures_have_their_zero(code: str, kelvin: str) -> None:
    read = {"Cel": "37", "K": "37", "[degF]": "98.6", "[degRe]": "29.6"}[code]
    scale = unit(code)
    assert scale is not None
    assert scale.canonical(Fraction(read)) == Fraction(kelvin)


@pytest.mark.parametrize(
    ("one", "other"), [("mg", "mL"), ("[IU]", "mg"), ("[IU]", "[arb'U]"), ("[pH]", "1"), ("Np", "B")]
)
def test_other_units_do_not_compare(one: str, other: str) -> None:
    first, second = unit(one), unit(other)
    assert first is not None
    assert second is not None
    assert first.dimension != second.dimension


@pytest.mark.parametrize(
    "code",
    [
        "",
        "mmHg",
        "mcg",
        "mg/",
        "錠",
        "m999",
        "m-32",
        "10*-100",
        "10*999999999",
        "(" * 20 + "m" + ")" * 19,
        "m." * MOST_CHARACTERS,
        "m\x00",
    ],
)
def test_what_is_no_code_or_out_of_bounds_is_no_unit(code: str) -> None:
    assert unit(code) is None


def test_every_published_example_is_a_unit() -> None:
    with EXAMPLES.open(encoding="utf-8") as file:
        codes = [row["UCUM_CODE"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(codes) > 300
    # Listed as an example, and not in UCUM's table.
    assert [code for code in codes if unit(code) is None] == ["Torr"]


PARTS = [
    "m",
    "mg",
    "dar",
    "cd",
    "2",
    "10*",
    "[IU]",
    "B[10.nV]",
    "Kim",
    "24",
    "-3",
    "+2",
    "0",
    "{x}",
    "{}",
    "/",
    ".",
    "(",
    ")",
    " ",
]


@given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join))
def test_codes_are_those_that_the_library_reads(code: str) -> None:
    # A larger exponent is a code, and beyond what is computed with.
    assume(all(int(number) <= MOST_EXPONENT for number in NUMBER.findall(code)))
    try:
        ucumvert.parse_ucum(code, PARSER)
    except ucumvert.InvalidUcumError:
        assert unit(code) is None
    else:
        assert unit(code) is not None
