"""Standing: who is asking, and what the consents of the patients in question leave them; one statement.

http://hl7.org/fhir/R4/consent.html

The statement looks up the session, follows the caller's roles and memberships as they are now, compares the
request-facets of every grant of the patients in question, and sets the wall for the rest of the transaction:
only patients with any grant for these actors, the caller's own passport, the patient of this opening. It
answers one row per patient that the caller has anything of, so its cost grows with those and not with the
size of the passport.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from consent.model import Purpose
from consent.standing import GRANTS
from fhirstore.tables import NOBODY
from passport.outcomes import Unauthenticated
from passport.sql import Connection, Prepared, start
from passport.subjects import Subject

_CALLER_OF_SESSION: Final = """
    SELECT kind, subject, role, client, actor_key, client_key, patient_key, opened_patient_key, purpose,
        scopes, session_id
    FROM session
    WHERE token_hash = %(token_hash)s AND issued_at <= %(now)s AND expires_at > %(now)s
        AND (ended_at IS NULL OR ended_at > %(now)s)
"""
_CALLER_OF_SERVICE: Final = """
    SELECT %(kind)s::text AS kind, %(subject)s::text AS subject, %(role)s::text AS role,
        %(client)s::text AS client, %(actor_key)s::bigint AS actor_key, %(client_key)s::bigint AS client_key,
        %(patient_key)s::bigint AS patient_key, %(opened_patient_key)s::bigint AS opened_patient_key,
        %(purpose)s::text AS purpose, %(scopes)s::text[] AS scopes, %(session_id)s::uuid AS session_id
"""

# One patient: whoever holds this record, and those who share a record with them.
_ASKED_OF_RECORD: Final = """
    SELECT patient_key FROM locator WHERE record_key = %(about_key)s
    UNION SELECT other_key FROM copatient WHERE patient_key = (
        SELECT patient_key FROM locator WHERE record_key = %(about_key)s)
    UNION SELECT 0
"""
# Whoever shared: every patient with a permit that names one of these actors, and the caller's own passport.
_ASKED_OF_ANYONE: Final = """
    SELECT patient_key FROM consent_actor, actors WHERE actor_key = ANY (actors.keys)
    UNION SELECT patient_key FROM caller WHERE patient_key IS NOT NULL
    UNION SELECT other_key FROM copatient, caller WHERE copatient.patient_key = caller.patient_key
    UNION SELECT patient_key FROM consent_grant, reach WHERE effect = 2 AND reach.everyone
    UNION SELECT 0
"""

_STATEMENT: Final = """
WITH RECURSIVE caller AS MATERIALIZED ({caller}),
valid_membership AS (
    SELECT member, container, kind AS step FROM membership
    WHERE (starts IS NULL OR starts <= %(now)s) AND (ends IS NULL OR ends > %(now)s)
),
chain (actor) AS (
    SELECT actor_key FROM caller WHERE role IS NULL AND actor_key IS NOT NULL
    UNION SELECT container FROM caller JOIN valid_membership ON member = actor_key AND step = 1
    UNION SELECT container FROM chain JOIN valid_membership ON member = actor AND step IN (2, 3)
),
listed (actor) AS (SELECT container FROM chain JOIN valid_membership ON member = actor AND step = 4),
followed (actor) AS (
    SELECT actor_key FROM caller WHERE role IS NOT NULL OR subject LIKE 'Organization/%%'
    UNION SELECT container FROM chain JOIN valid_membership ON member = actor AND step = 3
    UNION SELECT container FROM caller JOIN valid_membership ON member = actor_key AND step = 3
),
actors AS MATERIALIZED (
    SELECT coalesce(array_agg(actor), '{{}}') AS keys,
        EXISTS (SELECT FROM followed WHERE NOT EXISTS (
            SELECT FROM collective WHERE actor_key = followed.actor AND resolvable)) AS unresolved
    FROM (SELECT actor FROM chain UNION SELECT actor FROM listed) AS known
),
reach AS MATERIALIZED (
    SELECT opened_patient_key IS NULL AND purpose <> 'BTG' AND EXISTS (
        SELECT FROM consent_actor, actors WHERE patient_key = 0 AND actor_key = ANY (actors.keys)) AS everyone
    FROM caller
),
asked AS MATERIALIZED (
    SELECT found.patient_key FROM ({asked}) AS found, caller
    WHERE caller.purpose <> 'BTG' OR found.patient_key IN (0, caller.opened_patient_key)
),
facets AS MATERIALIZED (
    SELECT actors.keys AS actors, caller.client_key AS client, actors.unresolved,
        coalesce((1 << (array_position(%(purposes)s::text[], caller.purpose) - 1)), 0) AS purpose,
        %(action_bit)s::int AS action, %(now)s::timestamptz AS at
    FROM caller, actors
),
standing_grant AS ({grants}),
relevant AS MATERIALIZED (
    SELECT patient_key, effect, shape_key, t_bits, f_bits, consent_ref
    FROM standing_grant
    -- A permit whose root asks what is not so, and a block whose root certainly does not apply, say nothing.
    WHERE CASE effect WHEN 1 THEN t_bits & 1 = 1 ELSE f_bits & 1 = 0 END
),
wall AS (
    SELECT coalesce(array_agg(asked.patient_key), '{{}}') AS patients
    FROM asked, caller, actors, reach
    WHERE asked.patient_key = 0 OR asked.patient_key = caller.patient_key OR reach.everyone
        OR asked.patient_key = caller.opened_patient_key
        OR EXISTS (SELECT FROM consent_actor AS shared
            WHERE shared.patient_key = asked.patient_key AND shared.actor_key = ANY (actors.keys))
)
SELECT caller.*, actors.keys AS actors, reach.everyone,
    (SELECT array_agg(patient_key) FROM asked WHERE patient_key <> 0) AS asked,
    (SELECT patient_key FROM locator WHERE record_key = %(about_key)s) AS about_patient,
    ARRAY (SELECT patient_key FROM relevant ORDER BY {order}) AS grant_patients,
    ARRAY (SELECT effect FROM relevant ORDER BY {order}) AS grant_effects,
    ARRAY (SELECT shape_key FROM relevant ORDER BY {order}) AS grant_shapes,
    ARRAY (SELECT t_bits FROM relevant ORDER BY {order}) AS grant_trues,
    ARRAY (SELECT f_bits FROM relevant ORDER BY {order}) AS grant_falses,
    ARRAY (SELECT consent_ref FROM relevant ORDER BY {order}) AS grant_refs,
    set_config('passport.patients', wall.patients::text, true) AS wall,
    set_config('passport.everyone', CASE WHEN reach.everyone AND %(anyone)s THEN 'on' ELSE 'off' END, true)
        AS all_patients,
    set_config('passport.requester', coalesce(caller.actor_key::text, ''), true) AS requester
