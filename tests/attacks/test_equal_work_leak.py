"""Equal work: a denied id and one that was never given cost the same statements, decryptions and hashes.

http://hl7.org/fhir/R4/security.html
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests import resources as made
from tests.attacks.twins import Twins, masked, twins_of
from tests.attacks.work import Work, work_of
from tests.cast import Cast
from tests.town import Town, Voice
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

UNKNOWN: Final = "Observation/00000000-0000-4000-8000-000000000000"
WARMING: Final = 3
"""Requests after which a process has compiled its statements and its connections have prepared them."""

Request = tuple[str, str, Any]


def read(reference: str, _: str) -> Request:
    return "GET", reference, None


def version(reference: str, _: str) -> Request:
    return "GET", f"{reference}/_history/1", None


def history(reference: str, _: str) -> Request:
    return "GET", f"{reference}/_history", None


def search(reference: str, _: str) -> Request:
    return "GET", f"Observation?_id={reference.partition('/')[2]}", None


def sifted(reference: str, _: str) -> Request:
    return "GET", f"Observation?_id={reference.partition('/')[2]}&value-quantity=gt0", None


def chained(reference: str, _: str) -> Request:
    return "GET", f"Observation?derived-from:Observation._id={reference.partition('/')[2]}", None


def including(reference: str, _: str) -> Request:
    return "GET", f"Observation?_id={reference.partition('/')[2]}&_include=*&_revinclude=*", None


def in_compartment(reference: str, patient: str) -> Request:
    return "GET", f"{patient}/Observation?_id={reference.partition('/')[2]}", None


def across(reference: str, _: str) -> Request:
    return "GET", f"/fhir?_type=Observation,Condition&_id={reference.partition('/')[2]}", None


def across_all(reference: str, _: str) -> Request:
    return "GET", f"/fhir?_id={reference.partition('/')[2]}", None


def across_sifted(reference: str, patient: str) -> Request:
    tagged = "_tag=x,y&_total=accurate"
    return "GET", f"{patient}/*?_id={reference.partition('/')[2]}&{tagged}", None


def update(reference: str, patient: str) -> Request:
    return "PUT", reference, {**made.weight(patient), "id": reference.partition("/")[2]}


def delete(reference: str, _: str) -> Request:
    return "DELETE", reference, None


def metadata(reference: str, _: str) -> Request:
    return "GET", f"{reference}/$meta", None


def validation(reference: str, _: str) -> Request:
    return "GET", f"{reference}/$validate", None


def head(reference: str, _: str) -> Request:
    return "HEAD", reference, None


def patch(reference: str, _: str) -> Request:
    operation = {
        "name": "operation",
        "part": [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": "Observation.status"},
            {"name": "value", "valueCode": "amended"},
        ],
    }
    return "PATCH", reference, {"resourceType": "Parameters", "parameter": [operation]}


def _matching(reference: str) -> str:
    return f"Observation?_id={reference.partition('/')[2]}"


def conditional_patch(reference: str, patient: str) -> Request:
    return "PATCH", _matching(reference), patch(reference, patient)[2]


def conditional_delete(reference: str, _: str) -> Request:
    return "DELETE", _matching(reference), None


def conditional_delete_by_content(reference: str, _: str) -> Request:
    return "DELETE", f"{_matching(reference)}&value-quantity=gt0", None


def conditional_update(reference: str, patient: str) -> Request:
    # It may not create either, so that nothing is there when it is asked again.
    return "PUT", _matching(reference), made.pressure(patient)


def _bundle(kind: str, ask: Callable[[str, str], Request], reference: str, patient: str) -> Request:
    method, url, tree = ask(reference, patient)
    entry = {"request": {"method": method, "url": url}} | ({} if tree is None else {"resource": tree})
    return "POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": [entry]}


def in_batch(ask: Callable[[str, str], Request]) -> Callable[[str, str], Request]:
    return partial(_bundle, "batch", ask)


def in_transaction(ask: Callable[[str, str], Request]) -> Callable[[str, str], Request]:
    return partial(_bundle, "transaction", ask)


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    written = await twins_of(town, cast)
    await written.full.patient.grant(
        permit(cast.hospital, codes=[made.BODY_WEIGHT], labels=["N"], actions=["collect", "correct"])
    )
    return written


async def measured(voice: Voice, request: Request, trace: Path) -> Work:
    method, path, tree = request
    content = None if tree is None else orjson.dumps(tree)
    for _ in range(WARMING):
        await voice.call(method, path, content=content)
    return await work_of(voice.town, lambda: voice.call(method, path, content=content), trace)


ALONE: Final = (
    read, head, version, history, metadata, validation, search, sifted, chained, including, in_compartment, across,
    across_all, across_sifted, update, patch, delete, conditional_update, conditional_patch, conditional_delete,
    conditional_delete_by_content,
)  # fmt: skip
TOGETHER: Final = tuple(
    pytest.param(wrap(ask), id=f"{wrap.__name__}-{ask.__name__}")
    for wrap in (in_batch, in_transaction)
    for ask in (read, search, update, patch, delete, conditional_delete)
)


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        *product(("a code that was not shared", "deleted"), ALONE),
        *product(("a label above what was shared",), (read, search, update)),
    ],
)
async def test_a_denied_id_costs_what_an_unknown_one_costs(
    twins: Twins, tmp_path: Path, ask: Callable[[str, str], Request], kind: str
) -> None:
    await same_work(twins, tmp_path, ask, kind)


@pytest.mark.parametrize("ask", TOGETHER)
async def test_an_entry_about_a_denied_id_costs_what_one_about_an_unknown_one_costs(
    twins: Twins, tmp_path: Path, ask: Callable[[str, str], Request]
) -> None:
    await same_work(twins, tmp_path, ask, "a code that was not shared")


async def same_work(twins: Twins, tmp_path: Path, ask: Callable[[str, str], Request], kind: str) -> None:
    patient, asked = twins.full.patient.reference, twins.full.hidden[kind]
    for voice in (twins.physician, twins.colleague):
        denied = await measured(voice, ask(asked, patient), tmp_path / "denied")
        unknown = await measured(voice, ask(UNKNOWN, patient), tmp_path / "unknown")
        assert masked(denied.answer) == masked(unknown.answer)
        assert denied.statements == unknown.statements
        assert denied.cryptography == unknown.cryptography
        assert not any("decrypt" in call for call in denied.cryptography)


async def test_what_is_shown_costs_its_decryption_and_no_further_statement(
    twins: Twins, tmp_path: Path
) -> None:
    """The counting can tell work apart: otherwise it would prove nothing."""
    shown = await measured(twins.physician, read(twins.full.shown[0], ""), tmp_path / "shown")
    unknown = await measured(twins.physician, read(UNKNOWN, ""), tmp_path / "unknown")
    assert len(shown.statements) == 1 < len(unknown.statements)
    assert sum(count for call, count in shown.cryptography.items() if "decrypt" in call) > 0


async def test_a_page_costs_the_same_statements_however_many_records_it_shows(
    twins: Twins, tmp_path: Path
) -> None:
    patient = twins.full.patient.reference
    costs = [
        (
            await measured(
                twins.physician,
                ("GET", f"Observation?patient={patient}&_count={count}", None),
                tmp_path / "t",
            )
        )
        for count in (1, 6)
    ]
    assert costs[0].statements == costs[1].statements
    assert [len(cost.answer.json()["entry"]) for cost in costs] == [1, 6]


async def test_a_search_for_a_patient_who_shared_nothing_costs_what_one_for_nobody_costs(
    hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    await hanako.create(made.weight(hanako.reference))
    known, nobody = [
        await measured(cast.b, ("GET", f"Observation?patient={patient}", None), tmp_path / "trace")
        for patient in (hanako.reference, "Patient/nobody")
    ]
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


async def test_a_write_for_a_patient_who_shared_nothing_costs_what_one_for_nobody_costs(
    hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    known, nobody = [
        await measured(cast.b, ("POST", "Observation", made.weight(patient)), tmp_path / "trace")
        for patient in (hanako.reference, "Patient/nobody")
    ]
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


async def test_a_request_for_access_to_a_resident_costs_what_one_put_to_nobody_costs(
    hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    """The resident is told of it in the same transaction, and nobody is told alike."""
    asked = hanako.consent(permit(cast.clinic), status="proposed")
    known, nobody = [
        await measured(
            cast.a_at_k, ("POST", "Consent", {**asked, "patient": {"reference": patient}}), tmp_path / "trace"
        )
        for patient in (hanako.reference, "Patient/00000000-0000-4000-8000-000000000000")
    ]
    assert (known.answer.status_code, nobody.answer.status_code) == (201, 201)
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


@pytest.mark.parametrize(
    "path", ["{}/$everything", "{}/$summary", "{}/$everything?_type=Observation", "{}/_history", "{}/$meta"]
)
async def test_an_operation_on_a_denied_person_costs_what_one_on_nobody_costs(
    hanako: Voice, cast: Cast, tmp_path: Path, path: str
) -> None:
    await hanako.create(made.weight(hanako.reference))
    known, nobody = [
        await measured(cast.b, ("GET", path.format(patient), None), tmp_path / "trace")
        for patient in (hanako.reference, "Patient/00000000-0000-4000-8000-000000000000")
    ]
    assert masked(known.answer) == masked(nobody.answer)
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography
