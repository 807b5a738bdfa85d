"""The pages have words in both languages for every purpose that they may come to name."""

from pathlib import Path
from typing import Final

import pytest

from consent.model import Purpose

TEXTS: Final = Path(__file__).parents[3] / "app" / "src" / "texts.ts"


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_has_its_words(purpose: Purpose) -> None:
    words = [line for line in TEXTS.read_text(encoding="utf-8").splitlines() if f" {purpose}: " in line]
    assert len(words) == 2
    assert words[0] != words[1]
