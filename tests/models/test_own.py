"""The additive pyramid: patches of bounded number, rounds, sums as the only teacher."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.tiny import course_in
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import LABELS_ONLY
from umnist_core.models.own.edge_planes import PackedLevels
from umnist_core.models.own.heaps import find_heaps
from umnist_core.models.own.pyramid import AdditivePyramid, AdditivePyramidConfig, ReadPatches
from umnist_core.pyramid.sources import ArraySource, HeldScene
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.course import run_course
from umnist_core.training.own.pyramid import (
    AdditiveTraining,
    Lesson,
    ReadImages,
    pyramid_phases,
    read_images,
)

EASY = {"canvas": "700", "factor": "4..8", "digits": "1..3", "label": "free"}


@cache
def glyphs() -> GlyphSet:
    """Return the digits in use."""
    return load_glyphs("train")


def scene_at(index: int) -> Scene:
    """Return a scene with some large digits."""
    return plan_scene("released", 41, "train", index, glyphs=glyphs(), overrides=EASY)


def model_of(**settings: int) -> AdditivePyramid:
    """Return a fresh model in evaluation mode."""
    torch.manual_seed(0)
    return AdditivePyramid(AdditivePyramidConfig(**settings)).eval()


def test_patches_hold_the_digits_of_the_image_without_a_net() -> None:
    """Geometry alone finds nearly all digits of factor 4 and more, with their exact squares."""
    model = model_of(width=4)
    found = total = 0
    for index in range(6):
        scene = scene_at(index)
        boxes = model.prepare(HeldScene(scene, glyphs())).boxes
        for digit in scene.digits:
            off = abs(boxes[:, :2] - (digit.row, digit.col)).max(axis=1, initial=0)
            is_side = boxes[:, 2] - boxes[:, 0] == digit.side_px
            found += bool((is_side & (off <= 2 * digit.side_px / 28)).any())
            total += 1
    assert found >= 0.8 * total


def test_patches_hold_small_digits_too() -> None:
    """Digits of 14 and 28 px on the noise of the benchmark are among the few places read."""
    model = model_of(width=4)
    for factor, side in (("0.5", 14), ("1", 28)):
        found = total = 0
        for index in range(4):
            own = {"canvas": "1000", "factor": factor, "digit_order": "shuffled"}
            scene = plan_scene("released-clean", 43, "train", index, glyphs=glyphs(), overrides=own)
            boxes = model.prepare(HeldScene(scene, glyphs())).boxes
            for digit in scene.digits:
                assert digit.side_px == side
                off = abs(boxes[:, :2] - (digit.row, digit.col)).max(axis=1, initial=0)
                found += bool(((boxes[:, 2] - boxes[:, 0] == side) & (off <= 2)).any())
                total += 1
        least = 0.6 if glyphs().is_stand_in else 0.8  # those have thinner strokes than MNIST's
        assert found >= least * total, f"{found} of {total} digits of {side} px"


@pytest.mark.parametrize("slant", [0, 0.35, -0.2])
def test_plain_ones_are_found_on_their_level(slant: float) -> None:
    """A bar has four corners if it is upright, and nearly all of one kind if it is slanted."""
    rows, cols = np.indices((28, 28))
    glyph = (rows >= 4) & (rows < 24) & (abs(cols - 14 + np.rint(slant * (rows - 14))) <= 1)
    factor, row, col = 14, 150, 403  # 49 px on level 3
    image = np.zeros((1400, 1400), np.uint8)
    image[row:, col:][: 28 * factor, : 28 * factor] = np.kron(glyph, np.ones((factor, factor)))
    source = ArraySource(image * np.uint8(255), "nearest")
    near = [
        spot
        for spot in find_heaps(PackedLevels(source), 3, 12, 6, 4)
        if max(abs(spot.row - row - 14 * factor), abs(spot.col - col - 14 * factor)) < 4 * factor
    ]
    assert any(abs(spot.side_px / (28 * factor) - 1) < 0.25 for spot in near)


def test_patches_are_bounded_whatever_the_size_of_the_image() -> None:
    """At most as many as are asked for on each level, however many corners there are."""
    rng = np.random.default_rng(0)
    model = model_of(width=4, heaps=3, small_heaps=2, bar_heaps=1)
    for side in (128, 512):
        noise = np.kron(rng.integers(0, 2, (side // 4, side // 4)), np.ones((4, 4)))
        patches = model.prepare(ArraySource((noise * 255).astype(np.uint8)))
        levels = (side // 28).bit_length()
        assert 0 < len(patches.glyphs) <= 3 * levels + 2 + (levels - 1)


def test_rounds_keep_what_a_single_round_keeps() -> None:
    """Patches that do not overlap are kept by chance alone, in whatever rounds they come."""
    rng = np.random.default_rng(2)
    count = 30
    corners = np.stack([np.arange(count) * 100, np.zeros(count)], axis=1)
    patches = ReadPatches(
        rng.integers(0, 2, (count, 2, 28, 28)).astype(np.uint8),
        np.concatenate([corners, corners + 50], axis=1).astype(np.float32),
        3000,
        3000,
    )
    model = model_of(width=4, memory=6, chunk=100)
    at_once, rounds = model.select(patches, *model.look_at([patches]))
    assert len(rounds) == 1
    model.config = replace(model.config, chunk=7)
    in_rounds, rounds = model.select(patches, *model.look_at([patches]))
    assert len(rounds) == 5
    assert set(in_rounds) == set(at_once)
    assert len(in_rounds) == 6


def test_patches_under_a_better_one_are_dropped() -> None:
    """One digit must not count twice."""
    glyph = np.random.default_rng(1).integers(0, 2, (3, 2, 28, 28)).astype(np.uint8)
    boxes = np.array([[0, 0, 28, 28], [2, 0, 30, 28], [100, 0, 128, 28]], np.float32)
    model, patches = model_of(width=4), ReadPatches(glyph, boxes, 200, 200)
    kept, _ = model.select(patches, *model.look_at([patches]))
    assert len(kept) == 2
    assert 2 in kept


def test_gradients_come_from_the_sum_alone() -> None:
    """Also for a batch with an image without patches."""
    model = model_of(width=4).train()
    assert model.sees == LABELS_ONLY
    blank = ArraySource(np.zeros((64, 64), np.uint8))
    sources = [HeldScene(scene_at(0), glyphs()), blank]
    output = model(model.collate([model.prepare(source) for source in sources]))
    assert output.logits["sum"].shape == (2, 28)
    loss = model.loss(output, {"sum": torch.tensor([4, 9])})
    loss.backward()  # type: ignore[no-untyped-call]
    norms = [float(one.grad.norm()) for one in model.parameters() if one.grad is not None]
    assert sum(norms) > 0


def test_a_batch_of_blank_images_is_learnt_from_without_error() -> None:
    """Logits are there, and gradients are zero."""
    model = model_of(width=4).train()
    blank = model.prepare(ArraySource(np.zeros((64, 64), np.uint8)))
    output = model(model.collate([blank, blank]))
    model.loss(output, {"sum": torch.tensor([4, 9])}).backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(output.logits["sum"]).all()


def test_training_on_sums_lowers_the_loss(tmp_path: Path) -> None:
    """A few steps on a dozen images with one digit each, told nothing but its value."""
    easy = {"canvas": "300", "factor": "3..5", "digits": "1", "label": "free"}
    lesson = Lesson(easy, 12, 40, 1, 1)
    losses: list[float] = []
    torch.set_num_threads(1)

    def note(what: str, step: int, _steps: int, loss: float) -> None:
        losses.extend([loss] if what == "lesson-1" and step else [])

    settings = AdditiveTraining(lessons=(lesson,), batch=12, learning_rate=5e-3)
    phases = pyramid_phases(model_of(width=4), settings, glyphs(), tmp_path, note)
    run_course(course_in(tmp_path, note), phases)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_lessons_tell_sums_and_nothing_else() -> None:
    """Neither boxes nor classes of digits reach the training of a labels-only model."""
    lesson = Lesson({"canvas": "300", "factor": "3..5"}, 2, 1)
    model = model_of(width=4)
    images = read_images(model, lesson, range(2), 5, glyphs())
    for index in range(2):
        scene = plan_scene(
            "released", 5, "train", index, glyphs=glyphs(), overrides=lesson.overrides
        )
        assert int(images.labels[index]) == scene.label
        seen, kept = model.prepare(HeldScene(scene, glyphs())), images.patches(index)
        assert np.array_equal(kept.glyphs, seen.glyphs)
        assert np.array_equal(kept.boxes, seen.boxes)
        assert (kept.height, kept.width) == (300, 300)
    assert set(vars(images)) == {"glyphs", "boxes", "counts", "labels", "sizes"}
    assert isinstance(images, ReadImages)


def test_images_smaller_than_a_glyph_are_refused() -> None:
    """In a sentence."""
    with pytest.raises(InvalidValueError, match="28 px and more"):
        model_of(width=4).prepare(ArraySource(np.zeros((20, 90), np.uint8)))


@pytest.mark.parametrize("settings", [{"memory": 0}, {"memory": 3}, {"chunk": 0}])
def test_settings_that_cannot_be_are_refused(settings: dict[str, int]) -> None:
    """Fewer patches than digits, or none at all."""
    with pytest.raises(InvalidValueError):
        AdditivePyramidConfig(**settings)
