"""The figures of noise: known answers, bounds, and how exact the reduced sizes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.experiments import NAMED_SETTINGS, measure_image, pool_figures
from umnist_core.experiments.noise_figures import (
    THICKNESS_EDGES_PX,
    digit_contrast,
    edge_density,
    local_thickness,
)
from umnist_core.geometry import Box
from umnist_core.rendering import render, scene_figures
from umnist_core.scenes import Checkerboard, Scene, SceneRef, Triangle, plan_scene
from umnist_core.scenes.scene import SUBPIXELS

GLYPHS = segment_glyphs()
KINDS = ["released", "noise-free", "shape-pairs-5", "megapixel", "o2i-112"]


def scene_of(key: str, index: int = 0) -> Scene:
    """Plan a sample of a named setting."""
    ref = NAMED_SETTINGS[key].ref
    assert isinstance(ref, SceneRef)
    return ref.at(index).plan(GLYPHS)


def test_local_thickness_is_the_shorter_run() -> None:
    """A bar of 3 x 8 px is 3 px thick everywhere, however it lies; touching the edge too."""
    mask = np.zeros((12, 12), bool)
    mask[0:3, 2:10] = True
    assert local_thickness(mask).tolist() == [3] * 24
    assert local_thickness(mask.T).tolist() == [3] * 24
    corner = np.ones((5, 5), bool)
    corner[2:, 2:] = False  # an L of 2 px
    assert set(local_thickness(corner).tolist()) == {2, 5}
    assert local_thickness(np.zeros((4, 4), bool)).size == 0


@pytest.mark.parametrize("key", KINDS)
def test_figures_of_digits_are_those_of_the_plan(key: str) -> None:
    """Sizes, ratios and ink are exact: those that are counted on the digits' full masks."""
    scene = scene_of(key, 5)
    figures, exact = measure_image(scene, GLYPHS), scene_figures(scene, GLYPHS)
    assert figures.index == 5
    assert figures.sides_px == exact.sides_px
    assert figures.object_to_image_ratios == exact.object_to_image_ratios
    assert figures.ink_share == pytest.approx(exact.ink_share, abs=1e-12)


@pytest.mark.parametrize("key", KINDS)
def test_figures_are_within_their_bounds(key: str) -> None:
    """Shares add up to 1, or to 0 where there is no noise, and contrast is 0 to 1."""
    figures = measure_image(scene_of(key), GLYPHS)
    assert sum(figures.digit_thickness) == pytest.approx(1)
    assert sum(figures.noise_thickness) == pytest.approx(0 if key == "noise-free" else 1)
    assert len(figures.noise_thickness) == len(THICKNESS_EDGES_PX) - 1
    assert len(figures.contrasts) == len(figures.sides_px)
    assert all(0 <= contrast <= 1 for contrast in figures.contrasts)


def test_edge_density_counts_the_sides_of_a_square() -> None:
    """A square of 1000 px in 4000 px is crossed by a quarter of all lines, twice each."""
    square = Triangle(((1000, 1000), (1000, 2000), (2000, 1000)))
    other = Triangle(((2000, 2000), (1000, 2000), (2000, 1000)))
    scene = replace(scene_of("noise-free"), shapes=(square, other), digits=())
    assert edge_density(scene, GLYPHS) == pytest.approx(1000 * 0.25 * 2 / 4000, rel=0.01)


@pytest.mark.parametrize("key", ["released", "shape-pairs-1", "checkerboard-24"])
def test_edge_density_is_that_of_the_full_image(key: str) -> None:
    """Counted on every second line and pixel, it is within 3 % of the count of all."""
    for index in range(4):
        scene = scene_of(key, index)
        exact = edge_density(scene, GLYPHS, samples=scene.width)
        assert edge_density(scene, GLYPHS) == pytest.approx(exact, rel=0.03)


def test_contrast_is_full_on_one_colour_and_half_on_two() -> None:
    """Ink on black is white throughout; where the ground changes under a digit, contrast falls."""
    scene = plan_scene(
        "released",
        1,
        glyphs=GLYPHS,
        overrides={
            "label": "8",
            "digits": "1",
            "factor": "30",
            "checkerboard": "0",
            "shape_pairs": "0",
        },
    )
    (digit,) = scene.digits
    assert digit_contrast(scene, GLYPHS, digit) == 1
    stripes = 100  # far thinner than the digit, so its ink is light as often as dark
    board = Checkerboard(
        cells=tuple(str(row % 2) * stripes for row in range(stripes)),
        origin=(0, 0),
        step_down=(40 * SUBPIXELS, 0),
        step_right=(0, 40 * SUBPIXELS),
        rotation_deg=0,
        shear_deg=0,
        zoom=1,
    )
    assert digit_contrast(replace(scene, checkerboard=board), GLYPHS, digit) < 0.1


def test_contrast_is_that_of_every_pixel() -> None:
    """Measured on samples, each digit's contrast is within 0.05 of that of all its pixels."""
    for index in range(4):
        scene = scene_of("released", index)
        full = render(scene, GLYPHS).astype(float)
        ink = render(scene, GLYPHS, layer="noise_free") > 0
        for digit in scene.digits:
            grown = digit.side_px // 2
            area = Box(
                digit.row - grown,
                digit.col - grown,
                digit.row + digit.side_px + grown,
                digit.col + digit.side_px + grown,
            ).intersection(scene.canvas)
            inside = full[digit.box.slices][ink[digit.box.slices]]
            around = full[area.slices][~ink[area.slices]]
            exact = abs(inside.mean() - around.mean()) / 255
            assert digit_contrast(scene, GLYPHS, digit) == pytest.approx(exact, abs=0.05)


def test_thicker_strokes_are_more_like_digits() -> None:
    """Of 1 and 2 px on the 28-px grid, 2 px is nearer to the digits' own thickness."""
    likeness = []
    for thickness in ("1", "2"):
        images = []
        for index in range(2):
            scene = plan_scene(
                "megapixel-bezier",
                0,
                "train",
                index,
                glyphs=GLYPHS,
                overrides={"thickness": thickness},
            )
            images.append(measure_image(scene, GLYPHS))
        likeness.append(pool_figures(images).thickness_likeness)
    assert likeness[0] < likeness[1] <= 1


def test_likeness_is_one_for_equal_and_none_without_noise() -> None:
    """Pooling compares the distributions, and images without noise do not count."""
    image = measure_image(scene_of("released"), GLYPHS)
    alike = replace(image, noise_thickness=image.digit_thickness)
    assert pool_figures([alike, alike]).thickness_likeness == pytest.approx(1)
    still = replace(image, noise_thickness=(0.0,) * len(image.noise_thickness))
    assert pool_figures([still]).thickness_likeness == 0
    assert pool_figures([alike, still]).thickness_likeness == pytest.approx(1)
