"""`passport consent verify` says in one line what is wrong, and shows what holds."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from passport.cli import main
from passport.receipts.jws import signed
from passport.signing import SigningKey, jwk_set
from tests.unit.passport.receipts.signing import CONTENT, KEY

RECEIPT = signed(CONTENT, [KEY])


def run(folder: Path, message: bytes, published: bytes | None = None) -> Result:
    keys = folder / "keys.json"
    keys.write_bytes(orjson.dumps(jwk_set([KEY])) if published is None else published)
    file = folder / "receipt.jws"
    file.write_bytes(message)
    return CliRunner().invoke(main, ["consent", "verify", str(file), "--jwks", str(keys)])


@pytest.mark.parametrize(
    "message", [RECEIPT, RECEIPT + b"\n", orjson.dumps({"receipt": CONTENT, "jws": RECEIPT.decode()})]
)
def test_a_receipt_that_holds_is_shown(tmp_path: Path, message: bytes) -> None:
    done = run(tmp_path, message)
    assert (done.exit_code, orjson.loads(done.stdout)) == (0, CONTENT)


def test_it_is_read_from_stdin(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(orjson.dumps(jwk_set([KEY])))
    done = CliRunner().invoke(main, ["consent", "verify", "-", "--jwks", str(keys)], input=RECEIPT)
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("message", "published", "told"),
    [
        (RECEIPT[:-4] + b"AAAA", None, "changed"),
        (b"", None, "no compact JWS"),
        (b"{}", None, "without `jws`"),
        (b"{", None, "without `jws`"),
        (b'{"jws": 5}', None, "without `jws`"),
        (RECEIPT, b"", "no JSON object"),
        (RECEIPT, b"[]", "no JSON object"),
        (RECEIPT, b"{}", "no JWK Set"),
        (RECEIPT, orjson.dumps(jwk_set([SigningKey.generate()])), "signed by key"),
    ],
)
def test_what_does_not_hold_is_told_in_one_line(
    tmp_path: Path, message: bytes, published: bytes | None, told: str
) -> None:
    done = run(tmp_path, message, published)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
