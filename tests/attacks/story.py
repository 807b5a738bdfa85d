"""What happened in both worlds, and what happened in the fuller one alone.

A step is who wrote what, in which part of the story; each part counts its ids apart.
"""

from typing import Any, Final, Protocol

from tests import resources as made
from tests.attacks.scene import DAYS
from tests.cast import Cast
from tests.hospital import records_of
from tests.town import Voice
from tests.unit.consent.words import Json, concept, consent_json, deny, permit

HIDDEN: Final = frozenset({"hidden", "more", "double", "ghost", "import"})
"""The parts that the other world lacks."""

Step = tuple[str, Voice, str, Any]


class People(Protocol):
    """Who takes part."""

    @property
    def cast(self) -> Cast: ...
    @property
    def hides(self) -> bool: ...
    @property
    def hanako(self) -> Voice: ...
    @property
    def taro(self) -> Voice: ...
    @property
    def jiro(self) -> Voice: ...
    @property
    def proxy(self) -> Voice: ...
    @property
    def double(self) -> Voice: ...


def consents(told: People) -> list[tuple[Voice, Json]]:
    """Physician A, a proxy and an emergency see Hanako's unrestricted weights; of Taro's passport they see nothing."""
    weights: Any = {"codes": [made.BODY_WEIGHT], "labels": ["N"]}
    writing: Any = {**weights, "actions": ["collect", "correct"]}
    cast, family = told.cast, told.proxy.reference
    roots: list[tuple[Voice, tuple[Json, ...]]] = [
        (
            told.hanako,
            (
                permit(cast.hospital, **weights),
                permit(cast.hospital, **writing),
                permit(cast.hospital, types=["Provenance"]),
                deny(cast.dr_b),
                permit(cast.hospital, types=["Patient"]),
                permit(family, purposes=["FAMRQT"], **weights),
                permit(family, purposes=["FAMRQT"], **writing),
                permit(cast.pharmacy, types=["MedicationStatement"], actions=["collect"]),
                permit(cast.emergency, actions=["access", "collect"]),
                deny(cast.dr_b, data=[("instance", "Observation/hidden-0001")]),
            ),
        ),
        (told.taro, (permit(cast.clinic), deny(cast.hospital), deny(purposes=["BTG"]))),
        (
            told.jiro,
            (permit(cast.hospital, **weights), permit(cast.emergency, actions=["access", "collect"])),
        ),
    ]
    return [(who, who.consent(root)) for who, all_ in roots for root in all_]


def policy(told: People) -> Json:
    """The emergency may open a passport, and then see unrestricted weights."""
    emergency = told.cast.emergency
    return consent_json(permit(emergency, purposes=["BTG"], codes=[made.BODY_WEIGHT], labels=["N"]), None)


def story(told: People) -> list[Step]:
    """Day by day, with what is hidden between what is shown and linked to it both ways."""
    hanako, taro = told.hanako, told.taro
    told_of: list[Step] = []
    for at, day in enumerate(DAYS, start=1):
        pressed = f"Observation/hidden-{5 * at - 4:04d}"
        shown = {**weight(hanako, day, "N"), "hasMember": [made.reference(pressed)]}
        told_of.append(("shown", hanako, "create", shown))
        for voice, tree in (
            (hanako, made.pressure(hanako.reference, time=day)),
            (hanako, weight(hanako, day, "R")),
            (hanako, made.prescription(hanako.reference, made.CANDESARTAN, time=day)),
            (hanako, _with_contained(hanako, day)),
            (taro, weight(taro, day, "N")),
        ):
            told_of.append(("hidden", voice, "create", tree))
        if at % 3 == 0:
            told_of.append(("shown", hanako, "replace", (f"Observation/shown-{at:04d}", shown)))
            told_of.append(("hidden", hanako, "remove", pressed))
    told_of.append(("shown", hanako, "remove", "Observation/shown-0001"))
    told_of.append(("hidden", hanako, "create", made.weight(hanako.reference, meta=made.labelled("R"))))
    told_of.append(("hidden", taro, "create", made.allergy(taro.reference)))
    return [*told_of, *_jiros(told), *_secret(told), *_more(told), *_doubles(told)]


def weight(voice: Voice, day: str, label: str) -> Json:
    system = "http://example.test/weights"
    return made.weight(
        voice.reference, time=day, meta=made.labelled(label), identifier=made.identifiers((system, day))
    )


def _with_contained(voice: Voice, day: str) -> Json:
    inside = {**made.prescription(voice.reference, made.CANDESARTAN), "id": "m"}
    return {**weight(voice, day, "N"), "contained": [inside], "basedOn": [made.reference("#m")]}


def _jiros(told: People) -> list[Step]:
    """What another resident wrote down, all of which they see themselves."""
    jiro = told.jiro
    return [
        *(("jiro", jiro, "create", weight(jiro, day, "N")) for day in DAYS[:2]),
        ("jiro", jiro, "create", made.pressure(jiro.reference)),
        ("jiro", jiro, "create", records_of(jiro.reference)["Appointment"]),
    ]


def _doubles(told: People) -> list[Step]:
    """What lies with the second registration of the first resident, who shared nothing of it."""
    double = told.double
    link = made.reference("Observation/shown-0003")
    return [
        ("double", double, "create", weight(double, DAYS[2], "N")),
        ("double", double, "create", made.pressure(double.reference, derivedFrom=[link])),
        ("double", double, "create", made.allergy(double.reference)),
    ]


def _secret(told: People) -> list[Step]:
    """A record of which the first version is out of sight: the worlds know different ones."""
    hanako = told.hanako
    measured = made.weight(hanako.reference, 99.5 if told.hides else 55.0, meta=made.labelled("N"))
    before = {**measured, "code": concept(made.HEART_RATE)}
    after = weight(hanako, DAYS[1], "N")
    return [
        ("secret", hanako, "create", before),
        ("secret", hanako, "replace", ("Observation/secret-0001", after)),
    ]


def _more(told: People) -> list[Step]:
    """One of every type, records that lead to what is shown, one of two residents, one that was visible once."""
    hanako, cast = told.hanako, told.cast
    shown = made.reference("Observation/shown-0002")
    emergency = cast.town.as_(cast.emergency)
    absolute = f"http://passport.test/fhir/{hanako.reference}"
    appointment = records_of(hanako.reference)["Appointment"]
    with_jiro = {"actor": made.reference(told.jiro.reference), "status": "accepted"}
    steps: list[Step] = [
        ("more", hanako, "create", weight(hanako, DAYS[0], "N")),
        ("more", hanako, "replace", ("Observation/more-0001", weight(hanako, DAYS[0], "R"))),
        ("more", hanako, "create", made.pressure(hanako.reference, derivedFrom=[shown])),
        ("more", emergency, "create", made.provenance("Observation/more-0002", agent=cast.emergency)),
        (
            "more",
            emergency,
            "create",
            made.provenance("Observation/shown-0002", "Observation/more-0002", agent=cast.emergency),
        ),
        ("more", hanako, "create", made.bundle(made.weight(absolute), made.pressure(absolute))),
        (
            "more",
            emergency,
            "create",
            {**appointment, "participant": [*appointment["participant"], with_jiro]},
        ),
    ]
    of_types = records_of(hanako.reference)
    of_types["List"] |= {"entry": [{"item": shown}]}
    follows = {"securityContext": made.reference("Observation/more-0002")}
    steps.append(("more", emergency, "create", of_types.pop("Binary") | follows))
    of_types["Composition"] |= {"section": [{"title": "架空", "entry": [shown]}]}
    return [*steps, *(("more", hanako, "create", tree) for tree in of_types.values())]
