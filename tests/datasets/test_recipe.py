"""Recipes: ids, what they refuse, and the command that they name."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.datasets.making import small_recipe
from umnist_core.datasets.recipe import BATCH, Recipe, image_id
from umnist_core.errors import InvalidValueError, TooLargeError

IDS_OF_SEED_0 = ["ehkjqmvbvy", "uabkddgucf", "iuzhvcdmmn"]


def test_ids_are_ten_letters_and_never_meet_within_a_seed() -> None:
    """Both splits of a seed lie in one folder, so their ids differ from each other too."""
    ids = [image_id(7, split, index) for split in ("train", "test") for index in range(20_000)]
    assert len(set(ids)) == 40_000
    assert all(re.fullmatch("[a-z]{10}", name) for name in ids)


def test_ids_follow_from_seed_split_and_index_alone() -> None:
    """The same on every machine and in every version: files of old runs are found again."""
    assert [image_id(0, "train", index) for index in (0, 1, 27_999)] == IDS_OF_SEED_0
    assert image_id(1, "train", 0) != image_id(0, "train", 0)
    noisy = small_recipe(overrides={"shape_pairs": "5"})
    assert noisy.image_id(4) == small_recipe().image_id(4)


@pytest.mark.parametrize(("layout", "step"), [("kaggle", BATCH), ("webdataset", 1024)])
def test_batches_cover_every_index_once(layout: str, step: int) -> None:
    """Whole batches from 0 on, and one rest."""
    batches = list(small_recipe(2050, layout=layout).iter_batches())
    assert [index for first, last in batches for index in range(first, last)] == list(range(2050))
    assert all(last - first == step for first, last in batches[:-1])


def test_shards_of_full_size_hold_a_hundred_images() -> None:
    """4000 x 4000 px at up to 0.6 MB: about the 64 MB that others choose."""
    assert Recipe(count=1).shard_count == 100
    assert Recipe(count=1, overrides={"canvas": "32768"}).shard_count == 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"count": 0}, InvalidValueError, "count is a whole number from 1"),
        ({"count": -5}, InvalidValueError, "got -5"),
        ({"count": 10**9}, InvalidValueError, "to 10000000"),
        ({"seed": -1}, InvalidValueError, "seed is a whole number from 0"),
        ({"seed": 2**63}, InvalidValueError, "seed"),
        ({"split": "validation"}, InvalidValueError, "train, test"),
        ({"layout": "hdf5"}, InvalidValueError, "kaggle, voc, coco, webdataset"),
        ({"image": "gif"}, InvalidValueError, "one of jpeg, .*png"),
        ({"preset": "relaesed"}, InvalidValueError, "released"),
        ({"overrides": {"rotation": "nan"}}, InvalidValueError, "from -180 to 180"),
        ({"overrides": {"shape_pair": "1"}}, InvalidValueError, "shape_pairs"),
        ({"overrides": {"canvas": "1e9"}}, InvalidValueError, "canvas"),
        ({"overrides": {"canvas": "100000"}}, TooLargeError, "umnist tiles export"),
    ],
)
def test_recipe_refuses_what_cannot_be_made(
    changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    """Before anything is written, and with the allowed values."""
    with pytest.raises(error, match=said):
        small_recipe(**changes)


def test_command_makes_the_same_recipe() -> None:
    """What the manifest says can be typed."""
    recipe = small_recipe(5, split="test", layout="coco", overrides={"shear": "-10..10"})
    words = shlex.split(recipe.command)
    assert words[:3] == ["umnist", "generate", "OUT"]
    assert words[words.index("--seed") + 1] == "3"
    pairs = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    assert "shear=-10..10" in pairs
    assert "canvas=512" in pairs
