"""Recipes are gone on with: from a state as if it had not stopped, under the budget, in time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from tests.bench.gpu.listening import Heard, listen
from tests.hardware.recorded import (
    OF_80_GB,
    OUT_OF_MEMORY,
    Failure,
    RecordedMachine,
    standing_in,
)
from umnist_core.bench.gpu import drawers, recipes
from umnist_core.bench.gpu.drawers import DrawnImage, DrawnImages, DrawOrder, draw
from umnist_core.bench.gpu.figures import RECIPES
from umnist_core.bench.gpu.parts import DONE, PARTS
from umnist_core.bench.gpu.recipes import RecipeRun
from umnist_core.bench.gpu.sizes import REHEARSAL, Sizes
from umnist_core.bench.gpu.small_state import load_small_state
from umnist_core.bench.gpu.work import run_part
from umnist_core.datasets.recipe import Recipe
from umnist_core.digits import load_glyphs
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patches import HeldPatches
from umnist_core.models.reduced import prepare_reduced
from umnist_core.pyramid import scene_source

CNN, IPS_RECIPE = RECIPES[0], RECIPES[2]
INLINE = replace(REHEARSAL, drawers=0)

(PART,) = (part for part in PARTS if part.name == "recipes")


def _do(
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    *names: str,
    sizes: Sizes = INLINE,
    resume: Sequence[Path] = (),
    **more: Any,
) -> Heard:
    """Do some of the recipes."""
    monkeypatch.setattr(recipes, "RECIPES", names)
    heard = listen(out, sizes, resume=resume, **more)
    assert run_part(heard.work, PART, 1000)
    assert heard.end()["status"] == DONE, heard.end()
    return heard


def test_recipe_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four steps are two, a state, and two: weights with the same bits, across an epoch's end."""
    folders = [tmp_path / name for name in ("whole", "first", "second")]
    for folder in folders:
        folder.mkdir()
    whole, first, second = folders
    name = f"states/{IPS_RECIPE}.safetensors"
    _do(whole, monkeypatch, IPS_RECIPE, sizes=replace(INLINE, recipe_steps=8))
    _do(first, monkeypatch, IPS_RECIPE, sizes=replace(INLINE, recipe_steps=4))
    sizes = replace(INLINE, recipe_steps=4)
    heard = _do(second, monkeypatch, *RECIPES, sizes=sizes, resume=[first / name])
    wanted, found = (load_small_state(one / name) for one in (whole, second))
    assert (found.progress.epoch, found.progress.step) == (1, 3)  # five steps an epoch
    assert (wanted.progress.epoch, wanted.progress.step) == (1, 3)
    assert all(torch.equal(found.weights[name], value) for name, value in wanted.weights.items())
    told = heard.figures()[f"recipes.loss {IPS_RECIPE}"]
    assert (told["steps_before"], told["steps"]) == (4, 8)
    for other in RECIPES[:2]:
        assert heard.figures()[f"recipes.loss {other}"]["why"] == "another recipe was gone on with"


def test_recipe_keeps_to_its_budget_and_gives_the_card_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """11 GB of a card of 80 while it learns, and all of it for what comes after."""
    with standing_in(RecordedMachine(OF_80_GB)) as machine:
        heard = _do(tmp_path, monkeypatch, CNN, hardware=machine.gpus()[0])
        fractions = [one[0] for one in machine.called("set_per_process_memory_fraction")]
    assert fractions == [pytest.approx(11e9 / OF_80_GB.total_bytes), 1.0]
    assert heard.figures()[f"recipes.loss {CNN}"]["value"] is not None


def test_recipe_that_does_not_fit_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one begins with the whole card."""
    failure = Failure("forward", 0, OUT_OF_MEMORY)
    with standing_in(RecordedMachine(OF_80_GB, failures=[failure])) as machine:
        machine.gpus()[0].use()
        heard = _do(tmp_path, monkeypatch, CNN, IPS_RECIPE, hardware=machine.gpus()[0])
    figures = heard.figures()
    assert figures[f"recipes.loss {CNN}"]["value"] is None
    assert "memory" in figures[f"recipes.loss {CNN}"]["why"]
    assert figures[f"recipes.loss {IPS_RECIPE}"]["value"] is not None


def test_minutes_are_told_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first steps, so that who sees them may stop; of which card is said, too."""
    monkeypatch.setattr(recipes, "ESTIMATE_STEPS", 1)
    monkeypatch.setattr(recipes, "WARM_UP_STEPS", 0)
    heard = _do(tmp_path, monkeypatch, IPS_RECIPE, sizes=replace(INLINE, recipe_steps=3))
    minutes = [one for one in heard.events("put") if one["name"] == "recipes.minutes"]
    assert len(minutes) == 2
    step_ms = minutes[1]["measured"]["step_ms"]
    assert minutes[1]["measured"]["value"] == pytest.approx(750 * step_ms / 60_000)
    said = [one["text"] for one in heard.events("say")]
    assert said[0].startswith(f"{IPS_RECIPE} needs some ")
    assert "CPU" in said[0]


