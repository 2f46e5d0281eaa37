"""Images for training and evaluation: scenes drawn as they are asked for, or a folder.

An item is a pure function of where it comes from and its place, so workers, processes and
resumed runs see the same; nothing is drawn from a shared generator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from umnist_core.datasets import DatasetReader, Recipe, open_dataset
from umnist_core.datasets.boxes import check_boxes
from umnist_core.datasets.large_scale import as_grey, rescale_digits, soft_threshold
from umnist_core.datasets.large_scale.sets import LARGE_SCALE, digits_of, draw_scale
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.base import Model
from umnist_core.models.targets import collate_targets
from umnist_core.pyramid import ArraySource, TileSource, scene_source
from umnist_core.scenes import Span
from umnist_core.training.config import DataPart, Turn
from umnist_core.training.samples import Sample, targets_of

Item = tuple[Any, dict[str, Tensor]]
Batch = tuple[Any, dict[str, Tensor]]


class Samples(ABC):
    """Images by place.

    Attributes
    ----------
    context
        How processes that read them begin; None for the system's way.
    """

    context: str | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def get(self, place: int) -> Sample:
        """Return an image, 0 to ``len - 1``."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what the images follow from, for cards."""

    def find_choices(self, place: int) -> tuple[str, ...]:
        """Return what was chosen to read an image's file, of `umnist_core.datasets.decode`.

        Raises
        ------
        MissingFileError, DamagedFileError, TooLargeError
            As of the file.
        """
        return ()

    def find_size(self, place: int) -> tuple[int, int]:
        """Return height and width of an image, px, without its pixels where that can be."""
        source = self.get(place).source
        return source.height, source.width

    glyphs: GlyphSet | None = None


class SceneSamples(Samples):
    """Scenes, planned and drawn when they are asked for.

    Parameters
    ----------
    recipe
        Which.
    layer
        One of `umnist_core.rendering.LAYERS`.
    first
        Index of the first.
    """

    def __init__(self, recipe: Recipe, layer: str = "full", first: int = 0) -> None:
        self.recipe, self.layer, self.first = recipe, layer, first
        self.glyphs: GlyphSet = load_glyphs(recipe.digits_subset)

    def __len__(self) -> int:
        return self.recipe.count

    def get(self, place: int) -> Sample:
        """Plan an image; its pixels are drawn when they are read."""
        index = self.first + place
        scene = self.recipe.plan(index, self.glyphs)
        total = sum(digit.label for digit in scene.digits)
        source = scene_source(scene, self.glyphs, self.layer)
        return Sample(self.recipe.image_id(index), source, scene, total)

    def describe(self) -> dict[str, Any]:
        """Return preset, seed, split, overrides, count and digits."""
        recipe = self.recipe
        return {
            "preset": recipe.preset,
            "seed": recipe.seed,
            "split": recipe.split,
            "overrides": dict(recipe.overrides),
            "layer": self.layer,
            "first": self.first,
            "count": recipe.count,
            "digits": self.glyphs.name,
            "digits_sha256": self.glyphs.checksum,
            "stand_in": self.glyphs.is_stand_in,
        }


class TurnSamples(Samples):
    """Scenes of several kinds in turn: image ``n`` is the ``n``-th of its own kind.

    Parameters
    ----------
    kinds
        One or more, equally many images of each.

    Raises
    ------
    InvalidValueError
        If they do not have the same digits.
    """

    def __init__(self, kinds: Sequence[SceneSamples]) -> None:
        self.kinds = tuple(kinds)
        if len({one.glyphs.checksum for one in kinds}) > 1:
            raise InvalidValueError(
                "Expected data.turns of the same digits; got presets that take MNIST's training "
                f"and test digits for the split {kinds[0].recipe.split}; use those that agree."
            )
        self.glyphs: GlyphSet = self.kinds[0].glyphs

    def __len__(self) -> int:
        return len(self.kinds[0])

    def get(self, place: int) -> Sample:
        """Plan an image of the kind whose turn it is."""
        return self.kinds[place % len(self.kinds)].get(place)

    def describe(self) -> dict[str, Any]:
        """Return what `SceneSamples` does of the first kind, and preset and overrides of all."""
        all_of_them = [one.describe() for one in self.kinds]
        turns = [{name: one[name] for name in ("preset", "overrides")} for one in all_of_them]
        return {**all_of_them[0], "turns": turns}


