"""Stories at random: people share and withdraw, the directory changes, records come and go, and everybody asks.

A step may be refused: that too stands in the log.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

import orjson
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.hospital import records_of
from tests.identities import agreed, proposed, separated
from tests.town import Town, Voice
from tests.unit.consent.words import Json, allow, consent_json, deny, permit

CODES: Final = (made.BODY_WEIGHT, made.HEART_RATE, made.BLOOD_PRESSURE, made.CANDESARTAN)
LABELS: Final = ("N", "N", "R")
TIMES: Final = ("2024-06", "2026-10-01", None)
JSON: Final = {"Content-Type": "application/json"}


@dataclass
class Story:
    """What has come about so far, and who may go on with it."""

    town: Town
    cast: Cast
    draw: Random
    people: list[Voice] = field(default_factory=list)
    records: list[tuple[Voice, str]] = field(default_factory=list)
    consents: list[tuple[Voice, str]] = field(default_factory=list)
    collectives: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    merges: list[Json] = field(default_factory=list)
    openings: list[Voice] = field(default_factory=list)

    @property
    def clinicians(self) -> list[Voice]:
        cast, as_ = self.cast, self.town.as_
        known = [cast.a, cast.b, cast.a_at_k, cast.e, as_(cast.role_a, "HRESCH"), as_(cast.pharmacy)]
        return [*known, *self.openings, as_(cast.role_a, scope="user/Observation.rs")]

    @property
    def anybody(self) -> Voice:
        return self.draw.choice([*self.clinicians * 3, *self.openings * 3, *self.people])

    async def begin(self, residents: int = 3) -> None:
        """Register some people, a role that comes and goes, and a group."""
        # Time has gone by since the last story, and sessions end.
        self.town.sessions.clear()
        self.people = [await self.town.resident(f"見本 {at}") for at in range(residents)]
        cast, write = self.cast, self.town.operator.create
        self.roles = [await write(made.role(cast.dr_b, cast.clinic))]
        self.collectives = [await write(made.group(cast.dr_a, kind="practitioner"))]
        for voice in self.people:
            await voice.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect", "correct"]))
            await self.share(voice)

    async def step(self) -> None:
        """One thing more happens."""
        await self.draw.choice(_STEPS)(self)

    async def share(self, voice: Voice | None = None) -> None:
        voice = voice or self.draw.choice(self.people)
        answer = await voice.post(voice.consent(self.root(voice)))
        if answer.status_code == 201:
            self.consents.append((voice, f"Consent/{answer.json()['id']}"))

    def root(self, voice: Voice) -> Json:
        draw, cast = self.draw, self.cast
        actor = draw.choice(
            [cast.hospital, cast.hospital, cast.clinic, cast.dr_a, cast.dr_b, *self.collectives]
        )
        narrowed = self._narrowed(voice)
        match draw.randrange(6):
            case 0:
                return deny(draw.choice([cast.dr_b, cast.clinic]), **narrowed)
            case 1:
                return deny(**narrowed, but=[allow(actor, purposes=["TREAT"])])
            case 2:
                return permit(actor, **narrowed, but=[deny(**self._narrowed(voice))])
            case 3:
                actions = draw.choice((["collect"], ["collect", "correct"], ["access", "collect", "correct"]))
                return permit(actor, actions=actions, **narrowed)
            case _:
                return permit(actor, purposes=draw.choice((["TREAT"], ["TREAT", "BTG"])), **narrowed)

    def _narrowed(self, voice: Voice) -> dict[str, Any]:
        draw = self.draw
        own = [name for whose, name in self.records if whose is voice] or ["Observation/none"]
        choices: tuple[dict[str, Any], ...] = (
            {},
            {},
            {"codes": [draw.choice(CODES)]},
            {"labels": [draw.choice(LABELS)]},
            {
                "types": [
                    draw.choice(("Observation", "MedicationRequest", "Patient", "Provenance", "Consent"))
                ]
            },
            {"data": [(draw.choice(("instance", "dependents")), draw.choice(own))]},
            {"data": [("authoredby", draw.choice((self.cast.role_a, voice.reference, self.cast.pharmacy)))]},
            {"data_period": {"start": "2026-01-01", "end": "2026-12-31"}},
            {"period": {"start": "2026-01-01", "end": "2099-12-31"}},
        )
        return draw.choice(choices)

    def tree(self, voice: Voice) -> Json:
        draw, patient = self.draw, voice.reference
        meta: dict[str, Any] = {"meta": made.labelled(draw.choice(LABELS))} if draw.random() < 0.7 else {}
        time = draw.choice(TIMES)
        match draw.randrange(7):
            case 0:
                return made.prescription(patient, draw.choice((made.CANDESARTAN, made.AMLODIPINE)), **meta)
            case 1:
                inside = {**made.prescription(patient, made.CANDESARTAN), "id": "m"}
                return made.weight(patient, contained=[inside], basedOn=[made.reference("#m")], **meta)
            case 2:
                other = draw.choice(self.people).reference
                visit = records_of(patient)["Appointment"]
                beside = {"actor": made.reference(other), "status": "accepted"}
                return {**visit, "participant": [*visit["participant"], beside], **meta}
            case 3 if self.records:
                return made.observation(
                    patient, derivedFrom=[made.reference(draw.choice(self.records)[1])], **meta
                )
            case _:
                return made.observation(patient, draw.choice(CODES[:3]), time, **meta)

    async def write(self) -> None:
        whose = self.draw.choice(self.people)
        writer = self.draw.choice([whose, whose, *self.clinicians])
        tree = self.tree(whose)
        answer = await writer.post(tree)
        if answer.status_code == 201:
            self.records.append((whose, f"{tree['resourceType']}/{answer.json()['id']}"))

    async def rewrite(self) -> None:
        if self.records:
            whose, name = self.draw.choice(self.records)
            tree = {**self.tree(whose), "resourceType": name.partition("/")[0]}
            if tree["resourceType"] == "Observation":
                tree = made.observation(
                    whose.reference, self.draw.choice(CODES[:3]), meta=made.labelled(self.draw.choice(LABELS))
                )
            await self.draw.choice([whose, *self.clinicians]).put(name, tree)

    async def remove(self) -> None:
        if self.records:
            whose, name = self.draw.choice(self.records)
            await self.draw.choice([whose, whose, *self.clinicians]).delete(name)

    async def tell_where_from(self) -> None:
        if self.records:
            _, name = self.draw.choice(self.records)
            agent = self.draw.choice(self.clinicians)
            answer = await agent.post(made.provenance(name, agent=agent.reference))
            if answer.status_code == 201:
                self.records.append((self.people[0], f"Provenance/{answer.json()['id']}"))

    async def withdraw(self) -> None:
        if self.consents:
            voice, name = self.draw.choice(self.consents)
            answer = await voice.get(name)
            if answer.status_code == 200:
                status = self.draw.choice(("inactive", "active"))
                await voice.put(name, {**answer.json(), "status": status})

    async def ask_for(self) -> None:
        voice, asker = self.draw.choice(self.people), self.draw.choice(self.clinicians)
        proposal = {**voice.consent(permit(asker.reference)), "status": "proposed"}
        answer = await asker.post(proposal)
        if answer.status_code == 201:
            self.consents.append((voice, f"Consent/{answer.json()['id']}"))
            await asker.get(f"Consent/{answer.json()['id']}")

    async def move(self) -> None:
        """Somebody changes places, or leaves; an organization is put under another one."""
        draw, cast, operator = self.draw, self.cast, self.town.operator
        match draw.randrange(4):
            case 0:
                place = draw.choice((cast.clinic, cast.ward, cast.hospital))
                await operator.put(
                    self.roles[0], {**made.role(cast.dr_b, place), "active": draw.random() < 0.7}
                )
            case 1:
                above = draw.choice(({}, {"partOf": made.reference(cast.hospital)}))
                await operator.put(cast.clinic, {**made.organization("見本診療所"), **above})
            case 2:
                members = draw.choice(((), (cast.dr_a,), (cast.dr_a, cast.dr_b), (cast.hospital,)))
                await operator.put(self.collectives[0], made.group(*members, kind="practitioner"))
            case _:
                voice = draw.choice(self.people)
                team = made.care_team(voice.reference, draw.choice((cast.dr_a, cast.dr_b)))
                answer = await voice.post(team)
                if answer.status_code == 201:
                    self.collectives.append(f"CareTeam/{answer.json()['id']}")

    async def open_in_an_emergency(self) -> None:
        asked = {"patient": self.draw.choice(self.people).reference, "reason": "架空の救急"}
        answer = await self.cast.e.call(
            "POST", "/auth/break-glass", content=orjson.dumps(asked), headers=JSON
        )
        if answer.status_code == 200:
            token = answer.json()["access_token"]
            self.openings.append(Voice(self.town, self.cast.role_e, "BTG", "", token))

    async def merge(self) -> None:
        if self.merges and self.draw.random() < 0.5:
            await separated(self.town, self.merges.pop())
            return
        survivor, duplicate = self.draw.sample(self.people, 2)
        answer = await proposed(survivor, duplicate)
        if answer.status_code == 201:
            self.merges.append(await agreed(self.town, answer))

    async def die_or_not(self) -> None:
        voice = self.people[-1]
        said = self.draw.choice(({}, {}, {"deceasedBoolean": True}, {"deceasedDateTime": "2026-01"}))
        tree = {"resourceType": "Patient", "name": [{"text": "見本（架空）"}], **said}
        await self.town.operator.put(voice.reference, tree)

    async def look(self) -> Response:
        """Somebody asks about somebody, in one of the ways there are."""
        draw, voice, whose = self.draw, self.anybody, self.draw.choice(self.people)
        name = draw.choice(self.records)[1] if self.records else "Observation/none"
        kind = name.partition("/")[0]
        patient = ("patient", whose.reference)
        asked: tuple[Callable[[], Awaitable[Response]], ...] = (
            lambda: voice.get(name),
            lambda: voice.get(name),
            lambda: voice.get(f"{name}/_history"),
            lambda: voice.get(f"{name}/_history/{draw.choice((1, 1, 2, 3))}"),
            lambda: voice.get("Observation", patient, ("_count", draw.choice(("1", "50")))),
            lambda: voice.get("Observation", patient, ("_total", "accurate")),
            lambda: voice.get("Observation", patient, ("_summary", "count")),
            lambda: voice.get("Observation"),
            lambda: voice.get(kind, patient, ("_include", "*"), ("_revinclude", "Provenance:target")),
            lambda: voice.get("Observation", patient, ("_sort", "-_lastUpdated"), ("status", "final")),
            lambda: voice.get("Observation", ("value-quantity", "gt60")),
            lambda: voice.get(f"{whose.reference}/$everything"),
            lambda: voice.get("Observation/$lastn", patient, ("category", "vital-signs")),
            lambda: voice.get(f"{whose.reference}/$summary"),
            lambda: voice.get("Consent", patient),
            lambda: voice.get(whose.reference),
            lambda: voice.get(f"{name}/$meta"),
            lambda: voice.get("_history"),
        )
        return await draw.choice(asked)()


async def policy_of(town: Town, cast: Cast) -> None:
    """Policies by which the emergency department may open passports, and a pharmacy stores medicines."""
    await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"], labels=["N"]), None))
    storing = permit(cast.pharmacy, types=["MedicationRequest"], actions=["collect"])
    await town.policy(consent_json(storing, None))


async def wait(story: Story) -> None:
    """Time goes by, and never back."""
    story.town.clock.ahead += timedelta(minutes=story.draw.choice((1, 10, 60)))


_STEPS: Final[tuple[Callable[[Story], Awaitable[Any]], ...]] = (
    *[Story.look] * 12,
    *[Story.write] * 5,
    *[Story.rewrite] * 2,
    Story.remove,
    *[Story.share] * 2,
    *[Story.withdraw] * 2,
    Story.ask_for,
    Story.tell_where_from,
    *[Story.move] * 2,
    Story.open_in_an_emergency,
    Story.merge,
    Story.die_or_not,
    wait,
)