def test_share_of_the_time_ends_a_recipe(tmp_path: Path) -> None:
    """After the step that is under way; then it is validated and kept."""
    heard = listen(tmp_path, replace(INLINE, recipe_steps=0))
    heard.work.allow(1000)
    recipe = RecipeRun(heard.work, IPS_RECIPE, ends=0.0)
    recipe.go(DrawnImages(recipe.order, None))
    assert heard.figures()[f"recipes.loss {IPS_RECIPE}"]["steps"] == 1
    assert heard.figures()[f"recipes.state_mib {IPS_RECIPE}"]["way"] == "whole"


# -- images -----------------------------------------------------------------------------------


def test_reduced_images_are_those_of_every_training(tmp_path: Path) -> None:
    """At 512 px as they are drawn, and at 256 px reduced from there, as the paper does."""
    recipe = RecipeRun(listen(tmp_path, Sizes()).work, CNN, ends=0.0)
    order = DrawOrder(Recipe(2, overrides={"canvas": "600", "factor": "0.5..4"}))
    glyphs = load_glyphs()
    for place, image in enumerate(draw(order, [0, 1])):
        source = scene_source(order.recipe.plan(place, glyphs), glyphs)
        assert np.array_equal(np.asarray(image.pixels), prepare_reduced(source, 512).pixels)
        assert torch.equal(recipe._reduced(image).pixels, prepare_reduced(source, 256).pixels)
        assert image.total == sum(one.label for one in order.recipe.plan(place, glyphs).digits)
        assert image.tasks is None


def test_patches_are_those_of_every_training() -> None:
    """All of an image, with the tasks that the recipe asks."""
    overrides = {"canvas": "200", "noise_count": "4"}
    order = DrawOrder(Recipe(1, "megapixel", overrides=overrides), patch_px=50)
    (image,) = draw(order, [0])
    glyphs = load_glyphs()
    scene = order.recipe.plan(0, glyphs)
    wanted = IPS(IPSConfig()).prepare(scene_source(scene, glyphs))
    assert isinstance(image.pixels, HeldPatches)
    every = np.arange(16)
    assert np.array_equal(image.pixels.read(every), wanted.read(every))
    assert image.tasks == scene.tasks


def test_images_are_drawn_once_and_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for them again gets the same ones, and what was asked for is being drawn."""
    drawn: list[int] = []
    begun = threading.Event()

    def note(_order: DrawOrder, places: Sequence[int]) -> list[DrawnImage]:
        drawn.extend(places)
        if 20 in places:
            begun.set()
        return [_image(place) for place in places]

    monkeypatch.setattr(drawers, "draw", note)
    order = DrawOrder(Recipe(100))
    with ThreadPoolExecutor(1) as pool:
        images = DrawnImages(order, cast(Any, pool))
        images.ask_for(range(24))
        assert begun.wait(60)  # nobody had to ask for those
        assert [one.total for one in images.get([3, 1, 17])] == [3, 1, 17]
        assert [one.total for one in images.get([1, 3])] == [1, 3]
        assert images.count == 16  # as errands have them: two were fetched
        images.ask_for(range(24))
    assert sorted(drawn) == [*range(24)]
    assert DrawnImages(order, None).get([5])[0].total == 5


def _image(place: int) -> DrawnImage:
    return DrawnImage(np.zeros((1, 1), np.uint8), 1, 1, total=place, tasks=None)


def test_processes_draw_what_this_one_would(tmp_path: Path) -> None:
    """In an order of their own, and each image at its place."""
    overrides = {"canvas": "200", "noise_count": "4"}
    order = DrawOrder(Recipe(30, "megapixel", overrides=overrides), patch_px=50)
    places = [29, 0, 11]
    with drawers.drawing_pool(1) as pool:
        assert pool is not None
        found = DrawnImages(order, pool).get(places)
    every = np.arange(16)
    for one, wanted in zip(found, draw(order, places), strict=True):
        assert isinstance(one.pixels, HeldPatches)
        assert isinstance(wanted.pixels, HeldPatches)
        assert np.array_equal(one.pixels.read(every), wanted.pixels.read(every))
        assert one.tasks == wanted.tasks


def test_machine_without_semaphores_draws_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """More slowly, and the same."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no semaphores")

    monkeypatch.setattr(drawers, "ProcessPoolExecutor", refuse)
    with drawers.drawing_pool(4) as pool:
        assert pool is None
