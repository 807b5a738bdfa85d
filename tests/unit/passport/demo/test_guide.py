"""What a started demo says of itself leads to everything that it serves."""

import re
from pathlib import Path

import pytest

from passport.demo.guide import guide
from passport.demo.personas import Persona, PersonaFile
from passport.settings import Settings

PERSONA = Persona(token="token", reference="Patient/1", patient="Patient/1", purpose="PATRQT")


def told(base_url: str) -> list[str]:
    people = PersonaFile(base_url, {"resident": PERSONA, "physician": PERSONA})
    return guide(
        people, Settings(state=Path("state"), key_file=Path("keys")), f"{base_url}/mock"
    ).splitlines()


def test_the_pages_the_description_and_the_fhir_base_are_named() -> None:
    lines = told("http://127.0.0.1:8000")
    for address in ("/", "/docs", "/fhir", "/mock"):
        assert any(f"http://127.0.0.1:8000{address}" in line.split() for line in lines)


@pytest.mark.parametrize(
    ("base_url", "wanted"),
    [
        (
            "http://127.0.0.1:8123",
            r"PASSPORT_PUBLIC_URL=http://localhost:8123 \S*passport demo --state state --port 8123",
        ),
        ("http://localhost:8123", None),
    ],
)
def test_where_passkeys_cannot_be_used_it_is_said_how_they_can(base_url: str, wanted: str | None) -> None:
    said = [line.split(": ", 1)[1] for line in told(base_url) if "Passkeys" in line]
    assert len(said) == (wanted is not None)
    assert all(re.fullmatch(wanted or "", line) for line in said)