FROM caller, actors, reach, wall
"""

_PURPOSES: Final = [purpose.value for purpose in Purpose]
"""In the order of their bits in `consent_node.purposes`."""

_ORDER: Final = "patient_key, effect, shape_key, t_bits, f_bits, consent_ref"


def _statement(caller: str, asked: str, *, anyone: bool) -> Prepared:
    text = _STATEMENT.format(caller=caller, asked=asked, order=_ORDER, grants=GRANTS)
    return Prepared(text.replace("%(anyone)s", "true" if anyone else "false"), {})


STATEMENTS: Final = {
    (bearer, anyone): _statement(
        _CALLER_OF_SESSION if bearer else _CALLER_OF_SERVICE,
        _ASKED_OF_ANYONE if anyone else _ASKED_OF_RECORD,
        anyone=anyone,
    )
    for bearer in (True, False)
    for anyone in (True, False)
}


WIDEN: Final = Prepared(
    """
    SELECT set_config('passport.patients',
        (current_setting('passport.patients')::bigint[] || %(patient_key)s::bigint)::text, true)
    """,
    {},
)
"""Let the wall stand open for one more patient until the transaction ends."""


class Held(NamedTuple):
    """One grant as it stands for this request: which nodes of its shape are True, and which are False."""

    effect: int
    shape_key: int
    trues: int
    falses: int


Signature = tuple[Held, ...]
"""What a patient's consents and the policies leave for this request; patients with the same one share SQL."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one caller may be shown, of whom, in one transaction.

    `groups` maps each signature to the patients that have it, nobody's records (key 0) included; `refs` are the
    consents behind a patient's signature, in its order. `everyone` tells that a policy reaches patients that are
    in no group. `asked` is the patient that a request names, None where it names none or an unknown one.
    """

    subject: Subject
    actor_key: int
    groups: Mapping[Signature, tuple[int, ...]]
    refs: Mapping[int, tuple[str, ...]]
    policies: Signature
    everyone: bool
    asked: int | None

    @property
    def own(self) -> int | None:
        """The patient_key of the caller's own passport."""
        return self.subject.patient_key


async def stand(connection: Connection, params: Mapping[str, Any], *, bearer: bool, anyone: bool) -> Standing:
    """Run the statement inside the open transaction; every later statement of it is behind the wall.

    Raises:
        Unauthenticated: the token is unknown, ended or expired.
    """
    cursor = await start(connection, STATEMENTS[bearer, anyone], {**params, "purposes": _PURPOSES})
    row = await cursor.fetchone()
    if row is None:
        raise Unauthenticated
    return _standing(row, anyone=anyone)


def _standing(row: Any, *, anyone: bool) -> Standing:
    held: dict[int, list[Held]] = {}
    refs: dict[int, list[str]] = {}
    listed = zip(
        row.grant_patients,
        row.grant_effects,
        row.grant_shapes,
        row.grant_trues,
        row.grant_falses,
        row.grant_refs,
        strict=True,
    )
    for patient, effect, shape, trues, falses, ref in listed:
        held.setdefault(patient, []).append(Held(effect, shape, trues, falses))
        refs.setdefault(patient, []).append(ref)
    policies, policy_refs = tuple(held.pop(NOBODY, ())), refs.get(NOBODY, [])
    patients = {NOBODY, *(row.asked or ())} if not anyone or policies else {NOBODY, *held, *(row.asked or ())}
    groups: dict[Signature, list[int]] = {}
    for patient in sorted(patients):
        signature = (*held.get(patient, ()), *policies)
        groups.setdefault(signature, []).append(patient)
        if patient != NOBODY:
            refs[patient] = [*refs.get(patient, ()), *policy_refs]
    return Standing(
        subject=_subject(row),
        actor_key=row.actor_key,
        groups={signature: tuple(patients) for signature, patients in groups.items()},
        refs={patient: tuple(listed) for patient, listed in refs.items()},
        policies=policies,
        everyone=bool(row.everyone) and anyone,
        asked=row.about_patient,
    )


def _subject(row: Any) -> Subject:
    return Subject(
        kind=row.kind,
        reference=row.subject,
        role=row.role,
        client=row.client,
        patient_key=row.patient_key,
        patient=row.subject if row.kind == "patient" else None,
        purpose=row.purpose,
        scopes=frozenset(row.scopes),
        session_id=row.session_id,
        opened_patient_key=row.opened_patient_key,
    )
