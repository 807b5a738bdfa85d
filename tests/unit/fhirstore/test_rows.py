"""The statements beside the records bind what several transactions may write in one order.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
"""

from datetime import UTC, datetime

from fhirstore.rows import INSERT_COPATIENTS, RecordRow, beside


def row(patient_key: int, *others: int) -> RecordRow:
    return RecordRow(
        patient_key=patient_key,
        record_key=patient_key,
        version=1,
        id="a",
        last_updated=datetime(2026, 11, 1, tzinfo=UTC),
        deleted=False,
        owned_otherwise=False,
        codec=0,
        body=b"",
        status=None,
        facts={},
        follows=(),
        others=others,
        source=0,
    )


def test_patients_of_one_record_are_bound_in_one_order_and_once() -> None:
    rows = [row(7, 5, 3), row(5, 7), row(3, 7)]
    told = [dict(beside(listed))[INSERT_COPATIENTS] for listed in (rows, rows[::-1])]
    assert told[0] == told[1] == {"patient_key": [3, 5, 7, 7], "other_key": [7, 7, 3, 5]}
