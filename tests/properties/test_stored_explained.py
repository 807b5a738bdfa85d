"""A record that is told by its keys is explained as the record itself, on generated worlds.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from consent.explain import explain
from consent.model import Coding, Record
from consent.reference import decide
from fhirstore.times import BEGINNING, END
from passport.disclosure.stored_facts import StoredFacts
from passport.explaining.facts import Vocabulary, stored_parts
from tests.examples import examples
from tests.unit.consent.enforcement import KEYS, part_rows_of, patients_of, row_of
from tests.unit.consent.words import VITAL_SIGNS
from tests.unit.consent.worlds import World, worlds

WORLDS: Final = examples(150)

_EDGES: Final = {"-infinity": BEGINNING, "infinity": END}


def read(row: Mapping[str, Any], **more: Any) -> SimpleNamespace:
    """A row as a statement gives it."""
    times = {name: instant(row[name]) for name in ("starts", "ends")}
    return SimpleNamespace(**{**row, **times, "refs": row["refs"] or [], **more})


def instant(text: str | None) -> datetime | None:
    return None if text is None else _EDGES.get(text) or datetime.fromisoformat(text)


def stored(
    record: Record, patients: Mapping[str | None, int], implied: frozenset[Coding], *, nothing: bool
) -> StoredFacts:
    """The facts of a record as the store keeps them; what is absent is NULL or an empty array."""

    def empty() -> list[int] | None:
        return [] if nothing else None

    id_ = (record.reference or "").partition("/")[2]
    row = read(row_of(record, patients, empty, implied), id=id_)
    return StoredFacts(
        row,
        tuple(read(part) for part in part_rows_of(record, patients, empty, implied)),
        tuple(
            None if target is None else stored(target, patients, implied, nothing=nothing)
            for target in record.follows
        ),
    )


@WORLDS
@given(world=worlds(), nothing=st.booleans(), implied=st.booleans())
def test_what_is_stored_of_a_record_is_explained_as_the_record(
    world: World, nothing: bool, implied: bool
) -> None:
    patients = patients_of(world.consents, world.records, world.request)
    named = {key: name for name, key in patients.items() if name is not None}
    vocabulary = Vocabulary.of(world.consents, KEYS)
    categories = frozenset({VITAL_SIGNS}) if implied else frozenset()
    for record in world.records:
        known = vocabulary.record(stored(record, patients, categories, nothing=nothing), named)
        told = explain(world.consents, known, world.request, parts=stored_parts)
        assert told.permitted is decide(world.consents, record, world.request)
        original = explain(world.consents, record, world.request)
        assert [
            (view.patient, one.consent.reference, one.path, one.truth)
            for view in told.views
            for one in view.weighed
        ] == [
            (view.patient, one.consent.reference, one.path, one.truth)
            for view in original.views
            for one in view.weighed
        ]
