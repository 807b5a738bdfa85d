"""What people are shown: every preset in both languages, and no word changed without its version."""

from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import pytest

from passport.outcomes import Invalid
from passport.sharing.presets import Preset
from passport.sharing.wording import WORDINGS, Language, NotShown, agreed

# Of the texts that were ever shown, by their names. Whoever changes a word adds a line and raises the version.
PUBLISHED: Final[Mapping[str, str]] = {
    "visit/ja/1": "283a5c665ba0f614912776a4d27a2796311e42c089840af147e3688715a0d202",
    "visit/en/1": "b25c6bff03074929172c5880b1e63ac87816009799c1fe80049e00ac4e76f005",
    "three-months/ja/1": "ac10319847842f2d32672156e31dc04755d43c9bf5862b1b9f0a0371b48e1044",
    "three-months/en/1": "717b09ccb4203cf56a7719273c74fdf90e74dafcbc0e1d35ac84f83c7f66bfef",
    "ongoing/ja/1": "d046898800b8b90cb422e75eb8ac07d3b9040b67025bd76ff33e9985cb84b473",
    "ongoing/en/1": "384d4979509c4f97f7c49d0637cc9a67dc7108f7838ed8b218019f8c338353cc",
    "visit/ja/2": "6d1e6b36077d40d922b4ea7be10dced8e74b6212b1ec19781e01b0e16f747abb",
    "visit/en/2": "151e8be4d597896fe419b88f93b103a29499ab67b40ebdbd39920fd71f3810bf",
    "three-months/ja/2": "86b480761e76f99c46523af3c66a6a8a6a143669c9bc00a628536a554ab20fc1",
    "three-months/en/2": "81ea899ef9ae06a7788596eb27cce01ce56364ef467f419e2c79a888678d897c",
    "ongoing/ja/2": "f6032ba2248ef1f962b390ea8d3849fd1dbdee30cc38ee4d26c9af3aa9488a25",
    "ongoing/en/2": "c7743245bf91e3f170e8aa8eab14ba7bbe30e8811f9250261ca2abedf0c7f2a7",
    "visit/ja/3": "a4613d8fd01c0529746eaed31484e733b25294d7caec6d3bbc1af4797d8d6d86",
    "visit/en/3": "e44b1e710751781810d2719d762b1dacaf61d76eb46f8d123e816bb25069e8db",
    "three-months/ja/3": "05d81e3f8311159c5edff30568fd06a7e3570f0e1d8103f4ef7606c360f9a0c3",
    "three-months/en/3": "85a51b6c96a1d1e9c56cf0b2a857ca5fc8df5e155ac2d0951bb6852eaf572bc7",
    "ongoing/ja/3": "82f4d9c83597b065ce5dfd75c4d427667217abfc24cebacb3863ce196eb6df7c",
    "ongoing/en/3": "5421c69bc1e0cab2813e3a4838082c78bd9ca13327c0d0e3fc125b4bcdc40f8a",
}


@pytest.mark.parametrize("place", WORDINGS, ids="/".join)
def test_no_word_is_changed_without_its_version(place: tuple[Preset, Language]) -> None:
    wording = WORDINGS[place]
    assert PUBLISHED[wording.name] == wording.hash


def test_there_is_one_of_each_preset_in_both_languages() -> None:
    assert set(WORDINGS) == {(preset, language) for preset in Preset for language in Language}


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=lambda one: one.name)
def test_the_hash_is_that_of_the_text_as_it_is_shown_and_kept(wording: Any) -> None:
    shown = wording.as_json()
    assert sha256(shown["text"].encode()).hexdigest() == shown["hash"] == wording.hash
    assert b64decode(wording.attachment["data"]) == shown["text"].encode()
    scheme, _, digest = wording.uri.partition(";")
    assert scheme == "ni:///sha-256"
    assert urlsafe_b64decode(digest + "=").hex() == wording.hash


def test_a_text_says_that_one_may_stop_that_looks_are_on_record_and_what_is_left_out() -> None:
    for (_, language), wording in WORDINGS.items():
        words = (
            ("いつでもやめられます", "記録され", "特に慎重に扱う印のある記録")
            if language is Language.JA
            else ("stop at any time", "on record", "special care")
        )
        assert all(word in wording.text for word in words)


def said(preset: Preset = Preset.VISIT, language: Language = Language.JA) -> dict[str, Any]:
    wording = WORDINGS[preset, language]
    return {"language": str(language), "version": wording.version, "hash": wording.hash}


def test_whoever_names_what_was_shown_has_agreed_to_it() -> None:
    assert agreed(Preset.VISIT, said()) is WORDINGS[Preset.VISIT, Language.JA]
    assert agreed(Preset.VISIT, {**said(), "hash": said()["hash"].upper()}).preset is Preset.VISIT


@pytest.mark.parametrize(
    "tree",
    [
        {**said(), "version": "0"},
        {**said(), "hash": "0" * 64},
        {**said(), "hash": ""},
        said(Preset.ONGOING),
        {**said(), "language": "en"},
    ],
)
def test_another_text_than_that_of_now_is_to_be_shown_anew(tree: dict[str, Any]) -> None:
    with pytest.raises(NotShown) as refused:
        agreed(Preset.VISIT, tree)
    assert refused.value.status == 409


@pytest.mark.parametrize(
    "tree", [{}, {**said(), "language": "fr"}, {**said(), "version": 1}, {"language": "ja", "version": "1"}]
)
def test_who_says_nothing_of_what_was_shown_is_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        agreed(Preset.VISIT, tree)
