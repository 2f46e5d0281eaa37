"""How sure a model is: calibrated where it says so, else what its logits give."""

from __future__ import annotations

import pytest
import torch

from umnist_core.models.base import SUM_TASK, ModelOutput, Task
from umnist_core.models.confidence import answer_confidences


def test_calibrated_confidence_goes_before_the_probabilities() -> None:
    """Whatever the logits are."""
    output = ModelOutput({"sum": torch.zeros(2, 28)}, confidence=torch.tensor([0.25, 0.75]))
    found, is_calibrated = answer_confidences(output, (SUM_TASK,))
    assert (found.tolist(), is_calibrated) == ([0.25, 0.75], True)


def test_probability_of_the_likeliest_class_stands_in_for_it() -> None:
    """Of the first task, with no gradient."""
    logits = {"sum": torch.zeros(1, 28, requires_grad=True), "other": torch.full((1, 2), 9.0)}
    logits["other"][0, 0] = 0
    found, is_calibrated = answer_confidences(ModelOutput(logits), (SUM_TASK, Task("other", 2)))
    assert found.tolist() == pytest.approx([1 / 28])
    assert not found.requires_grad
    assert not is_calibrated


def test_several_right_classes_are_as_sure_as_all_decisions() -> None:
    """A class that is surely wrong is as sure as one that is surely right."""
    chances = torch.tensor([[0.9, 0.2, 0.5]])
    output = ModelOutput({"multi": torch.logit(chances)})
    found, _ = answer_confidences(output, (Task("multi", 3, is_multi=True),))
    assert found.tolist() == pytest.approx([0.9 * 0.8 * 0.5])
