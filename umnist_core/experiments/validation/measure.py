"""Figures of many images: those of a folder, and fresh ones of a preset, by the same way.

Both are written as JPEG of quality 75 and read again before anything is counted on them. Images of
two colours are the same afterwards, whatever codec they went through before; grey ones are not,
and a folder of them may be without loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from umnist_core.datasets.decode import decode_grey
from umnist_core.datasets.reader import DatasetReader
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.experiments.validation.figures import measure_pixels
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene
from umnist_core.seeds import sample_rng

Measure = Callable[[NDArray[np.uint8]], Mapping[str, float]]
"""From the pixels of an image, uint8 (H, W), to its figures by name."""

_Labelled = tuple[str, NDArray[np.uint8], int | None]
"""Name, pixels and label of an image."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures of N images.

    Attributes
    ----------
    figures
        Name -> float (N,).
    labels
        Of each image; None where it is not known.
    sizes
        Images of each size, as ``WIDTHxHEIGHT`` in px, most frequent first.
    of
        How many images there are of which these were chosen.
    """

    figures: Mapping[str, NDArray[np.float64]]
    labels: tuple[int | None, ...]
    sizes: Mapping[str, int]
    of: int

    @property
    def count(self) -> int:
        """How many images were measured."""
        return len(self.labels)

    @property
    def known_labels(self) -> tuple[int, ...]:
        """Those that are known, in the order of the images."""
        return tuple(label for label in self.labels if label is not None)


def pixel_measure(image: NDArray[np.uint8]) -> Mapping[str, float]:
    """Return the figures of `measure_pixels` by name."""
    return asdict(measure_pixels(image))


def measure_folder(
    reader: DatasetReader,
    count: int,
    seed: int,
    *,
    measure: Measure = pixel_measure,
    progress: bool = False,
) -> Measured:
    """Measure images of a data set.

    Parameters
    ----------
    reader
        The data set.
    count
        How many at most, 1 or more; if it has more they are drawn at random, without
        replacement.
    seed
        Of that draw.
    measure
        Gives the figures of an image.
    progress
        Whether to draw a bar on standard error, where that is a terminal.

    Raises
    ------
    UmnistError
        If an image cannot be read, or ``measure`` does not take it.
    """
    ids = reader.ids
    order = np.argsort(sample_rng(seed, "test", 0, "chosen").random(len(ids)), kind="stable")
    chosen = [ids[place] for place in sorted(order[:count].tolist())]
    images = ((name, reader.read_image(name), reader.label(name)) for name in chosen)
    return _measure_all(images, len(chosen), len(ids), measure, "theirs" if progress else None)


def measure_preset(
    preset: str,
    count: int,
    seed: int,
    *,
    glyphs: GlyphSet,
    overrides: Mapping[str, str] | None = None,
    measure: Measure = pixel_measure,
    progress: bool = False,
) -> Measured:
    """Measure the first images of a preset.

    Parameters
    ----------
    preset, seed, glyphs, overrides
        As for `plan_scene`.
    count
        How many, 1 or more.
    measure, progress
        As for `measure_folder`.

    Raises
    ------
    UmnistError
        If the images cannot be planned, or ``measure`` does not take them.
    """

    def images() -> Iterator[_Labelled]:
        for index in range(count):
            scene = plan_scene(preset, seed, "train", index, glyphs=glyphs, overrides=overrides)
            yield f"image {index} of {preset}", render(scene, glyphs), scene.label

    return _measure_all(images(), count, count, measure, "ours" if progress else None)


def _measure_all(
    images: Iterator[_Labelled], count: int, of: int, measure: Measure, shown: str | None
) -> Measured:
    rows: list[Mapping[str, float]] = []
    labels: list[int | None] = []
    sizes: Counter[str] = Counter()
    bar = tqdm(
        images, shown, count, unit=" images", smoothing=0, disable=True if shown is None else None
    )
    for name, image, label in bar:
        rows.append(measure(decode_grey(encode_jpeg(image), name)))
        labels.append(label)
        sizes[f"{image.shape[1]}x{image.shape[0]}"] += 1
    if not rows:
        raise UmnistError("Expected images to measure, found none; choose a folder with images.")
    figures = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Measured(figures, tuple(labels), dict(sizes.most_common()), of)
