"""Keeping what was compiled: grants, nodes, recipients and shapes of consents, memberships of the directory.

http://hl7.org/fhir/R4/consent.html

One statement per table. A consent's rows lie with its patient, a policy's with patient_key 0; each function
runs in its caller's transaction, so that a new version replaces the old one at once or not at all.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from consent.compile import Compiled, Keys
from consent.directory import edges, resolvable
from consent.errors import ShapeCollision, UnknownShape
from consent.shape import Shape, parse_shape

Rows = list[dict[str, object]]

GRANT_TABLES: Final = ("consent_grant", "consent_node", "consent_actor")

_DELETE: Final = "DELETE FROM {} WHERE patient_key = %(patient_key)s AND consent_key = %(consent_key)s"
_INSERT: Final = "INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s::jsonb)"
_INSERT_SHAPES: Final = f"{_INSERT.format('consent_shape')} ON CONFLICT (shape_key) DO NOTHING"
# Two who keep new shapes at once would wait for each other's, where both keep several.
_HOLD_NEW_SHAPES: Final = """
SELECT pg_advisory_xact_lock(%(place)s::int, 0) WHERE EXISTS (
    SELECT FROM unnest(%(keys)s::bigint[]) AS meant (shape_key)
    LEFT JOIN consent_shape AS kept USING (shape_key) WHERE kept.content IS NULL)
"""
_SHAPES_PLACE: Final = 1
_COLLISIONS: Final = """
SELECT FROM jsonb_populate_recordset(NULL::consent_shape, %s::jsonb) AS meant
JOIN consent_shape AS kept USING (shape_key) WHERE kept.content <> meant.content LIMIT 1
"""
_SHAPES: Final = "SELECT shape_key, content FROM consent_shape WHERE shape_key = ANY (%s)"

_DELETE_MEMBERSHIPS: Final = "DELETE FROM membership WHERE origin = %s"
_DELETE_COLLECTIVE: Final = "DELETE FROM collective WHERE actor_key = %s"
_INSERT_COLLECTIVE: Final = "INSERT INTO collective (actor_key, resolvable) VALUES (%s, %s)"


def grant_rows(compiled: Compiled, patient_key: int, consent_key: int) -> dict[str, Rows]:
    """The rows of a compiled consent, by table; the shapes are those of `shape_rows`."""
    whose = {"patient_key": patient_key, "consent_key": consent_key}
    grants: Rows = []
    nodes: Rows = []
    actors: Rows = []
    for grant in compiled.grants:
        place = {**whose, "ordinal": grant.ordinal}
        grants.append(
            {
                **place,
                "consent_ref": compiled.consent_ref,
                "effect": int(grant.effect),
                "shape_key": grant.shape_key,
            }
        )
        actors += [{**place, "actor_key": actor} for actor in grant.recipients]
        for node in grant.nodes:
            nodes.append(
                {
                    **place,
                    "node": node.node,
                    "granting": node.granting,
                    "actors": None if node.actors is None else list(node.actors),
                    "collectives": list(node.collectives),
                    "chained": node.chained,
                    "purposes": node.purposes,
                    "actions": node.actions,
                    "starts": node.starts and node.starts.isoformat(),
                    "ends": node.ends and node.ends.isoformat(),
                }
            )
    return dict(zip(GRANT_TABLES, (grants, nodes, actors), strict=True))


def shape_rows(compiled: Compiled) -> Rows:
    """The rows of its shapes, each once."""
    shapes = {grant.shape_key: grant.shape.content for grant in compiled.grants}
    return [{"shape_key": key, "content": content} for key, content in shapes.items()]


async def replace(
    connection: AsyncConnection[Any], compiled: Compiled, *, patient_key: int, consent_key: int
) -> None:
    """Let this version of a consent count in place of every earlier one; one without grants withdraws it.

    Raises:
        ShapeCollision: another shape has the same key; nothing may be enforced under it.
    """
    shapes = json.dumps(shape_rows(compiled))
    rows = grant_rows(compiled, patient_key, consent_key)
    cursor = connection.cursor()
    for table in GRANT_TABLES:
        await cursor.execute(_DELETE.format(table), {"patient_key": patient_key, "consent_key": consent_key})
        if rows[table]:
            await cursor.execute(_INSERT.format(table), [json.dumps(rows[table])])
    if not compiled.grants:
        return
    keys = sorted({grant.shape_key for grant in compiled.grants})
    await cursor.execute(_HOLD_NEW_SHAPES, {"place": _SHAPES_PLACE, "keys": keys})
    await cursor.execute(_INSERT_SHAPES, [shapes])
    await cursor.execute(_COLLISIONS, [shapes])
    if await cursor.fetchone() is not None:
        raise ShapeCollision("got a shape whose key another one has, expected a key of its own")


async def load_shapes(connection: AsyncConnection[Any], keys: Collection[int]) -> dict[int, Shape]:
    """The shapes of these keys; one that is missing or cannot be enforced is left out, and so denies."""
    cursor = await connection.execute(_SHAPES, [list(keys)])
    shapes = {}
    for key, content in await cursor.fetchall():
        try:
            shapes[key] = parse_shape(content)
        except UnknownShape:
            continue
    return shapes


def membership_rows(reference: str, resource: Mapping[str, object], keys: Keys, *, zone: ZoneInfo) -> Rows:
    """The rows of the memberships that a resource of the directory states."""
    return [
        {
            "member": keys.reference(step.member),
            "container": keys.reference(step.container),
            "origin": keys.reference(reference),
            "ordinal": ordinal,
            "kind": int(step.kind),
            "starts": step.period.start and step.period.start.isoformat(),
            "ends": step.period.end and step.period.end.isoformat(),
        }
        for ordinal, step in enumerate(edges(resource, zone))
    ]


async def replace_memberships(
    connection: AsyncConnection[Any],
    reference: str,
    resource: Mapping[str, object] | None,
    keys: Keys,
    *,
    zone: ZoneInfo,
) -> None:
    """Let the memberships that a resource of the directory states now count in place of its earlier ones.

    Args:
        connection: inside the transaction that writes the resource.
        reference: the resource's own reference.
        resource: its new version, None where it was deleted: then whether somebody is a member is unknown.
        keys: the installation's keys.
        zone: the passport's time zone.
    """
    origin = keys.reference(reference)
    await connection.execute(_DELETE_MEMBERSHIPS, [origin])
    await connection.execute(_DELETE_COLLECTIVE, [origin])
    if resource is None:
        return
    await connection.execute(_INSERT_COLLECTIVE, [origin, resolvable(resource, zone)])
    rows = membership_rows(reference, resource, keys, zone=zone)
    if rows:
        await connection.execute(_INSERT.format("membership"), [json.dumps(rows)])
