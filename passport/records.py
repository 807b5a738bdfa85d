"""From a resource's tree to the row that is stored: identity, facts, index rows, and the sealed body.

http://hl7.org/fhir/R4/resource.html#Meta
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from fhirstore.bodies import NONCE_BYTES, Address, Bodies
from fhirstore.errors import BodyError
from fhirstore.facts import Columns, Facts
from fhirstore.indexing import IndexRows, index_rows
from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.parse import Tree, serialise
from fhirstore.rows import PartRow, RecordRow
from fhirstore.tables import NOBODY, fact_columns
from fhirstore.trained import codec_for
from fhirstore.types import PROPOSABLE, TYPES_BY_NUMBER
from passport.runtime import Runtime

_FACT_NAMES: Final = tuple(column.name for column in fact_columns())

_PUT: Final = frozenset({"proposed", "rejected"})
"""The states in which a Consent was put to somebody, and granted by nobody."""

BODIES: Final = Bodies()
"""Seals and opens every body of this process; each thread keeps a codec and the key that it used last."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Under whom a record is stored: the patient's keys, and the patient_keys of the others that it names."""

    patient_key: int
    body_key: bytes
    others: tuple[int, ...] = ()

    def with_others(self, patient_keys: Iterable[int]) -> "Owner":
        """The same owner beside these patients, each once."""
        return replace(self, others=tuple(sorted(set(patient_keys) - {self.patient_key})))


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that is about to be stored: a version of `id` with what was read of it."""

    id: str
    version: int
    tree: Tree
    facts: Facts
    deleted: bool = False


def named(tree: Mapping[str, Any], *, id_: str, version: int, last_updated: datetime) -> Tree:
    """The tree with the identity that the server gives it, in the order that readers expect."""
    meta = {
        **tree.get("meta", {}),
        "versionId": str(version),
        "lastUpdated": written_instant(last_updated),
    }
    rest = {name: value for name, value in tree.items() if name not in {"resourceType", "id", "meta"}}
    return {"resourceType": tree["resourceType"], "id": id_, "meta": meta, **rest}


def written_instant(instant: datetime) -> str:
    """An instant as FHIR writes it: UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(draft: Draft, now: datetime) -> bytes:
    """The JSON of a draft, as it is sealed and shown."""
    return serialise(named(draft.tree, id_=draft.id, version=draft.version, last_updated=now))


def unheaded(plain: bytes, type_name: str, id_: str) -> bytes:
    """A body without the type and the id that it begins with: its row says them, and an id does not compress.

    Raises:
        BodyError: it begins otherwise.
    """
    head = _head(type_name, id_)
    if not plain.startswith(head):
        raise BodyError("got a body that does not begin with its type and its id")
    return plain[len(head) :]


def _head(type_name: str, id_: str) -> bytes:
    return f'{{"resourceType":"{type_name}","id":"{id_}"'.encode()


_HEADS: Final[Mapping[int, bytes]] = {
    number: _head(row.name, "").removesuffix(b'"') for number, row in TYPES_BY_NUMBER.items()
}
"""How the body of each type begins, up to its id."""


def sealed_row(
    runtime: Runtime, draft: Draft, owner: Owner, *, source: int, now: datetime, plain: bytes | None = None
) -> RecordRow:
    """The row of a draft; a deletion keeps the facts of what it deletes, and no index row.

    `plain` is what `written` made of it, where that is at hand.
    """
    columns = draft.facts.columns(runtime.keys)
    rows = IndexRows() if draft.deleted else index_rows(draft.tree, draft.facts, keys=runtime.keys)
    plain = written(draft, now) if plain is None else plain
    address = Address(owner.patient_key, columns.type, draft.id, draft.version)
    sealed = BODIES.seal(
        unheaded(plain, draft.facts.type.name, draft.id),
        owner.body_key,
        address,
        nonce=runtime.ring.random(NONCE_BYTES),
        codec=BODIES.known(codec_for(draft.tree)),
    )
    return RecordRow(
        patient_key=owner.patient_key,
        record_key=runtime.keys.reference(f"{draft.facts.type.name}/{draft.id}"),
        version=draft.version,
        id=draft.id,
        last_updated=now,
        deleted=draft.deleted,
        owned_otherwise=rows.owned_otherwise,
        codec=sealed.codec,
        body=sealed.body,
        status=columns.status,
        facts=_facts(columns),
        follows=columns.follows,
        others=owner.others,
        source=source,
        parts=_parts(draft.facts.parts, runtime.keys),
        tokens=(
            *((row.parameter, row.value, row.starts) for row in rows.tokens),
            *(_put_to(draft.facts, columns) if not draft.deleted and _is_put(draft, owner) else ()),
        ),
        identifiers=rows.identifiers,
    )


def _is_put(draft: Draft, owner: Owner) -> bool:
    """Whether it lies with nobody, or is a proposal, or was one that is taken back.

    These cost the same whether their person is here or not.
    """
    return owner.patient_key == NOBODY or (
        draft.facts.type.name == PROPOSABLE and draft.tree.get("status") in _PUT
    )


def _put_to(facts: Facts, columns: Columns) -> Iterator[tuple[int, int, None]]:
    """Rows by which a proposal to somebody without a passport is found like one to somebody with one."""
    parameter = parameters_of(facts.type.name).get("patient")
    if parameter is not None:
        yield from ((parameter.number, patient, None) for patient in columns.patients)


def _facts(columns: Columns) -> dict[str, Any]:
    return {name: getattr(columns, name) for name in _FACT_NAMES}


def _parts(parts: Sequence[Facts], keys: KeyMaker) -> tuple[PartRow, ...]:
    return tuple(
        PartRow(
            at,
            None if part.reference is None else keys.reference(part.reference),
            _facts(part.columns(keys)),
        )
        for at, part in enumerate(parts)
    )


def opened_body(row: Any, body_key: bytes, type_number: int) -> bytes:
    """The JSON of a stored row (patient_key, id, version, codec, body).

    Raises:
        BodyForged: the row does not hold what was sealed for it.
    """
    id_ = row.id
    opened = BODIES.open_row(row.codec, row.body, body_key, row.patient_key, type_number, id_, row.version)
    return b'%b%b"%b' % (_HEADS[type_number], id_.encode(), opened)
