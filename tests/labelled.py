"""Labels of records in tests: changed as a client changes them, and taken off as no client can.

Records of before the labelling step bear none; what a consent means for them shows on records whose labels were
taken off where they lie.
"""

from collections.abc import Sequence
from typing import Any

import orjson
import psycopg
from httpx import Response
from psycopg.rows import namedtuple_row

from consent.systems import CONFIDENTIALITY
from fhirstore.facts import extract
from fhirstore.parse import parse
from fhirstore.rows import record_arrays
from fhirstore.types import TYPES_BY_NUMBER
from passport.records import Draft, Owner, opened_body, sealed_row
from tests import resources as made
from tests.town import Town, Voice
from tests.unit.consent.words import Json

_ROW = "SELECT r.*, p.wrapped_key FROM resource r JOIN patient p USING (patient_key) WHERE r.record_key = %s"
_REWRITE = """
UPDATE resource SET body = %(body)s, codec = %(codec)s, confidentiality = %(confidentiality)s,
    labels = %(labels)s::bigint[], codes = %(codes)s::bigint[], code_systems = %(code_systems)s::bigint[]
WHERE patient_key = %(patient_key)s AND record_key = %(record_key)s
"""


async def change(voice: Voice, verb: str, reference: str, meta: Json, **headers: str) -> Response:
    """`$meta-add` or `$meta-delete`."""
    tree = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    return await voice.call("POST", f"{reference}/${verb}", content=orjson.dumps(tree), headers=headers)


async def raise_labels(voice: Voice, reference: str, *labels: str | tuple[str, str]) -> Json:
    """Add labels to a record; returns its Meta."""
    return _meta(await change(voice, "meta-add", reference, made.labelled(*labels)))


async def take_labels(voice: Voice, reference: str, *labels: str | tuple[str, str]) -> Json:
    """Take labels of a record away; returns its Meta."""
    return _meta(await change(voice, "meta-delete", reference, made.labelled(*labels)))


def _meta(answer: Response) -> Json:
    assert answer.status_code == 200, answer.text
    (parameter,) = answer.json()["parameter"]
    assert parameter["name"] == "return"
    meta: Json = parameter["valueMeta"]
    return meta


async def labels_of(voice: Voice, reference: str) -> list[Any]:
    """The labels that a record bears now."""
    security: list[Any] = (await voice.read(reference))["meta"].get("security", [])
    return security


def confidentiality(labels: Sequence[Json]) -> str:
    """The one confidentiality among labels."""
    (level,) = [label["code"] for label in labels if label["system"] == CONFIDENTIALITY]
    return str(level)


def relabelled(town: Town, reference: str, security: Sequence[Json] = ()) -> str:
    """Let a record bear these labels where it lies, whatever any rule says; returns its reference."""
    runtime = town.runtime
    key = runtime.keys.reference(reference)
    with psycopg.connect(town.database.superuser_url, row_factory=namedtuple_row) as connection:
        row: Any = connection.execute(_ROW, [key]).fetchone()
        body_key = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
        tree = parse(opened_body(row, body_key, row.type))
        meta = {name: value for name, value in tree["meta"].items() if name != "security"}
        tree = {**tree, "meta": {**meta, **({"security": list(security)} if security else {})}}
        facts = extract(tree, zone=runtime.settings.zone, base_urls=(runtime.settings.fhir_url,))
        draft = Draft(row.id, row.version, tree, facts)
        owner = Owner(row.patient_key, body_key, tuple(row.others or ()))
        rewritten = sealed_row(runtime, draft, owner, source=row.source, now=row.last_updated)
        assert not rewritten.parts, "a record with parts has their labels elsewhere as well"
        values = {name: found[0] for name, found in record_arrays([rewritten]).items()}
        connection.execute(_REWRITE, values)
    assert TYPES_BY_NUMBER[row.type].name == reference.partition("/")[0]
    return reference
