"""Batches of images of like shape: undeformed, with as little padding between as may be.

Images that share a batch are padded to the tallest and the widest of it, at the bottom and at the
right, with 0, which is the middle grey of values from -1 to 1. How much of a batch is padding is
told with it (`PictureBatch.padding`), and of an epoch before it begins (`LikeShapes.padding`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import Model
from umnist_core.seeds import sample_rng
from umnist_core.training.data import Samples, one_thread_worker
from umnist_core.training.pictures import PictureFolder, PictureItem

_JITTER = 0.02
"""By so much of a side, either way, the order is loosened, so that an epoch's batches are others
than the last one's."""

Sizes = Sequence[tuple[int, int]]
"""Height and width of each image, in px."""


@dataclass(frozen=True, eq=False)
class PictureBatch:
    """Photographs of several shapes in one tensor.

    Attributes
    ----------
    images
        float32 (B, 3, H, W), each at the top left, 0 beyond it.
    sizes
        int64 (B, 2), height and width of each, in px.
    targets
        int64 (B,) of classes, or float32 (B,) of years.
    ids
        In their data set.
    """

    images: Tensor
    sizes: Tensor
    targets: Tensor
    ids: tuple[str, ...]

    @property
    def padding(self) -> float:
        """Share of the pixels that no image has, 0 to below 1."""
        count, _, height, width = self.images.shape
        return 1 - int(self.sizes.prod(1).sum()) / (count * height * width)

    @property
    def mask(self) -> Tensor:
        """Return where an image is, bool (B, 1, H, W)."""
        height, width = self.images.shape[2:]
        rows = torch.arange(height)[None, :, None] < self.sizes[:, 0, None, None]  # (B, H, 1)
        cols = torch.arange(width)[None, None, :] < self.sizes[:, 1, None, None]  # (B, 1, W)
        return (rows & cols)[:, None]


def pad_pictures(items: Sequence[PictureItem]) -> PictureBatch:
    """Join photographs of any shapes; a loader's ``collate_fn``."""
    sizes = torch.tensor([one.image.shape[1:] for one in items])
    height, width = sizes.amax(0).tolist()
    images = torch.zeros(len(items), 3, height, width)
    for image, one in zip(images, items, strict=True):
        image[:, : one.image.shape[1], : one.image.shape[2]] = one.image
    targets = torch.stack([one.target for one in items])
    return PictureBatch(images, sizes, targets, tuple(one.image_id for one in items))


def iter_pictures(
    folder: PictureFolder, batches: Iterable[Sequence[int]], workers: int = 0
) -> Iterator[PictureBatch]:
    """Yield batches of photographs, read ahead by worker processes.

    Parameters
    ----------
    folder
        What to read.
    batches
        Places of the images of each batch, as `LikeShapes` has them.
    workers
        Processes; 0 to read in this one.
    """
    loader: DataLoader[PictureItem] = DataLoader(
        folder,
        batch_sampler=[list(batch) for batch in batches],
        num_workers=workers,
        collate_fn=pad_pictures,
        worker_init_fn=one_thread_worker,
        # A process that is forked where libvips has decoded before waits for its threads for ever.
        multiprocessing_context="forkserver" if workers else None,
        generator=torch.Generator().manual_seed(0),
    )
    yield from loader


