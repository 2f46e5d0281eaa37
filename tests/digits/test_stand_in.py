"""The digits that stand in for MNIST."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from umnist_core.digits.stand_in import load_stand_in
from umnist_core.errors import MissingFileError

CHECKSUM = "abaf30906709a493f6d6cb97497ae614003443e72490ac3d9ae8ede43790bc77"


def test_stand_in_says_what_it_is() -> None:
    """Whoever draws with it can tell that it is not MNIST."""
    glyphs = load_stand_in()
    assert glyphs.is_stand_in
    assert glyphs.name == "stand-in"
    assert len(glyphs) == 1797
    assert np.array_equal(glyphs.labels, load_digits().target)


def test_stand_in_is_the_same_on_every_machine() -> None:
    """Scenes name their glyphs by this checksum, so it may never drift."""
    assert load_stand_in().checksum == CHECKSUM


def test_stand_in_has_the_margins_and_range_of_mnist() -> None:
    """20 x 20 px of ink in 28 x 28, from 0 to nearly 255."""
    images = load_stand_in().images
    outside = images.copy()
    outside[:, 4:24, 4:24] = 0
    assert not outside.any()
    assert images[:, 4, :].any()
    assert images[:, 23, :].any()
    assert images.min() == 0
    assert images.max(axis=(1, 2)).min() > 200


def test_stand_in_is_the_bicubic_enlargement_of_each_digit() -> None:
    """Whole-number sums differ from OpenCV's own by rounding alone."""
    glyphs = load_stand_in()
    for image, small in zip(glyphs.images, load_digits().images, strict=True):
        ink = cv2.resize(small, (20, 20), interpolation=cv2.INTER_CUBIC) * (255 / 16)
        assert np.abs(np.clip(ink, 0, 255) - image[4:24, 4:24]).max() < 0.6


def test_stand_in_without_scikit_learn_says_how_to_get_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Machines with PyTorch alone get a sentence, not an ImportError."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingFileError, match="umnist digits fetch"):
        load_stand_in()
