"""What a data set is made from: everything that its bytes follow from."""

from __future__ import annotations

import hashlib
import math
import shlex
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.scenes import (
    PlannerParameters,
    Scene,
    SceneRef,
    UltraMnistParameters,
    get_preset,
)
from umnist_core.seeds import SPLITS

LAYOUTS = ("kaggle", "voc", "coco", "webdataset")
"""How the images lie on disk and what lies beside them; docs/datasets.md describes each."""

MAX_COUNT = 10_000_000
MAX_SIDE_PX = 32_768
"""One file holds at most a gigapixel."""

BATCH = 4
"""Images of one unit of work: what a kill may cost each process, some 0.1 s."""

_SHARD_PX = 100 * 4000 * 4000
_SHARD_MAX_COUNT = 1024
_ID_LETTERS = 10
_IDS = len(string.ascii_lowercase) ** _ID_LETTERS


@dataclass(frozen=True)
class Recipe:
    """Which images to make, and how to write them; one split of a data set.

    Attributes
    ----------
    count
        Images in the split, 1 or more; their indices are 0 to ``count - 1``.
    preset
        Name in `umnist_core.scenes.PRESETS`.
    seed
        0 or more.
    split
        ``train`` or ``test``.
    overrides
        Parameters that differ from the preset, in their text form.
    layout
        One of `LAYOUTS`.
    image
        One of `umnist_core.pyramid.image_types.IMAGE_TYPES`.

    Raises
    ------
    InvalidValueError
        If a value is not allowed.
    TooLargeError
        If the images are too large for one file each.
    """

    count: int
    preset: str = "released"
    seed: int = 0
    split: str = "train"
    overrides: Mapping[str, str] = field(default_factory=dict)
    layout: str = "kaggle"
    image: str = "jpeg"

    def __post_init__(self) -> None:
        _check_range("count", self.count, 1, MAX_COUNT)
        self.ref(0)  # says what no scene can be
        _check_word("format", self.layout, LAYOUTS)
        _check_word("image", self.image, tuple(IMAGE_TYPES))
        if self.side_px > MAX_SIDE_PX:
            raise TooLargeError(
                f"One file holds at most {MAX_SIDE_PX} px a side; got canvas={self.side_px}; "
                "write single images of this size as tiles with `umnist tiles export`."
            )

    @cached_property
    def planner_parameters(self) -> PlannerParameters:
        """The preset's parameters with the overrides in them."""
        return get_preset(self.preset).with_overrides(self.overrides)

    @property
    def parameters(self) -> dict[str, str]:
        """Every parameter in its text form, overridden or not."""
        return self.planner_parameters.to_text()

    @property
    def side_px(self) -> int:
        """Side of each image, in px."""
        return int(float(self.parameters["canvas"]))

    @property
    def is_ultramnist(self) -> bool:
        """Whether scenes are those of UltraMNIST: ink that inverts a ground."""
        return isinstance(self.planner_parameters, UltraMnistParameters)

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks of the images; none where the sum of the digits is asked."""
        kind = self.planner_parameters.asks
        return () if kind is None else kind.names()

    @property
    def suffix(self) -> str:
        """Suffix of the images' files, without its dot."""
        return IMAGE_TYPES[self.image].suffix

    @property
    def digits_subset(self) -> str:
        """Which part of MNIST the digits come from.

        UltraMNIST takes those of both its splits from MNIST's training set; Megapixel MNIST
        and Needle MNIST take those of their test splits from the test set.
        """
        return self.split if self.planner_parameters.test_digits else "train"

    @property
    def shard_count(self) -> int:
        """Images of one WebDataset shard: 100 of 4000 x 4000 px, some 60 MB at most."""
        return max(1, min(_SHARD_MAX_COUNT, _SHARD_PX // self.side_px**2))

    def plan(self, index: int, glyphs: GlyphSet) -> Scene:
        """Plan the image of an index."""
        return self.ref(index).plan(glyphs)

    def ref(self, index: int) -> SceneRef:
        """Return the name of the scene of an index."""
        return SceneRef.of(
            self.preset, self.overrides, seed=self.seed, split=self.split, index=index
        )

    def image_id(self, index: int) -> str:
        """Return the id of an image; see the function `image_id`."""
        return image_id(self.seed, self.split, index)

    def iter_batches(self) -> Iterator[tuple[int, int]]:
        """Yield first and last + 1 index of each unit of work; shards are never divided."""
        step = self.shard_count if self.layout == "webdataset" else BATCH
        for first in range(0, self.count, step):
            yield first, min(first + step, self.count)

    @property
    def command(self) -> str:
        """The command line that makes this split in a folder ``OUT``."""
        changed = self.planner_parameters.to_text()
        overrides = [f"{name}={changed[name]}" for name in self.overrides]
        words = ["umnist", "generate", "OUT", "--preset", self.preset, "--count", str(self.count)]
        words += ["--seed", str(self.seed), "--split", self.split]
        words += ["--format", self.layout, "--image", self.image]
        return shlex.join([*words, *(w for text in overrides for w in ("--set", text))])


def image_id(seed: int, split: str, index: int) -> str:
    """Return the id of an image: 10 lower-case letters, as on Kaggle.

    Ids are distinct within a seed, over both splits: an index is multiplied by a number
    that has no factor in common with 26 ** 10, and so permutes all ids. They do not
    depend on preset and parameters, so that sets with the same digits and other noise
    pair up by id.
    """
    multiplier, offset = _id_key(seed)
    number = (multiplier * (2 * index + SPLITS.index(split)) + offset) % _IDS
    letters = []
    for _ in range(_ID_LETTERS):
        number, place = divmod(number, 26)
        letters.append(string.ascii_lowercase[place])
    return "".join(letters)


@lru_cache
def _id_key(seed: int) -> tuple[int, int]:
    digest = hashlib.sha256(f"umnist ids of seed {seed}".encode()).digest()
    multiplier = int.from_bytes(digest[:16], "big") % _IDS
    while math.gcd(multiplier, 26) != 1:
        multiplier += 1
    return multiplier, int.from_bytes(digest[16:], "big") % _IDS


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidValueError(f"{name} is a whole number from {low} to {high}; got {value}.")


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise InvalidValueError(f"{name} is one of {', '.join(words)}; got {value!r}.")
