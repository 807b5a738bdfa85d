"""FHIR JSON with every decimal kept as it was written.

https://hl7.org/fhir/R4/json.html#decimal
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

import orjson

from fhirmap.errors import MalformedJson

Json: TypeAlias = dict[str, Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"got `{name}`, expected a number")


def loads(data: bytes) -> Any:
    """Parse JSON, numbers with a fraction as `Decimal` with their trailing zeros.

    Raises:
        MalformedJson: not UTF-8, not JSON, nested too deeply, or `NaN` and the like.
    """
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedJson("got bytes that are not JSON in UTF-8") from error


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"got a {type(value).__name__}, expected what JSON can hold")


def dumps(value: Any, *, indent: bool = False) -> bytes:
    """Serialise to UTF-8, each `Decimal` digit by digit (`72.50` stays `72.50`)."""
    return orjson.dumps(value, default=_fragment, option=orjson.OPT_INDENT_2 if indent else None)


def kind_of(value: object) -> str:
    """What a value is, in words of JSON."""
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"


def present(members: Mapping[str, Any]) -> Json:
    """Leave out what is `None` or empty: FHIR JSON knows neither null nor empty lists."""
    return {name: value for name, value in members.items() if value not in (None, "", [], (), {})}