class LargeScaleSamples(Samples):
    """Digits of MNIST Large Scale in the order of MNIST, drawn when they are asked for.

    Training and validation images have the first five sixths and the last sixth of MNIST's
    training digits, the first 50,000 and the last 10,000; test images its test digits. Pixels are
    uint8: 0 to 255 for the background's value to full ink's, after the soft threshold, so that
    models see them as they see all images; that rounds by at most 0.003 of values from -0.76 to
    0.76.

    Parameters
    ----------
    scales
        Of all digits, or a range from which each draws its own, all doublings alike.
    split
        ``train``, ``val`` or ``test``.
    count
        The first so many.
    seed
        Of the scales that are drawn.

    Raises
    ------
    InvalidValueError
        If there are fewer digits, or no such split.
    """

    def __init__(self, scales: Span, split: str, count: int, seed: int = 0) -> None:
        digits = digits_of(split)
        self.scales, self.split, self.seed = scales, split, seed
        self.glyphs: GlyphSet = digits.glyphs
        self.first = digits.first
        if not 2 <= count <= digits.count:
            raise InvalidValueError(
                f"The split {split!r} of {LARGE_SCALE} has {digits.count} digits; got "
                f"count={count}; choose 2 or more, up to all of them."
            )
        self.count = count

    def __len__(self) -> int:
        return self.count

    def scale_of(self, place: int) -> float:
        """Return the scale of a digit, 0.5 to 8."""
        low, high = self.scales.low, self.scales.high
        return draw_scale(low, high, seed=self.seed, split=self.split, index=self.first + place)

    def draw(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """Return images uint8 (N, 112, 112)."""
        digits = self.glyphs.images[[self.first + place for place in places]]
        values = rescale_digits(digits, [self.scale_of(place) for place in places])
        return as_grey(values, *soft_threshold(np.array([0, 255], np.float32)))

    def label(self, place: int) -> int:
        """Return the class of a digit, 0 to 9."""
        return int(self.glyphs.labels[self.first + place])

    def get(self, place: int) -> Sample:
        """Draw an image."""
        source = ArraySource(self.draw([place])[0])
        return Sample(f"{self.first + place:05d}", source, None, self.label(place))

    def describe(self) -> dict[str, Any]:
        """Return preset, scales, split, seed, count and digits."""
        return {
            "preset": LARGE_SCALE,
            "overrides": {"scale": str(self.scales)},
            "split": self.split,
            "seed": self.seed,
            "first": self.first,
            "count": self.count,
            "digits": self.glyphs.name,
            "digits_sha256": self.glyphs.checksum,
            "stand_in": self.glyphs.is_stand_in,
        }


class FolderSamples(Samples):
    """The images of a data set on disk.

    Parameters
    ----------
    reader
        The data set.
    ids
        Which of its images, in order.
    """

    def __init__(self, reader: DatasetReader, ids: Sequence[str]) -> None:
        self.reader, self.ids = reader, tuple(ids)
        # A layout that is read whole is read here, once, and not by each worker of each epoch.
        reader.read_size(self.ids[0])

    def __len__(self) -> int:
        return len(self.ids)

    def get(self, place: int) -> Sample:
        """Read an image and its truth, where there is a table of it."""
        image_id = self.ids[place]
        scene, tasks = self.reader.truth(image_id), self.reader.tasks(image_id)
        label = self.reader.digit_sum(image_id)
        if scene is not None:
            label, tasks = sum(digit.label for digit in scene.digits), None
        source = ArraySource(self.reader.read_image(image_id))  # levels as of an opened file
        boxes = self.reader.boxes(image_id) if scene is None else None
        check_boxes(boxes or (), source.height, source.width, image_id)
        # Within one split the name is one without it, such as the id of a submission.
        name = image_id.removeprefix(f"{self.reader.get_split(image_id)}/")
        return Sample(name, source, scene, label, tasks, boxes=boxes)

    def describe(self) -> dict[str, Any]:
        """Return folder and count."""
        return {"folder": self.reader.root.name, "count": len(self.ids)}

    def find_choices(self, place: int) -> tuple[str, ...]:
        """Return what the data set says."""
        return self.reader.find_choices(self.ids[place])


class Inverted(TileSource):
    """An image with black and white exchanged."""

    def __init__(self, source: TileSource) -> None:
        self.height, self.width = source.height, source.width
        self._source = source

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read the box of the image and invert it."""
        return 255 - self._source.read_checked(level_box, reduction)


class ModelInputs(Dataset[Item]):
    """What a model reads of each image, with its targets.

    Parameters
    ----------
    samples
        The images.
    model
        Whose `prepare` reads them.
    inverted_at
        From a place to whether the image is shown inverted.
    rng_at
        From a place to what draws what the model draws of an image in training; None in
        validation, where nothing is drawn.
    """

    def __init__(
        self,
        samples: Samples,
        model: Model,
        inverted_at: Callable[[int], bool] | None = None,
        rng_at: Callable[[int], np.random.Generator] | None = None,
    ) -> None:
        self.samples, self.model = samples, model
        self.inverted_at, self.rng_at = inverted_at, rng_at

    def __getitem__(self, place: int) -> Item:
        sample = self.samples.get(place)
        source = sample.source
        if self.inverted_at is not None and self.inverted_at(place):
            source = Inverted(source)
        rng = None if self.rng_at is None else self.rng_at(place)
        with torch.no_grad():
            prepared = self.model.prepare_to_learn(source, rng)
        own = self.model.find_own_targets(prepared)
        return prepared, targets_of(sample, self.model) if own is None else own


def open_samples(part: DataPart) -> Samples:
    """Return the images of a run.

    Raises
    ------
    MissingFileError, DamagedFileError
        If the folder is no data set.
    InvalidValueError
        If the folder or the split has fewer than two images.
    """
    if part.is_large_scale:
        return LargeScaleSamples(part.scales, part.split, part.count, part.seed)
    if not part.folder:
        kinds = [
            SceneSamples(
                Recipe(part.count, one.preset, part.seed, part.split, one.overrides), part.layer
            )
            for one in part.turns or (Turn(part.preset, part.overrides),)
        ]
        return TurnSamples(kinds) if part.turns else kinds[0]
    reader = open_dataset(Path(part.folder))
    return FolderSamples(reader, split_ids(reader, part.split)[: part.count or None])


def split_ids(reader: DatasetReader, split: str) -> list[str]:
    """Return the images of the split of a data set.

    Raises
    ------
    InvalidValueError
        If there are fewer than two.
    """
    splits = {one: reader.get_split(one) for one in reader.ids}
    # An image without a split is of every split only where none has one.
    wanted = split if any(splits.values()) else None
    ids = [one for one in reader.ids if splits[one] == wanted]
    if len(ids) < 2:
        others = Counter(filter(None, splits.values()))
        shown = "".join(f", and {count} of {name}" for name, count in others.items() if not ids)
        raise InvalidValueError(
            f"Expected at least 2 images of the split {split!r} in {reader.root}, found "
            f"{len(ids)}{shown}; choose another folder or split."
        )
    return ids


def iter_batches(
    inputs: ModelInputs,
    batches: Sequence[Sequence[int]],
    workers: int,
    *,
    is_pinned: bool = False,
) -> Generator[Batch, None, None]:
    """Yield batches of images, read ahead by worker processes until it is exhausted or closed.

    Parameters
    ----------
    inputs
        What to read.
    batches
        Places of the images of each batch.
    workers
        Processes; 0 to read in this one.
    is_pinned
        Whether what processes read is copied to where the system never moves it, in a thread.
    """
    loader: DataLoader[Item] = DataLoader(
        inputs,
        batch_sampler=[list(batch) for batch in batches],
        num_workers=workers,
        collate_fn=Collate(inputs.model),
        worker_init_fn=one_thread_worker,
        multiprocessing_context=inputs.samples.context if workers else None,
        # Without processes the copy would be made while nothing computes.
        pin_memory=is_pinned and workers > 0,
        # Its own, because a loader draws a seed from the global one each time it begins.
        generator=torch.Generator().manual_seed(0),
    )
    yield from loader


class Collate:
    """From items to a batch."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(self, items: Sequence[Item]) -> Batch:
        """Join what the model prepared, and the targets."""
        prepared, targets = zip(*items, strict=True)
        return self.model.collate(prepared), collate_targets(targets)


def one_thread_worker(_worker: int) -> None:
    """Keep OpenCV to one thread in a worker: as many workers as cores share the work already."""
    cv2.setNumThreads(0)
