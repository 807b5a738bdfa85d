"""The reference is as short as the page that it makes executable: who doubts it can read it whole."""

from tests.unit.house.source import ROOT


def test_the_reference_stays_under_two_hundred_lines() -> None:
    assert len((ROOT / "consent" / "reference.py").read_text("utf-8").splitlines()) < 200
