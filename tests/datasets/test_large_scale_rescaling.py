"""Digits become images of MNIST Large Scale by the recipe, at every scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from umnist_core.datasets.large_scale import (
    LARGE_SCALE_PX,
    TEST_SCALES,
    rescale_digits,
    rescaling_matrix,
    soft_threshold,
    stretch,
)
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError


@pytest.fixture(scope="module")
def glyphs() -> GlyphSet:
    """Return some digits, MNIST's or the stand-in's."""
    return load_glyphs("test")


def test_the_test_scales_are_the_17_published_ones() -> None:
    """They are what file names say, from a half to eight."""
    said = "500 595 707 841 1000 1189 1414 1682 2000 2378 2828 3364 4000 4757 5657 6727 8000"
    assert [round(scale * 1000) for scale in TEST_SCALES] == [int(word) for word in said.split()]


@pytest.mark.parametrize("scale", TEST_SCALES)
def test_images_have_the_shape_and_range_that_the_authors_loader_prints(
    glyphs: GlyphSet, scale: float
) -> None:
    """Float32 of 112 by 112, between -0.763 and 0.761; background where no digit reaches."""
    images = rescale_digits(glyphs.images[:8], scale)
    assert images.dtype == np.float32
    assert images.shape == (8, LARGE_SCALE_PX, LARGE_SCALE_PX)
    assert images.min() == soft_threshold(np.zeros(1, np.float32))[0]
    assert -0.7630 < images.min() < images.max() < 0.7613


def test_soft_threshold_squashes_as_the_recipe_says() -> None:
    """The ends and the middle are the arctangent's, and what is outside counts as an end."""
    ends = soft_threshold(np.array([-9, 0, 128, 255, 300], np.float32))
    expected = 2 / np.pi * np.arctan(0.02 * np.array([-128, -128, 0, 127, 127]))
    np.testing.assert_allclose(ends, expected, atol=1e-6)


def test_at_scale_one_an_image_is_the_digit_in_the_middle_smoothed(glyphs: GlyphSet) -> None:
    """No rescaling is left to do then: SciPy's Gaussian of 7/8 px gives the same image."""
    canvas = np.zeros((112, 112))
    canvas[42:70, 42:70] = glyphs.images[0]
    smoothed = gaussian_filter(canvas, 7 / 8, truncate=4.6).astype(np.float32)
    expected = soft_threshold(stretch(smoothed))
    np.testing.assert_allclose(rescale_digits(glyphs.images[:1], 1)[0], expected, atol=1e-4)


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.3, 2.0, 3.7])
def test_rescaling_is_that_of_scipys_cubic_spline(glyphs: GlyphSet, scale: float) -> None:
    """SciPy's spline, its Gaussian, and a digit alone on a background give the same image."""
    digit = np.pad(glyphs.images[2].astype(np.float64), 40)
    places = (np.arange(-40, 152) - 55.5) / scale + 13.5
    rows, columns = np.meshgrid(places + 40, places + 40, indexing="ij")
    enlarged = map_coordinates(digit, [rows, columns], order=3)
    smoothed = gaussian_filter(enlarged, 7 / 8 * scale)[40:152, 40:152].astype(np.float32)
    expected = soft_threshold(stretch(smoothed))
    image = rescale_digits(glyphs.images[2:3], scale)[0]
    np.testing.assert_allclose(image, expected, atol=0.003)  # one of 512 steps of the range


def test_every_image_has_full_ink_somewhere(glyphs: GlyphSet) -> None:
    """Thin strokes, which smoothing dims, are brightened to 255; no digit stays background."""
    images = rescale_digits(np.concatenate([glyphs.images[:9], glyphs.images[:1] * 0]), 1)
    full, none = soft_threshold(np.array([255, 0], np.float32))
    np.testing.assert_allclose(images[:9].max(axis=(1, 2)), full, atol=1e-6)
    assert (images[9] == none).all()


@pytest.mark.parametrize("scale", [0.841, 1.0, 1.189, 2.0, 3.3])
def test_ink_grows_with_the_square_of_the_scale_and_stays_in_the_middle(scale: float) -> None:
    """Before the threshold, a digit's weight is its own times the scale squared, at its place."""
    matrix = rescaling_matrix(scale).astype(np.float64)
    np.testing.assert_allclose(matrix.sum(axis=0)[4:24], scale, rtol=0.02)
    places = np.arange(112) - 55.5
    centres = (places @ matrix / matrix.sum(axis=0))[4:24]
    np.testing.assert_allclose(centres, (np.arange(4, 24) - 13.5) * scale, atol=0.05)


@pytest.mark.parametrize("scale", [1.0, 1.5, 4.0])
def test_twice_the_scale_shows_the_same_picture_twice_as_large(
    glyphs: GlyphSet, scale: float
) -> None:
    """Every second pixel's mean of the larger image is the smaller's, but for thin strokes."""
    small, large = (rescale_digits(glyphs.images[:8], each) for each in (scale, 2 * scale))
    halved = large.reshape(8, 56, 2, 56, 2).mean(axis=(2, 4))
    inner = slice(28, 84)
    assert np.abs(halved - small[:, inner, inner])[:, 4:-4, 4:-4].max() < 0.2


def test_a_batch_of_scales_gives_what_each_alone_gives(glyphs: GlyphSet) -> None:
    """How digits are put together changes no bit of an image."""
    scales = np.array([0.5, 3.1, 1.0, 3.1, 8.0])
    batch = rescale_digits(glyphs.images[:5], scales)
    for image, digit, scale in zip(batch, glyphs.images[:5], scales, strict=True):
        np.testing.assert_array_equal(image, rescale_digits(digit[None], float(scale))[0])


def test_no_digits_give_no_images(glyphs: GlyphSet) -> None:
    """An empty batch is a batch."""
    assert rescale_digits(glyphs.images[:0], 2).shape == (0, 112, 112)


@pytest.mark.parametrize(
    ("digits", "scales", "said"),
    [
        (np.zeros((1, 28, 28), np.float32), 1, "uint8"),
        (np.zeros((28, 28), np.uint8), 1, "28, 28"),
        (np.zeros((2, 28, 28), np.uint8), [1, 2, 3], "2 digits"),
        (np.zeros((1, 28, 28), np.uint8), 8.5, "8.5"),
        (np.zeros((1, 28, 28), np.uint8), float("nan"), "nan"),
    ],
)
def test_what_is_no_digit_or_no_scale_is_refused_in_a_sentence(
    digits: np.ndarray, scales: object, said: str
) -> None:
    """The sentence names what was found."""
    with pytest.raises(InvalidValueError, match=said):
        rescale_digits(digits, scales)  # type: ignore[arg-type]
