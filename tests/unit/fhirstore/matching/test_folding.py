import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.matching.folding import beginnings, folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾀﾅｶ", "たなか"),
        ("タナカ", "たなか"),
        ("ｶﾞ", "が"),
        ("ｶ゛", "が"),
        ("か\u3099", "ガ"),
        ("パ", "ﾊﾟ"),
        ("ヴ", "ゔ"),
        ("サトー", "さとー"),
        ("ｻﾄｰ", "サトー"),
        ("Müller", "MULLER"),
        ("Müller", "mu\u0308ller"),
        ("ＴＡＮＡＫＡ", "tanaka"),
        ("Straße", "STRASSE"),
        ("山田　太郎", " 山田  太郎\t"),
        ("O'Brien", "OBrien"),
        ("〒123-4567", "〒1234567"),
        ("葛\U000e0100城", "葛城"),
        ("İzmir", "izmir"),
        ("ﬁn", "FIN"),
        ("Jean\u200dne", "Jeanne"),
    ],
)
def test_one_text(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("か", "が"), ("は", "ぱ"), ("つ", "っ"), ("斉藤", "斎藤"), ("o", "ö1")]
)
def test_two_texts(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text())
def test_canonically_equal_texts_fold_alike(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


def test_name_of_several_words_begins_at_each() -> None:
    assert beginnings("Carreño Quiñones") == ["carreno quinones", "quinones"]
    assert beginnings("Smith-Jones") == ["smithjones", "jones"]
