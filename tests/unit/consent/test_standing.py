"""The grants of the patients in question stand, and those of nobody else."""

import json
from typing import Any, Final

import psycopg
import pytest

from consent.compile import compile_consent
from consent.standing import GRANTS
from consent.store import grant_rows
from tests.databases import Database
from tests.unit.consent.enforcement import KEYS
from tests.unit.consent.words import DR_A, DR_B, NOW, Json, consents, deny, permit

ASKED: Final = f"""
WITH asked (patient_key) AS (SELECT unnest(%(patients)s::bigint[])),
facets AS (
    SELECT %(actors)s::bigint[] AS actors, NULL::bigint AS client, false AS unresolved, 1 AS purpose, 1 AS action,
        %(at)s::timestamptz AS at
)
SELECT patient_key, ordinal, effect, t_bits, f_bits FROM ({GRANTS}) AS standing ORDER BY 1, 2, 3
"""


@pytest.fixture
def stands(module_database: Database) -> Any:
    """What stands of some patients, each of whom keeps a consent with this root."""

    def of(root: Json, *patients: int) -> list[tuple[Any, ...]]:
        (one,) = consents(root)
        with psycopg.connect(module_database.superuser_url) as connection:
            for patient in (1, 2):
                for table, rows in grant_rows(compile_consent(one, KEYS), patient, 7).items():
                    connection.execute(
                        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)",
                        [json.dumps(rows)],
                    )
            asked = {"patients": list(patients), "actors": [KEYS.reference(DR_A)], "at": NOW}
            found = connection.execute(ASKED, asked).fetchall()
            connection.rollback()
        return [(*row[:3], int(row[3]), int(row[4])) for row in found]

    return of


@pytest.mark.parametrize(
    ("root", "standing"),
    [
        (permit(DR_A), [(0, 1, 1, 0)]),
        (permit(DR_B), []),
        (deny(DR_A), [(0, 2, 1, 0)]),
        (deny(DR_B), [(0, 2, 0, 1)]),
        (deny(but=[permit(DR_A)]), [(0, 2, 3, 0), (1, 1, 3, 0)]),
    ],
)
def test_what_stands_is_of_the_patients_in_question_alone(
    stands: Any, root: Json, standing: list[tuple[int, ...]]
) -> None:
    assert stands(root, 1) == [(1, *row) for row in standing]
    assert stands(root, 2, 1) == [(patient, *row) for patient in (1, 2) for row in standing]
    assert stands(root) == []
    assert stands(root, 3) == []
