"""Recording a disclosure in the statement that makes it: no row is shown unless its audit row was written.

https://profiles.ihe.net/ITI/BALP/

One row per patient: whoever is asked about, whoever owns a record of the page, and whoever else it names. The
grants are those that let a record of this page through, or one that was counted for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CTE, BigInteger, column, text

from passport.audit.record import COLUMNS
from passport.decision import PLACE_BITS
from passport.subjects import Subject

CONDITION: Final = "'recorded' IS NOT NULL"
"""On which the audit rows are written, and so anything is shown: another one may be put in its place."""

MOST_TOLD: Final = 1_000
"""Patients who are each told that a record of theirs was counted; of more it is told in nobody's log."""

# Of whom a number names a grant; a policy that was asked of nobody by name has a number without one.
_OF_WHOM: Final = f"(granted.code < 0 OR granted.code >> {PLACE_BITS} = {{whom}})"
_GRANTED: Final = "unnest(CAST(:grant_codes AS bigint[]), CAST(:grant_refs AS text[])) AS granted (code, ref)"

_BY_SHOWN: Final = f"""
    ARRAY (SELECT DISTINCT granted.ref FROM {_GRANTED}
        WHERE {_OF_WHOM.format(whom="told.patient_key")} AND EXISTS (SELECT FROM shown
            WHERE (shown.patient_key = told.patient_key OR told.patient_key = ANY (shown.others))
                AND granted.code = ANY (shown.relied))
        ORDER BY granted.ref)
"""

# What was counted may be of many: then each grant is looked up once, and not for everybody who is told. A plan that
# expects few people would go through those of all for each of them, which an object is spared.
_BY_COUNTED: Final = """
    CASE WHEN told.patient_key = 0 AND (SELECT beyond FROM much) THEN (SELECT refs FROM anywhere)
        ELSE ARRAY (SELECT jsonb_array_elements_text((SELECT refs FROM by_patient) -> told.patient_key::text)) END
"""
_COUNTED: Final = f"""
WITH used AS (
    SELECT who AS patient_key, granted.ref
    FROM (SELECT patient_key, others, relied FROM shown UNION SELECT patient_key, others, relied FROM counted) AS rows,
        unnest(array_append(rows.others, rows.patient_key)) AS who, unnest(rows.relied) AS code
        JOIN {_GRANTED} ON granted.code = code.code
    WHERE {_OF_WHOM.format(whom="who")}
),
by_patient AS (
    SELECT jsonb_object_agg(patient_key, each.refs) AS refs
    FROM (SELECT patient_key, array_agg(DISTINCT ref ORDER BY ref) AS refs FROM used GROUP BY patient_key) AS each
),
anywhere AS (SELECT coalesce((array_agg(DISTINCT ref ORDER BY ref))[1:{MOST_TOLD}], '{{}}') AS refs FROM used),
whose AS (SELECT DISTINCT unnest(array_append(others, patient_key)) AS patient_key FROM counted),
much AS (SELECT count(*) > {MOST_TOLD} AS beyond FROM whose)
"""
_TOLD_OF_COUNT: Final = """
    UNION ALL SELECT patient_key, NULL, NULL FROM whose WHERE NOT (SELECT beyond FROM much)
"""


def _recorded(
    grants: str, *, before: str = "", told: str = "", something: str = "EXISTS (SELECT FROM shown)"
) -> str:
    return f"""{before}
INSERT INTO audit_event ({", ".join(COLUMNS)})
SELECT told.patient_key, gen_random_uuid(), :now, CAST(:verb AS text), CAST(:kind AS text), CAST(:subject AS text),
    CAST(:role AS text), CAST(:client AS text),
    CASE WHEN CAST(:kind AS text) = 'proxy' THEN
        (SELECT 'Patient/' || patient_id FROM patient WHERE patient_key = told.patient_key) END,
    CAST(:purpose AS text), CAST(:query AS text),
    coalesce(array_agg(told.record_key) FILTER (WHERE told.record_key IS NOT NULL), '{{}}'),
    coalesce(array_agg(told.version) FILTER (WHERE told.record_key IS NOT NULL), '{{}}'),
    {grants.strip()},
    CASE WHEN CAST(:one AS bool) AND NOT {something} THEN 'not-found' ELSE 'success' END, '',
    CAST(:session_id AS uuid), '{{access}}', CAST(:scopes AS text[])
FROM (
    SELECT unnest(CAST(:told AS bigint[])) AS patient_key, NULL::bigint AS record_key, NULL::int AS version
    UNION ALL SELECT patient_key, NULL, NULL FROM locator WHERE record_key = ANY (CAST(:named AS bigint[]))
    UNION ALL SELECT patient_key, record_key, version FROM shown
    UNION ALL SELECT other, record_key, version FROM shown, unnest(others) AS other WHERE others <> '{{}}'
    {told.strip()}
) AS told
WHERE {CONDITION}
GROUP BY told.patient_key
RETURNING patient_key
"""


_OF_SHOWN: Final = _recorded(_BY_SHOWN)
_OF_COUNTED: Final = _recorded(_BY_COUNTED, before=_COUNTED, told=_TOLD_OF_COUNT)
_OF_SEEN: Final = _recorded(_BY_SHOWN, something="(SELECT seen FROM seen)")


def recording(*, counted: bool = False, seen: bool = False) -> CTE:
    """The CTE `audited`, over a CTE `shown` of the rows that a disclosure shows.

    With `counted` over a further one of that name: whose records were counted or looked through, and by which grants.
    With `seen` over one whose `seen` tells whether what was asked about was found, whatever of it is shown.
    """
    written = text(_OF_COUNTED if counted else _OF_SEEN if seen else _OF_SHOWN)
    return written.columns(column("patient_key", BigInteger)).cte("audited")


def parameters(
    subject: Subject,
    *,
    verb: str,
    query: str,
    told: list[int],
    grants: tuple[tuple[int, str], ...],
    one: bool,
    now: datetime,
    named: Sequence[int] = (),
    scopes: Sequence[str] = (),
) -> Mapping[str, Any]:
    """What `audited` binds.

    `told` are patients who get a row whatever is found, and `named` the keys of the references of further ones;
    `grants` name by their numbers what records may have been let through by, `one` tells that a single record was
    asked for, of which there may be nothing, `scopes` are those of the session that let it through.
    """
    return {
        "named": list(named),
        "now": now,
        "verb": verb,
        "kind": subject.kind,
        "subject": subject.reference,
        "role": subject.role,
        "client": subject.client,
        "purpose": subject.purpose,
        "session_id": subject.session_id,
        "query": query,
        "told": told,
        "one": one,
        "scopes": list(scopes),
        "grant_codes": [code for code, _ in grants],
        "grant_refs": [ref for _, ref in grants],
    }
