"""The noise has a seed of its own where one is set."""

from __future__ import annotations

import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.scenes import Scene, plan_scene

GLYPHS = segment_glyphs()
PRESETS = ["released", "paper", "megapixel", "megapixel-bezier"]


def plan(preset: str, seed: int, noise_seed: int | None = None) -> Scene:
    """Plan sample 3 of a seed, with a seed of its own for the noise or without."""
    overrides = {} if noise_seed is None else {"noise_seed": str(noise_seed)}
    return plan_scene(preset, seed, "train", 3, glyphs=GLYPHS, overrides=overrides)


def noise_of(scene: Scene) -> tuple[object, ...]:
    """Return everything that is not a digit."""
    return (scene.checkerboard, scene.shapes, scene.strokes)


@pytest.mark.parametrize("preset", PRESETS)
def test_new_noise_leaves_the_digits_and_the_reverse(preset: str) -> None:
    """The digits follow the sample's seed alone, the noise its own seed alone."""
    scene, other_noise = plan(preset, 1), plan(preset, 1, noise_seed=2)
    assert other_noise.digits == scene.digits
    assert noise_of(other_noise) != noise_of(scene)
    other_digits = plan(preset, 2, noise_seed=1)
    assert other_digits.digits != scene.digits
    assert noise_of(other_digits) == noise_of(scene)


@pytest.mark.parametrize("preset", PRESETS)
def test_noise_without_a_seed_has_that_of_the_sample(preset: str) -> None:
    """Setting it to the sample's own seed changes nothing."""
    scene, same = plan(preset, 5), plan(preset, 5, noise_seed=5)
    assert (same.digits, noise_of(same)) == (scene.digits, noise_of(scene))


@pytest.mark.parametrize("text", ["-1", "1.5", "1..2", "x"])
def test_seed_of_the_noise_is_one_whole_number(text: str) -> None:
    """Anything else is refused with what is allowed."""
    with pytest.raises(InvalidValueError, match="noise_seed is a whole number from 0 to"):
        plan_scene("released", glyphs=GLYPHS, overrides={"noise_seed": text})
