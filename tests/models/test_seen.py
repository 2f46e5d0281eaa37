"""Whoever watches a model is told where it looks, within the image, while it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from umnist_core.digits import load_glyphs
from umnist_core.models.base import Model
from umnist_core.models.cards import SHIPPED
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.progress import Seen, watching
from umnist_core.pyramid import ArraySource, TileSource, scene_source
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

SIDES = {"digit-finder": 1000, "additive-pyramid": 1000, "ips-megapixel": 1500}


def watch(model: Model, source: TileSource) -> tuple[list[tuple[int, int | None]], Seen]:
    """Return the steps that were reported, and the places."""
    steps: list[tuple[int, int | None]] = []
    places: list[tuple[int, int, int, int]] = []

    def take(done: int, total: int | None, seen: Seen) -> None:
        steps.append((done, total))
        places.extend(seen)

    with watching(take), torch.no_grad():
        model(model.collate([model.prepare(source)]))
    return steps, places


def covered(places: Seen, side: int) -> NDArray[np.bool_]:
    """Return which px were looked at."""
    seen = np.zeros((side, side), bool)
    for x, y, width, height in places:
        assert 0 <= x < x + width <= side
        assert 0 <= y < y + height <= side
        seen[y : y + height, x : x + width] = True
    return seen


@pytest.mark.parametrize(("name", "side"), SIDES.items())
def test_places_cover_the_digits_and_steps_end(name: str, side: int) -> None:
    """Where a digit was found something was looked at; the count reaches its total."""
    model = load_checkpoint(SHIPPED / f"{name}.safetensors")[0].eval()
    glyphs = load_glyphs("test")
    preset = "megapixel" if name.startswith("ips") else "released"
    overrides = {"canvas": str(side)} | ({} if preset == "megapixel" else {"factor": "2..8"})
    scene = plan_scene(preset, 5, "test", 0, glyphs=glyphs, overrides=overrides)
    steps, places = watch(model, scene_source(scene, glyphs))
    done, totals = zip(*steps, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1]
    seen = covered(places, side)
    middles = [(one.row + one.side_px // 2, one.col + one.side_px // 2) for one in scene.digits]
    assert sum(seen[middle] for middle in middles) >= len(middles) - 1


def test_places_of_a_scaled_image_are_in_its_own_pixels() -> None:
    """It is read at another size than it is shown."""
    model = load_checkpoint(SHIPPED / "digit-finder.safetensors")[0].eval()
    glyphs = load_glyphs("test")
    scene = plan_scene("released", 5, "test", 0, glyphs=glyphs)
    small = ArraySource(render(scene, glyphs, reduction=4))
    _, places = watch(model, small)
    assert covered(places, 1000).any()
