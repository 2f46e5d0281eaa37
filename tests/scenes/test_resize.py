"""Area averaging: exact, the same for any part, and as close to OpenCV as its rounding."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from umnist_core.scenes.resize import resize_by_area

PICTURE = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
SIDES = (7, 14, 21, 28, 46, 56, 64, 84, 112, 500)


@pytest.mark.parametrize("side_px", SIDES)
def test_resized_picture_is_that_of_the_released_generators_within_one_grey(side_px: int) -> None:
    """They resize floats with INTER_AREA and cut 255 times that to a whole number."""
    size = (side_px, side_px)
    floats = cv2.resize((PICTURE / 255).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    released = (255 * floats).astype(np.uint8).astype(int)
    assert np.abs(resize_by_area(PICTURE, side_px).astype(int) - released).max() <= 1


@pytest.mark.parametrize("side_px", [7, 20, 46])
def test_each_pixel_is_the_mean_over_its_area_rounded_down(side_px: int) -> None:
    """By the definition, in fractions."""
    found = resize_by_area(PICTURE, side_px)
    step = Fraction(28, side_px)

    def weights(place: int) -> dict[int, Fraction]:
        begin, end = place * step, (place + 1) * step
        parts = {old: min(end, Fraction(old + 1)) - max(begin, Fraction(old)) for old in range(28)}
        return {old: part for old, part in parts.items() if part > 0}

    for row in range(0, side_px, 3):
        for col in range(0, side_px, 3):
            total = sum(
                height * width * int(PICTURE[i, j])
                for i, height in weights(row).items()
                for j, width in weights(col).items()
            )
            assert found[row, col] == int(total / step**2)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_whole_factor_repeats_pixels(factor: int) -> None:
    """Enlarged two or four times, every pixel is a block of its own grey."""
    repeated = np.kron(PICTURE, np.ones((factor, factor), np.uint8))
    np.testing.assert_array_equal(resize_by_area(PICTURE, 28 * factor), repeated)


@pytest.mark.parametrize("side_px", SIDES)
def test_part_equals_the_crop_of_the_whole(side_px: int) -> None:
    """Any rows and columns can be had alone."""
    rows, cols = np.arange(1, side_px, 3), np.arange(0, side_px - 2, 2)
    whole = resize_by_area(PICTURE, side_px)
    np.testing.assert_array_equal(
        resize_by_area(PICTURE, side_px, rows, cols), whole[np.ix_(rows, cols)]
    )
