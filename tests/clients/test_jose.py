"""A receipt is verified by a JOSE library that knows nothing of the passport but its address.

https://github.com/panva/jose
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from hatch_build import toolchain
from passport.receipts.jws import TYPE
from tests.clients.conftest import Practice
from tests.clients.npm import installed

NODE: Final = Path(__file__).parent / "node"
RUN_SECONDS: Final = 60


@pytest.fixture(scope="module")
def told(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the library says of a receipt as it was handed out, and of one with another content."""
    with practice.served.caller(practice.patient, "PATRQT") as resident:
        (newest, *_) = resident.get("/sharing/receipts").json()
        receipt = resident.get(newest["receipt"].removeprefix(practice.served.base_url)).text
    tools = toolchain()
    done = subprocess.run(
        [tools.node, "receipt.mjs"],
        cwd=installed(NODE, tools, tmp_path_factory.getbasetemp().parent),
        env={**os.environ, "BASE_URL": practice.served.base_url},
        input=receipt,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_receipt_holds(told: Any, practice: Practice) -> None:
    assert told["held"]["header"]["typ"] == TYPE
    content = told["held"]["content"]
    assert content["pii_principal_id"] == f"{practice.served.fhir_url}/{practice.patient}"


def test_a_changed_one_does_not(told: Any) -> None:
    assert told["changed"] == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
