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
    "grants": f"""ARRAY (
        SELECT ref FROM unnest(CAST(rows.grants AS text[])) AS ref
        UNION SELECT granted.ref
        FROM unnest(CAST(:grant_codes AS bigint[]), CAST(:grant_refs AS text[])) AS granted (code, ref)
        JOIN judged ON granted.code = ANY (judged.relied)
        WHERE judged.record_key = ANY (CAST(rows.record_keys AS bigint[]))
            AND (granted.code < 0 OR granted.code >> {PLACE_BITS} = rows.patient_key)
        ORDER BY ref)""",
    _OUTCOME: """CASE WHEN
        (SELECT count(*) = CAST(:judged_count AS bigint) AND bool_and(permitted) FROM judged) THEN rows.outcome END""",
}


def _value(name: str) -> str:
    cast = f"CAST(rows.{name} AS {LISTS[name]})" if name in LISTS else f"rows.{name}"
    return _VALUES.get(name, cast)


_RECORDED: Final = f"""
INSERT INTO audit_event ({", ".join(record.COLUMNS)})
SELECT {", ".join(map(_value, record.COLUMNS))}
FROM unnest({", ".join(f"CAST(:row_{name} AS {SQL_TYPES.get(name, 'text')}[])" for name in record.COLUMNS)})
    AS rows ({", ".join(record.COLUMNS)})
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
