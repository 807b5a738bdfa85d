"""A change of a registration that rests on what its person said, with a provider as the source: two clerks confirm it.

http://hl7.org/fhir/R4/patient.html
http://hl7.org/fhir/R4/provenance.html

The person took it over from a provider before, each attribute by itself; the desk changes the registration to nothing
else, and only as long as the person still says so.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from fhirstore.parse import Tree
from passport.admission import Desk
from passport.authority import Basis
from passport.desk.matters import Matter
from passport.identity.federation.taking import taken_over
from passport.intake import write
from passport.members import check_members
from passport.outcomes import Conflict, Invalid, NotFound
from passport.pieces import Write
from passport.records import written_instant

STATEMENT_MEMBERS: Final = frozenset({"kind", "patient", "scan", "provider", "take"})
CHANGED: Final = "registration-changed"

_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


async def statement_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read what of a person's own statement is to be registered.

    Raises:
        Invalid: an unfit member.
        NotFound: the person took nothing of it over.
    """
    check_members(tree, STATEMENT_MEMBERS)
    provider, names = tree.get("provider"), tree.get("take")
    if not isinstance(provider, str):
        raise Invalid("got no provider in `provider`", ("provider",))
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise Invalid("got no list of names in `take`", ("take",))
    source, said = await _said(desk, desk.standing.named[0], provider)
    if not set(names) <= said.keys():
        raise NotFound("the person took nothing of this name over")
    return {
        "provider": provider,
        "source": source,
        "values": {name: said[name] for name in sorted(set(names))},
    }


async def statement_agreed(desk: Desk, matter: Matter) -> tuple[str, ...]:
    """Change the registration to what its person says, and keep where it comes from.

    Raises:
        Conflict: they say something else by now.
    """
    content = matter.content
    values: Mapping[str, str] = content["values"]
    _, said = await _said(desk, matter.patient_key, content["provider"])
    if any(said.get(name) != value for name, value in values.items()):
        raise Conflict("got what the person does not say any more, expected it to be entered anew")
    patient_id = matter.patient.partition("/")[2]
    changed = Write("update", "Patient", id=patient_id, patch=partial(_changed, values=values), on=Basis.DESK)
    told = Write("create", "Provenance", _provenance(desk, matter), on=Basis.DESK)
    await write(desk, [changed, told])
    return (matter.patient,)


async def _said(desk: Desk, patient_key: int, provider: str) -> tuple[str, dict[str, str]]:
    kept = await taken_over(desk.connection, desk.runtime.ring, patient_key)
    found = [each for each in kept if each["provider"] == provider]
    return (found[0]["source"] if found else ""), {each["name"]: each["value"] for each in found}


def _changed(tree: Tree, *, values: Mapping[str, str]) -> Tree:
    """The registration with these values; a name or address of before stays, as one of before."""
    changed = dict(tree)
    if "name" in values:
        changed["name"] = _first({"use": "official", "text": values["name"]}, tree.get("name", ()))
    if "address" in values:
        changed["address"] = _first({"use": "home", "text": values["address"]}, tree.get("address", ()))
    if "birthdate" in values:
        changed["birthDate"] = values["birthdate"]
    if "gender" in values:
        changed["gender"] = values["gender"]
    return changed


def _first(new: Tree, before: Sequence[Mapping[str, Any]]) -> list[Tree]:
    others = [dict(each) for each in before if each.get("text") != new["text"]]
    return [new, *({**each, "use": "old"} if each.get("use") == new["use"] else each for each in others)]


def _provenance(desk: Desk, matter: Matter) -> Tree:
    """Who said it, who entered and who verified it, and by which provider."""
    clerks = (("enterer", matter.proposed_by), ("verifier", desk.subject.reference))
    agents = [
        {"type": {"coding": [{"system": _PARTICIPANT, "code": code}]}, "who": {"display": clerk}}
        for code, clerk in clerks
    ]
    author = {
        "type": {"coding": [{"system": _PARTICIPANT, "code": "author"}]},
        "who": {"reference": matter.patient},
    }
    return {
        "resourceType": "Provenance",
        "target": [{"reference": matter.patient}],
        "recorded": written_instant(desk.now),
        "agent": [author, *agents],
        "entity": [{"role": "source", "what": {"display": matter.content["source"]}}],
    }
