"""Two residents who look alike to a physician: of one of them there is more than the physician may see."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice
from tests.unit.consent.words import Json, deny, permit

VARYING: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"  # a time of writing
    r"|(?<=_cursor=)[A-Za-z0-9_-]{270,1500}"  # a cursor, which is of one length
)
DAYS: Final = tuple(f"2026-10-{day:02d}" for day in range(1, 7))


def masked(answer: Response) -> tuple[int, dict[str, str], str]:
    """All of an answer but ids, cursors and the times of writing, which are of one length each."""
    headers = {name: VARYING.sub("*", value) for name, value in answer.headers.items()}
    return answer.status_code, headers, VARYING.sub("*", answer.text)


@dataclass(frozen=True)
class Twin:
    """A resident with what the physician sees; `hidden` is one of each kind that they do not see."""

    patient: Voice
    shown: tuple[str, ...]
    consent: str
    hidden: dict[str, str]


@dataclass(frozen=True)
class Twins:
    """`full` has hidden records, `bare` has none; `physician` sees weights of both, `colleague` nothing."""

    full: Twin
    bare: Twin
    physician: Voice
    colleague: Voice

    async def alike(self, ask: Callable[[Voice, Twin], Awaitable[Response]]) -> list[Response]:
        """Ask the same of both, as the physician and as the colleague; the answers must be the same."""
        answers = []
        for voice in (self.physician, self.colleague):
            of_full, of_bare = await ask(voice, self.full), await ask(voice, self.bare)
            assert masked(of_full) == masked(of_bare)
            answers.append(of_full)
        return answers

    async def as_unknown(self, ask: Callable[[Voice, str], Awaitable[Response]]) -> list[Response]:
        """Ask about each hidden record and about ids that were never given; the answers must be the same."""
        answers = []
        for voice in (self.physician, self.colleague):
            for reference in self.full.hidden.values():
                unknown = f"{reference.partition('/')[0]}/00000000-0000-4000-8000-000000000000"
                of_hidden, of_unknown = await ask(voice, reference), await ask(voice, unknown)
                assert masked(of_hidden) == masked(of_unknown)
                answers.append(of_hidden)
        return answers


async def twins_of(town: Town, cast: Cast) -> Twins:
    """Write down both."""
    full = await _twin(town, cast, "見本 一子", hides=True)
    return Twins(full, await _twin(town, cast, "見本 二子", hides=False), cast.a, cast.a_at_k)


async def _twin(town: Town, cast: Cast, name: str, *, hides: bool) -> Twin:
    patient = await town.resident(name)
    (consent,) = await patient.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT], labels=["N"]))
    await patient.grant(deny(codes=[made.CANDESARTAN]), permit(cast.hospital, types=["Consent"]))
    shown: list[str] = []
    hidden: dict[str, str] = {}
    for day in DAYS:
        if hides:
            hidden = await _hidden(patient, day)
        tree = made.weight(patient.reference, time=day, meta=made.labelled("N"))
        shown.append(await patient.create(tree))
    if hides:
        hidden |= await _past(patient)
    return Twin(patient, tuple(shown), consent, hidden)


async def _hidden(patient: Voice, day: str) -> dict[str, str]:
    restricted = made.weight(patient.reference, time=day, meta=made.labelled("R"))
    inside = {**made.prescription(patient.reference, made.CANDESARTAN), "id": "m"}
    holding = made.weight(
        patient.reference,
        time=day,
        contained=[inside],
        basedOn=[made.reference("#m")],
        meta=made.labelled("N"),
    )
    trees: dict[str, Json] = {
        "a code that was not shared": made.pressure(patient.reference, time=day, meta=made.labelled("N")),
        "a label above what was shared": restricted,
        "a contained record": holding,
        "a type that was not shared": made.prescription(patient.reference, made.CANDESARTAN, time=day),
    }
    return {word: await patient.create(tree) for word, tree in trees.items()}


async def _past(patient: Voice) -> dict[str, str]:
    """What was hidden and deleted, and what could be seen once and is hidden now."""
    normal, restricted = made.labelled("N"), made.labelled("R")
    gone = await patient.create(made.weight(patient.reference, time=DAYS[0], meta=restricted))
    await patient.remove(gone)
    once = await patient.create(made.weight(patient.reference, time=DAYS[0], meta=normal))
    await patient.replace(once, made.weight(patient.reference, time=DAYS[0], meta=restricted))
    return {"deleted": gone, "visible once": once}
