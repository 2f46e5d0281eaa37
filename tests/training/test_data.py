"""Images for training: pure functions of their place, from scenes and from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.megapixel import megapixel_tasks
from tests.training.tiny import OVERRIDES, Tiny, TinyConfig, tiny_config
from umnist_core.datasets import Recipe
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import MEGAPIXEL_TASKS, SUM_TASK
from umnist_core.models.targets import BOXES, CLASSES, NO_DIGIT, collate_targets, scene_targets
from umnist_core.training.config import DataPart, Turn
from umnist_core.training.data import (
    Inverted,
    ModelInputs,
    SceneSamples,
    TurnSamples,
    iter_batches,
    open_samples,
)
from umnist_core.training.order import epoch_order, inversion, split_places


def test_workers_and_this_process_read_the_same() -> None:
    """Batches do not depend on who draws them, or how often."""
    samples = open_samples(tiny_config().data)
    inputs = ModelInputs(samples, Tiny(TinyConfig()), inversion(0, 1))
    places = [[0, 5], [7, 2], [1]]
    own = list(iter_batches(inputs, places, 0))
    for (batch, targets), (other, other_targets) in zip(
        own, iter_batches(inputs, places, 2), strict=True
    ):
        assert torch.equal(batch.pixels, other.pixels)
        assert torch.equal(targets["sum"], other_targets["sum"])


def test_order_and_split_follow_from_the_seed() -> None:
    """Every image once; training and validation apart; another epoch, another order."""
    train, validation = split_places(50, 0.1, 42)
    assert sorted([*train, *validation]) == list(range(50))
    assert len(validation) == 5
    assert split_places(50, 0.1, 42) == (train, validation) != split_places(50, 0.1, 43)
    first, second = epoch_order(train, 0, 0), epoch_order(train, 0, 1)
    assert sorted(first) == sorted(second) == train
    assert first != second
    assert first == epoch_order(train, 0, 0) != epoch_order(train, 1, 0)


def test_half_of_the_images_are_inverted_anew_each_epoch() -> None:
    """About half, others the next time, and black is then white."""
    shown = [[inversion(0, epoch)(place) for place in range(400)] for epoch in (0, 1)]
    assert 160 < sum(shown[0]) < 240
    assert shown[0] != shown[1]
    source = open_samples(tiny_config().data).get(0).source
    assert np.array_equal(Inverted(source).read_whole(), 255 - source.read_whole())


def test_folder_gives_what_its_scenes_give(tmp_path: Path) -> None:
    """Lossless files and scenes drawn on the fly: same ids, pixels and targets."""
    recipe = Recipe(5, overrides=OVERRIDES, image="png")
    write_dataset(recipe, tmp_path / "set")
    folder = open_samples(DataPart(folder=str(tmp_path / "set"), count=0))
    scenes = SceneSamples(recipe)
    assert len(folder) == 5
    drawn = {scenes.get(place).image_id: scenes.get(place) for place in range(5)}
    for place in range(5):
        sample = folder.get(place)
        other = drawn[sample.image_id]
        assert np.array_equal(sample.source.read_whole(), other.source.read_whole())
        assert (sample.scene, sample.label) == (other.scene, other.label)


def test_kinds_of_scenes_take_turns() -> None:
    """Every second image is the other kind's own of that place; the card names both."""
    kinds = [{"canvas": "200", "noise_count": "2"}, {"canvas": "150", "noise_count": "3"}]
    turns = (Turn("megapixel", kinds[0]), Turn("megapixel-bezier", kinds[1]))
    mixed = open_samples(DataPart(turns=turns, seed=4, count=6))
    assert len(mixed) == 6
    for place in range(6):
        kind = turns[place % 2]
        alone = SceneSamples(Recipe(6, kind.preset, 4, overrides=kind.overrides)).get(place)
        assert mixed.get(place).scene == alone.scene
        assert mixed.get(place).image_id == alone.image_id
    told = mixed.describe()
    assert (told["preset"], told["overrides"]) == ("megapixel", kinds[0])
    assert told["turns"] == [
        {"preset": "megapixel", "overrides": kinds[0]},
        {"preset": "megapixel-bezier", "overrides": kinds[1]},
    ]


def test_turns_that_do_not_fit_are_refused() -> None:
    """Beside a folder, a preset or overrides, and of different digits."""
    turns = (Turn("megapixel"), Turn("released"))
    for part in ({"folder": "set"}, {"preset": "megapixel"}, {"overrides": {"canvas": "200"}}):
        with pytest.raises(InvalidValueError, match="takes the place of"):
            DataPart(turns=turns, **part)
    one, other = (SceneSamples(Recipe(2, overrides=OVERRIDES)) for _ in range(2))
    other.glyphs = GlyphSet("fewer", one.glyphs.images[1:].copy(), one.glyphs.labels[1:].copy())
    with pytest.raises(InvalidValueError, match="of the same digits"):
        TurnSamples((one, other))


def test_digits_are_told_only_to_models_that_may_see_them() -> None:
    """Labels alone for labels-only; boxes in image px and classes, padded, for the others."""
    scene = open_samples(tiny_config().data).get(3).scene
    assert scene is not None
    assert scene_targets(scene, (SUM_TASK,), False).keys() == {"sum"}
    targets = scene_targets(scene, (SUM_TASK,), True)
    digit = scene.digits[0]
    assert targets[BOXES][0].tolist() == [
        digit.row,
        digit.col,
        digit.row + digit.side_px,
        digit.col + digit.side_px,
    ]
    fewer = {**targets, BOXES: targets[BOXES][:1], CLASSES: targets[CLASSES][:1]}
    batch = collate_targets([targets, fewer])
    assert batch[BOXES].shape == (2, 3, 4)
    assert batch[CLASSES][1].tolist() == [digit.label, NO_DIGIT, NO_DIGIT]


def test_megapixel_scenes_have_four_targets_and_others_none_of_them() -> None:
    """Majority, max, top and the set; a scene of UltraMNIST is refused."""
    recipe = Recipe(2, "megapixel", overrides={"canvas": "200", "noise_count": "3"})
    scene = SceneSamples(recipe).get(0).scene
    assert scene is not None
    targets = scene_targets(scene, MEGAPIXEL_TASKS, False)
    assert int(targets["max"]) == megapixel_tasks(scene).max
    assert targets["multi"].nonzero().flatten().tolist() == list(megapixel_tasks(scene).multi)
    ultra = open_samples(tiny_config().data).get(0).scene
    assert ultra is not None
    with pytest.raises(InvalidValueError, match="Megapixel MNIST"):
        scene_targets(ultra, MEGAPIXEL_TASKS, False)