class LikeShapes(Sampler[list[int]]):
    """Places of images in batches of like shape; a loader's ``batch_sampler``.

    Every image comes once an epoch. Which share a batch, and the order of the batches, follow from
    seed and epoch alone.

    Parameters
    ----------
    sizes
        Of each image by its place; see `PictureFolder.sizes`.
    batch_size
        Most images of a batch.
    most_px
        Most pixels of a batch, padding included; None for any number. A larger image is a batch
        by itself.
    seed
        Of the order; None for one order, the same each epoch, as in evaluation.

    Raises
    ------
    InvalidValueError
        If there is no image, or a batch would hold none.
    """

    def __init__(
        self,
        sizes: Sizes,
        batch_size: int,
        *,
        most_px: int | None = None,
        seed: int | None = None,
    ) -> None:
        if not sizes or batch_size < 1 or (most_px is not None and most_px < 1):
            raise InvalidValueError(
                f"Expected images, and batches of 1 or more images and px, got {len(sizes)} images "
                f"in batches of {batch_size} and {most_px} px; correct them."
            )
        self.sizes, self.batch_size, self.most_px = tuple(sizes), batch_size, most_px
        self.seed, self.epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Have other images share a batch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        yield from self.batches()

    def __len__(self) -> int:
        return len(self.batches())

    @property
    def padding(self) -> float:
        """Share of padding in this epoch's batches."""
        return padding_share(self.sizes, self.batches())

    def batches(self) -> list[list[int]]:
        """Return the places of each batch of this epoch."""
        batches = [batch for leaf in self._leaves() for batch in self._cut(leaf)]
        if self.seed is None:
            return batches
        keys = sample_rng(self.seed, "train", self.epoch, "batches").random(len(batches))
        return [batches[place] for place in np.argsort(keys, kind="stable")]

    def _leaves(self) -> list[list[int]]:
        """Return all places in batches of like shape.

        The images are halved by the side in which they differ more, and their halves likewise,
        down to a batch: rows of like height by like widths have a fifth more padding.
        """
        sides = np.array(self.sizes, np.float64)
        if self.seed is not None:
            draws = sample_rng(self.seed, "train", self.epoch, "shapes").random(sides.shape)
            sides *= 1 + _JITTER * (2 * draws - 1)
        logs = np.log(sides)
        parts, leaves = [np.arange(len(logs))], []
        while parts:
            part = parts.pop()
            if len(part) <= self.batch_size:
                leaves.append(part.tolist())
                continue
            side = int(np.argmax(logs[part].std(0)))
            ordered = part[np.argsort(logs[part, side], kind="stable")]
            # In whole batches, so that one alone of all is smaller.
            half = max(1, round(len(part) / 2 / self.batch_size)) * self.batch_size
            parts += [ordered[half:], ordered[:half]]
        return leaves

    def _cut(self, leaf: Sequence[int]) -> Iterator[list[int]]:
        """Yield a batch, in parts that hold no more pixels than allowed."""
        batch: list[int] = []
        height = width = 0
        for place in leaf:
            taller, wider = max(height, self.sizes[place][0]), max(width, self.sizes[place][1])
            is_large = self.most_px is not None and (len(batch) + 1) * taller * wider > self.most_px
            if batch and is_large:
                yield batch
                batch = []
                taller, wider = self.sizes[place]
            batch.append(place)
            height, width = taller, wider
        yield batch


@dataclass(frozen=True)
class ShapeOrder:
    """Images in batches of like shape, for a model that keeps their shapes.

    Attributes
    ----------
    sizes
        Height and width of each image of the samples in a batch, px.
    """

    sizes: Sizes

    @classmethod
    def find(cls, samples: Samples, model: Model) -> ShapeOrder | None:
        """Return the order for a model; None for one in whose batches all are alike.

        Raises
        ------
        MissingFileError, DamagedFileError, TooLargeError
            As of images whose size no table tells.
        """
        if not model.sees_colour:
            return None
        found = (model.find_input_size(*samples.find_size(at)) for at in range(len(samples)))
        sizes: list[tuple[int, int]] = []
        for size in found:
            if size is None:  # of the first, and so of all
                return None
            sizes.append(size)
        return cls(tuple(sizes))

    def order(self, places: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[int]:
        """Return places so that every ``batch_size`` of them are of like shape.

        What is left of a batch is left out of this epoch.
        """
        found = LikeShapes([self.sizes[one] for one in places], batch_size, seed=seed)
        found.set_epoch(epoch)
        whole = [batch for batch in found.batches() if len(batch) == batch_size]
        return [places[at] for batch in whole for at in batch]

    def batches(self, places: Sequence[int], batch_size: int) -> list[list[int]]:
        """Return all places in batches, the same each time."""
        found = LikeShapes([self.sizes[one] for one in places], batch_size)
        return [[places[at] for at in batch] for batch in found.batches()]

    def padding(self, batches: Sequence[Sequence[int]]) -> float:
        """Return the share of padding in batches of places."""
        return padding_share(self.sizes, batches)


def padding_share(sizes: Sizes, batches: Sequence[Sequence[int]]) -> float:
    """Return the share of padding in batches of images of these sizes, 0 to below 1."""
    own = whole = 0
    for batch in batches:
        heights, widths = zip(*(sizes[place] for place in batch), strict=True)
        own += sum(height * width for height, width in zip(heights, widths, strict=True))
        whole += len(batch) * max(heights) * max(widths)
    return 1 - own / whole
