"""The gallery: every model that it shows still answers as it says."""

from __future__ import annotations

import pytest

from tests.golden.remake_gallery import find_facts
from umnist_core.digits import load_glyphs
from umnist_core.experiments.gallery import KINDS, Example, kind_of, load_gallery
from umnist_core.inference.predictor import Predictor
from umnist_core.models.cards import find_checkpoints


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Return what holds the models."""
    return Predictor("cpu")


@pytest.mark.parametrize("example", load_gallery(), ids=lambda one: f"{one.model}-{one.kind}")
def test_model_answers_as_the_gallery_says(predictor: Predictor, example: Example) -> None:
    """The same answers, warnings and sizes; so what the sentence tells is true."""
    if load_glyphs().is_stand_in:
        pytest.skip("The gallery is of MNIST's digits.")
    facts = find_facts(predictor, example.model, example.ref)
    assert facts == example.facts
    assert kind_of(facts) == example.kind


def test_examples_are_of_models_that_come_with_umnist_and_show_all_kinds() -> None:
    """Right and wrong ones, in sentences, each under one address."""
    examples = load_gallery()
    assert {one.model for one in examples} <= set(find_checkpoints())
    assert {one.kind for one in examples} == set(KINDS)
    assert len({tuple(one.query.items()) for one in examples}) == len(examples)
    for one in examples:
        assert one.text.endswith(".")
        assert "{" not in one.text
        assert one.query["model"] == one.model
