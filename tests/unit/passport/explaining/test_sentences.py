"""Whatever can be the reason has a sentence, in both languages."""

import pytest
from hypothesis import given

from consent.explain import explain, outline
from consent.explanation import Outside
from consent.idle import Why
from consent.kleene import Truth
from passport.explaining.sentences import BECAUSE, FAILING, WARNINGS, Sentence, Today, failing
from tests.examples import examples
from tests.unit.consent.worlds import World, worlds

SENTENCES: list[Sentence] = [*WARNINGS.values(), *BECAUSE.values(), *FAILING.values()]


def test_every_reason_has_a_sentence() -> None:
    assert set(WARNINGS) == {*Why, *Today}
    assert set(BECAUSE) == {None, *Outside}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.en)
def test_every_sentence_is_said_in_both_languages(sentence: Sentence) -> None:
    assert sentence.ja.endswith("。")
    assert sentence.en.endswith(".")
    assert sentence.as_json() == {"ja": sentence.ja, "en": sentence.en}
    assert sentence.ja.isascii() is False
    assert sentence.en.isascii() is True


@examples(100)
@given(world=worlds())
def test_whatever_a_provision_lacks_can_be_said(world: World) -> None:
    for record in world.records:
        for view in explain(world.consents, record, world.request).views:
            for one in view.weighed:
                for _, attribute, truth in one.failing():
                    assert failing(attribute, truth).ja
    for one in outline(world.consents, world.request, "Observation"):
        for _, attribute, truth in one.failing():
            assert failing(attribute, truth, recordless=True).en


@pytest.mark.parametrize(("attribute", "truth"), [("code", None), ("data", None)])
def test_without_a_record_it_depends_on_one(attribute: str, truth: Truth) -> None:
    assert "depends" in failing(attribute, truth, recordless=True).en
    assert "depends" not in failing(attribute, truth).en
    assert "depends" not in failing("actor", None, recordless=True).en
