"""In whose name something is said: a device speaks for itself, and nobody else for it.

http://hl7.org/fhir/R4/provenance.html#agent

What a device signed is told from what others wrote by its Provenance, so nobody else writes one in a device's name. And
what a device measured is its own: it files nothing as another one's.
Any Device of this service counts, whether it is there or not: the rule asks nothing of what is stored.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhirstore.elements import References
from fhirstore.errors import Problem
from fhirstore.parse import Tree
from passport.admission import Desk
from passport.pieces import InvalidWrites, Piece, placed

_PROVENANCE: Final = "Provenance"
_OBSERVATION: Final = "Observation"
_DEVICE: Final = "Device/"
_NAMING: Final = ("who", "onBehalfOf")

_TEXT: Final = (
    "got a device that is not who writes this, expected yourself: a device tells of what it signed itself. "
    "With which one you measured says `Observation.device`"
)
_MEASURED: Final = "got another device, expected none but yourself: a device sends what it measured itself"


def check_origins(desk: Desk, pieces: Sequence[Piece]) -> None:
    """Refuse what is said in the name of a device that does not write it; what is stored plays no part.

    Raises:
        InvalidWrites: there is one.
    """
    if desk.runtime.settings.sandbox:
        return
    found = [_problems(desk, piece) for piece in pieces]
    if any(found):
        failing = [at for at, problems in enumerate(found) if problems]
        raise InvalidWrites([problem for problems in found for problem in problems], failing)


def _problems(desk: Desk, piece: Piece) -> list[Problem]:
    one = piece.write
    # What our own code writes it vouches for, and neither a label nor a deletion says anything anew.
    if one.on is not None or one.labels_only or one.method == "delete":
        return []
    themselves, read = _names(desk), References((desk.runtime.settings.fhir_url,))
    told: list[str] = []
    if piece.facts.type.name == _PROVENANCE:
        told += [
            path
            for path, element in _said(piece.tree)
            if any(_foreign(name, themselves) for name in read.literals([element]))
        ]
    for part in piece.facts.parts:
        if part.type.name == _PROVENANCE and any(_foreign(name, themselves) for name in part.authors):
            told.append(piece.facts.type.name)
    problems = [Problem("error", "business-rule", path, _TEXT) for path in told]
    if _of_another(desk, piece, read):
        problems.append(Problem("error", "business-rule", f"{_OBSERVATION}.device", _MEASURED))
    return [placed(problem, one.place) for problem in problems]


def _of_another(desk: Desk, piece: Piece, read: References) -> bool:
    """Whether a device files an Observation as measured by something else."""
    if desk.subject.kind != "device" or piece.facts.type.name != _OBSERVATION or "device" not in piece.tree:
        return False
    return read.literals([piece.tree["device"]]) != (desk.subject.reference,)


def _names(desk: Desk) -> frozenset[str | None]:
    """By what the caller is known, a device behind a gateway by both; a person's device signs, and acts by no token."""
    subject = desk.subject
    if desk.bearer and subject.kind == "device":
        return frozenset()
    return frozenset((subject.reference, subject.role, subject.client))


def _foreign(name: str, themselves: frozenset[str | None]) -> bool:
    return name.startswith(_DEVICE) and name not in themselves


def _said(tree: Tree) -> Iterator[tuple[str, Any]]:
    """Every element by which somebody vouches for something, with its place."""
    places = [*_listed(tree, "agent", _PROVENANCE), *_listed(tree, "signature", _PROVENANCE)]
    for path, entity in _listed(tree, "entity", _PROVENANCE):
        places += _listed(entity, "agent", path)
    for path, element in places:
        for name in _NAMING:
            if name in element:
                yield f"{path}.{name}", element[name]


def _listed(tree: Tree, name: str, path: str) -> Iterator[tuple[str, Tree]]:
    for at, element in enumerate(tree.get(name, ())):
        yield f"{path}.{name}[{at}]", element
