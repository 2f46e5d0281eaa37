"""PSNR and SSIM against closed forms, and against SSIM written out window by window."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.meth.making import photograph
from umnist_core.errors import InvalidValueError
from umnist_core.training import fidelity
from umnist_core.training.fidelity import RGB, Y, convention, measure_fidelity, ssim_map


def _flat(grey: int, height: int = 30, width: int = 40) -> NDArray[np.uint8]:
    return np.full((height, width, 3), grey, np.uint8)


def test_psnr_of_a_shift_is_its_closed_form() -> None:
    """20 log10(255 / d) in RGB; luminance has 219 of 255 steps, so that its error is smaller."""
    found = measure_fidelity(_flat(110), _flat(100), border_px=4)
    assert found[RGB].psnr == pytest.approx(20 * math.log10(255 / 10))
    assert found[Y].psnr == pytest.approx(20 * math.log10(255 / (10 * 219 / 255)))


def test_luminance_is_that_of_studio_range() -> None:
    """White is 235 and black 16; of one channel, its weight."""
    white_and_black = measure_fidelity(_flat(255), _flat(0), border_px=0)
    assert white_and_black[Y].psnr == pytest.approx(20 * math.log10(255 / 219))
    green = _flat(0)
    green[..., 1] = 255
    found = measure_fidelity(green, _flat(0), border_px=0)[Y].psnr
    assert found == pytest.approx(20 * math.log10(255 / 128.553))


def test_ssim_of_flat_images_is_its_closed_form() -> None:
    """Only the means differ: (2ab + C1) / (a^2 + b^2 + C1)."""
    c1 = (0.01 * 255) ** 2
    found = measure_fidelity(_flat(110), _flat(60), border_px=2)[RGB].ssim
    assert found == pytest.approx((2 * 110 * 60 + c1) / (110**2 + 60**2 + c1))


def test_ssim_is_that_of_each_window_written_out() -> None:
    """Weights of a Gaussian of 11 px that sum to 1, weighted means, variances and covariance."""
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 14, 17)) * 255
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = np.empty((4, 7))
    for row in range(4):
        for col in range(7):
            a, b = (image[row : row + 11, col : col + 11] for image in (one, other))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            both = (weights * (a - mean_a) * (b - mean_b)).sum()
            expected[row, col] = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / (
                (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
            )
    assert np.allclose(ssim_map(one, other), expected, atol=1e-9)


def test_same_image_is_the_best_there_is() -> None:
    """Infinite PSNR and SSIM of 1."""
    image = photograph(40, 30)
    for found in measure_fidelity(image, image, border_px=3).values():
        assert found.psnr == math.inf
        assert found.ssim == pytest.approx(1)


def test_strips_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every px and every window once, whatever is left for the last strip."""
    one, other = photograph(33, 97, 1), photograph(33, 97, 2)
    whole = measure_fidelity(one, other, border_px=0)
    for rows in (1, 7, 43, 87, 86, 88):
        monkeypatch.setattr(fidelity, "_STRIP_ROWS", rows)
        found = measure_fidelity(one, other, border_px=0)
        for colour in (Y, RGB):
            assert found[colour].psnr == pytest.approx(whole[colour].psnr, abs=1e-9)
            assert found[colour].ssim == pytest.approx(whole[colour].ssim, abs=1e-12)


def test_border_and_what_only_one_image_has_do_not_count() -> None:
    """Errors there change nothing; an error inside does."""
    true = photograph(40, 30)
    found = np.pad(true, ((0, 3), (0, 2), (0, 0)))
    found[:4] = 0
    found[:, :4] = 0
    assert measure_fidelity(found, true, border_px=4)[RGB].psnr == math.inf
    found[15, 15] += 1
    assert measure_fidelity(found, true, border_px=4)[RGB].psnr < 80


def test_image_without_a_window_is_refused() -> None:
    """11 px and both borders are the least."""
    with pytest.raises(InvalidValueError, match="images of 19 px a side or more, found 18 x 30"):
        measure_fidelity(_flat(0, 30, 18), _flat(0, 30, 18), border_px=4)


def test_convention_is_named_whole() -> None:
    """Colours, border, data range and window."""
    words = convention(4)
    for one in ("4 px", "range of 255", "BT.601", "window of 11 px", "deviation 1.5"):
        assert one in words
