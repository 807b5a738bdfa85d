"""Writing what a file became: what this source has not written yet, as far as the consents let it.

http://hl7.org/fhir/R4/http.html#transaction

The consents are asked type by type. What they do not cover is left out and reported: a file with a remark on
an allergy does not lose its medicines because only those may be handed over. If nothing is covered the whole
import is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhirmap.bundle import resolved, url_of
from fhirmap.deviations import Deviation
from fhirmap.identity import RECORD_IDENTIFIER_SYSTEM, record_identifier
from fhirmap.provenance import provenance
from fhirstore.keys import KeyMaker
from fhirstore.parse import Tree
from fhirstore.validate import validate
from passport.admission import Desk
from passport.imports import store
from passport.intake import write
from passport.outbox import enter
from passport.outcomes import Invalid, Refused
from passport.pieces import Write, Written
from passport.sql import fetch

REFERRED_TO: Final = "MedicationRequest"
"""Written first: what is dispensed names its request."""


BATCH: Final = 500
"""Records of one write; between two statements of a transaction only so much is computed."""


@dataclass(slots=True)
class Entries:
    """The records of one file by their keys; `references` maps temporary URLs to what is stored."""

    trees: dict[int, Tree]
    references: dict[str, str] = field(default_factory=dict)
    created: dict[int, str] = field(default_factory=dict)
    refused: bool = False
    deviations: list[Deviation] = field(default_factory=list)

    @classmethod
    def of(cls, keys: KeyMaker, resources: Sequence[Tree]) -> "Entries":
        """Key each resource by the identifier that its content gives it."""
        return cls({_key(keys, resource): resource for resource in resources})

    def known(self, key: int, reference: str) -> None:
        """The record of `key` is stored as `reference`."""
        url = url_of(self.trees.pop(key))
        if url is not None:
            self.references[url] = reference

    def groups(self) -> Iterator[tuple[str, list[int]]]:
        """What is to be written, by type, the records that others refer to first."""
        by_type: dict[str, list[int]] = {REFERRED_TO: []}
        for key, tree in self.trees.items():
            by_type.setdefault(tree["resourceType"], []).append(key)
        for name, keys in by_type.items():
            yield from ((name, keys[at : at + BATCH]) for at in range(0, len(keys), BATCH))

    def linked(self, key: int) -> Tree:
        """The record with its references to others as they are stored; those to nothing are left out."""
        tree = resolved(self.trees[key], self.references)
        return {name: kept for name, value in tree.items() if (kept := _without_urls(value)) != []}


def _key(keys: KeyMaker, resource: Tree) -> int:
    return keys.identifier(RECORD_IDENTIFIER_SYSTEM, record_identifier(resource) or "")


def _without_urls(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        each for each in value if not (isinstance(each, Mapping) and _is_temporary(each.get("reference")))
    ]


def _is_temporary(reference: object) -> bool:
    return isinstance(reference, str) and reference.startswith("urn:uuid:")


async def write_new(
    desk: Desk, patient_key: int, patient: str, source: str, resources: Sequence[Tree]
) -> tuple[list[str], list[Deviation]]:
    """Write what `source` has not written before; return the references, and what was kept out.

    It ends behind the wall of this patient alone.

    Raises:
        Refused: no consent covers anything of it.
    """
    entries = Entries.of(desk.runtime.keys, resources)
    about = {"patient_key": patient_key, "source": source}
    for row in await fetch(desk.connection, store.WRITTEN, {**about, "identifiers": list(entries.trees)}):
        entries.known(row.identifier, row.reference)
    for name, keys in list(entries.groups()):
        await _write_group(desk, patient_key, entries, name, keys)
    if entries.refused and not entries.created:
        raise Refused
    created = list(entries.created.values())
    await _say_where_from(desk, patient, source, created)
    await enter(desk.connection, patient_key)
    remembered = {"identifiers": list(entries.created), "references": created}
    await fetch(desk.connection, store.REMEMBER, {**about, **remembered})
    return created, entries.deviations


async def _write_group(
    desk: Desk, patient_key: int, entries: Entries, name: str, keys: Sequence[int]
) -> None:
    """Write the records of one type as far as they are valid, or none of them."""
    # The mapping makes them of checked values, so the second opinion on their form is left out.
    writes = {key: Write("create", name, tree=entries.linked(key), confirm=False) for key in keys}
    try:
        written = await _write_valid(desk, entries, name, writes)
    except Refused:
        entries.refused = True
        entries.deviations.append(Deviation(0, "", f"nothing lets this source store a {name}, not imported"))
        await desk.audit(desk.row(patient_key, Refused.outcome, detail=name))
        return
    for key, record in written.items():
        entries.created[key] = record.reference
        entries.known(key, record.reference)


async def _write_valid(
    desk: Desk, entries: Entries, name: str, writes: Mapping[int, Write]
) -> dict[int, Written]:
    """Write all; if one of them breaks the specification, those that do not."""
    try:
        return await _write(desk, writes)
    except Invalid:
        valid = {key: one for key, one in writes.items() if not validate(one.tree or {}, confirm=False)}
        if len(valid) == len(writes):
            raise
        left_out = Deviation(0, "", f"got no valid {name}, not imported")
        entries.deviations += [left_out] * (len(writes) - len(valid))
        return await _write(desk, valid)


async def _write(desk: Desk, writes: Mapping[int, Write]) -> dict[int, Written]:
    """Write some records, or undo them alone."""
    if not writes:
        return {}
    async with desk.connection.transaction():
        written = await write(desk, list(writes.values()))
    return dict(zip(writes, written, strict=True))


async def _say_where_from(desk: Desk, patient: str, source: str, created: Sequence[str]) -> None:
    """Leave a Provenance where one may be left: a consent need not cover it, and a patient writes none."""
    if not created:
        return
    tree = provenance(created, author=source, patient=patient, recorded=desk.now)
    try:
        async with desk.connection.transaction():
            await write(desk, [Write("create", "Provenance", tree=tree, confirm=False)])
    except Refused:
        return
