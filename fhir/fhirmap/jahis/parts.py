"""A notebook split over several outputs: each repeats the header and ends with record 911.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, 分割制御レコード.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from fhirmap.deviations import Deviation
from fhirmap.jahis.decode import Line, half_width

CONTROL = "911"


@dataclass(frozen=True, slots=True)
class _Control:
    """Which part of how many, of which output."""

    line: int
    id: str
    parts: int
    part: int


def joined(lines: Sequence[Line]) -> tuple[list[Line], list[Deviation]]:
    """Put the parts that one file holds into their order; report parts that it does not hold."""
    segments: list[list[Line]] = []
    for line in lines:
        if line.header_version is not None:
            segments.append([])
        segments[-1].append(line)
    controls = [control for segment in segments if (control := _control(segment)) is not None]
    if len(controls) == len(segments) and len({control.id for control in controls}) == 1:
        order = sorted(range(len(segments)), key=lambda index: controls[index].part)
        segments = [segments[index] for index in order]
    deviations = _missing(controls)
    if len(segments) > 1 and len(controls) < len(segments):
        deviations.append(Deviation(segments[1][0].number, "?", "further header without record 911"))
    return [line for segment in segments for line in segment], deviations


def _control(segment: Sequence[Line]) -> _Control | None:
    for line in segment:
        fields = [half_width(field) for field in line.fields]
        if line.record == CONTROL and len(fields) >= 3:
            id_, parts, part = fields[:3]
            if all(each.isascii() and each.isdigit() and len(each) <= 3 for each in (parts, part)):
                return _Control(line.number, id_, int(parts), int(part))
    return None


def _missing(controls: Sequence[_Control]) -> list[Deviation]:
    held = {control.part for control in controls}
    first_missing = next(part for part in count(1) if part not in held)
    return [
        Deviation(each.line, CONTROL, f"part {each.part} of {each.parts}; others are not in this file")
        for each in controls
        if first_missing <= each.parts
    ]
