"""Recording a write in the statement that judges it: what may not stand has no audit row, and so is not kept.

https://profiles.ihe.net/ITI/BALP/

The rows are written with the outcome of the judgement in their `outcome`, which may not be NULL: where a record
is not permitted the statement fails, and with it the transaction. The COMMIT may therefore be sent along.
"""

from collections.abc import Sequence
from typing import Any, Final

from psycopg.errors import NotNullViolation
from sqlalchemy import BigInteger, Select, column, func, select, text

from passport.audit import record
from passport.audit.record import LISTS, SQL_TYPES, AuditRow
from passport.audit.tables import audit_event
from passport.decision import PLACE_BITS

_OUTCOME: Final = "outcome"

# In place of the plain column: the grants of earlier judgements beside those of this one, and the outcome.
_VALUES: Final = {
    "grants": """ARRAY (
        SELECT ref FROM unnest(CAST(rows.grants AS text[])) AS ref UNION SELECT unnest(rests.refs) ORDER BY ref)""",
    _OUTCOME: """CASE WHEN
        (SELECT count(*) = CAST(:judged_count AS bigint) AND bool_and(permitted) FROM judged) THEN rows.outcome END""",
}

# What each row's records rest on, joined once: looking through them for each record would cost their square.
_RESTS: Final = f"""
SELECT told.place, array_agg(DISTINCT granted.ref) AS refs
FROM unnest(CAST(:row_patient_key AS bigint[]), CAST(:row_record_keys AS text[]))
    WITH ORDINALITY AS told (patient_key, record_keys, place)
CROSS JOIN LATERAL unnest(CAST(told.record_keys AS bigint[])) AS written (record_key)
JOIN judged USING (record_key)
CROSS JOIN LATERAL unnest(judged.relied) AS relied (code)
JOIN unnest(CAST(:grant_codes AS bigint[]), CAST(:grant_refs AS text[])) AS granted (code, ref) USING (code)
WHERE code < 0 OR code >> {PLACE_BITS} = told.patient_key
GROUP BY told.place
"""


def _value(name: str) -> str:
    cast = f"CAST(rows.{name} AS {LISTS[name]})" if name in LISTS else f"rows.{name}"
    return _VALUES.get(name, cast)


_RECORDED: Final = f"""
INSERT INTO audit_event ({", ".join(record.COLUMNS)})
SELECT {", ".join(map(_value, record.COLUMNS))}
FROM unnest({", ".join(f"CAST(:row_{name} AS {SQL_TYPES.get(name, 'text')}[])" for name in record.COLUMNS)})
    WITH ORDINALITY AS rows ({", ".join(record.COLUMNS)}, place)
LEFT JOIN ({_RESTS}) AS rests USING (place)
RETURNING patient_key
"""


def recorded_as_judged(judged: Select[Any]) -> Select[Any]:
    """The statement that judges and records.

    Args:
        judged: patient_key, record_key, permitted and relied of each row in question.
    """
    asked = judged.cte("judged")
    recorded = text(_RECORDED).columns(column("patient_key", BigInteger)).cte("recorded")
    return select(func.count()).select_from(recorded).add_cte(asked, recorded)


def parameters(rows: Sequence[AuditRow], grants: Sequence[tuple[int, str]], count: int) -> dict[str, Any]:
    """What `recorded_as_judged` binds beside the judgement's own: `count` rows have to be permitted."""
    return {
        **{f"row_{name}": values for name, values in record.parameters(rows).items()},
        "grant_codes": [code for code, _ in grants],
        "grant_refs": [ref for _, ref in grants],
        "judged_count": count,
    }


def unrecorded(error: NotNullViolation) -> bool:
    """Whether the error is that of a record which may not stand."""
    diagnosis = error.diag
    return diagnosis.table_name == audit_event.name and diagnosis.column_name == _OUTCOME
