"""Images as users bring them: scaled, turned, saved as JPEG, inverted, without digits, photographs.

Each variant changes images before a model sees them and keeps their truth, so that an evaluation
says how far a model still gets and what it warns of. An image is changed whole, as in a picture
editor, and its levels are area averages, as of a file that is opened.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets import open_image_folder
from umnist_core.datasets.decode import find_choices
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.pyramid import ArraySource, encode_jpeg
from umnist_core.pyramid.files import file_source
from umnist_core.scenes import Digit
from umnist_core.seeds import draw_float, draw_int, sample_rng
from umnist_core.training.data import Samples, SceneSamples
from umnist_core.training.samples import Sample

PLAIN, NO_DIGITS, PHOTOGRAPHS = "plain", "no-digits", "photographs"

CROP_LEAST = 0.25
"""Of a photograph's sides, a crop has at least so much of each."""

CROP_SIDES_PX = (256.0, 4000.0)
"""Longer side that a crop is brought to: any of these and between, all doublings alike."""

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""Height and width, px."""


@dataclass(frozen=True)
class Variant:
    """A way in which images are changed.

    Attributes
    ----------
    meaning
        What becomes of an image, in words.
    change
        From pixels uint8 (H, W) or (H, W, 3) to the changed ones; None of variants that are not
        made from an image's pixels.
    move
        From a box of an image and the image's size to where it then is; None if it stays.
    """

    meaning: str
    change: Callable[[Pixels], Pixels] | None = None
    move: Callable[[Box, Size], Box] | None = None


# -- changes --------------------------------------------------------------------------


def rescale(pixels: Pixels, *, side_px: int) -> Pixels:
    """Bring the longer side to a length: by area averages, or cubic if that enlarges it."""
    height, width = _scaled_size((pixels.shape[0], pixels.shape[1]), side_px)
    way = cv2.INTER_AREA if side_px <= max(pixels.shape[:2]) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=way), np.uint8)


def _scaled_size(size: Size, side_px: int) -> Size:
    height, width = (max(1, round(side * side_px / max(size))) for side in size)
    return height, width


def _rescaled_box(box: Box, size: Size, *, side_px: int) -> Box:
    height, width = _scaled_size(size, side_px)
    row0, row1 = (round(row * height / size[0]) for row in (box.row0, box.row1))
    col0, col1 = (round(col * width / size[1]) for col in (box.col0, box.col1))
    return Box(row0, col0, row1, col1)


def turn(pixels: Pixels, *, quarters: int) -> Pixels:
    """Turn clockwise by quarters."""
    return np.ascontiguousarray(np.rot90(pixels, -quarters))


def _turned_box(box: Box, size: Size, *, quarters: int) -> Box:
    height, width = size
    for _ in range(quarters):
        box = Box(box.col0, height - box.row1, box.col1, height - box.row0)
        height, width = width, height
    return box


def save_as_jpeg(pixels: Pixels, *, quality: int) -> Pixels:
    """Encode as JPEG and decode again."""
    data = np.frombuffer(encode_jpeg(pixels, quality), np.uint8)
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
    if decoded.ndim == 2:
        return decoded
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def shift(pixels: Pixels) -> Pixels:
    """Move down and right by one px; the first row and column stay where they were, too."""
    sides = [(1, 0), (1, 0)] + [(0, 0)] * (pixels.ndim - 2)
    return np.ascontiguousarray(np.pad(pixels, sides, mode="edge")[:-1, :-1])


def invert(pixels: Pixels) -> Pixels:
    """Exchange black and white."""
    inverted: Pixels = 255 - pixels
    return inverted


def _scaling(side_px: int) -> Variant:
    return Variant(
        f"scaled to {side_px:,} px on its longer side",
        partial(rescale, side_px=side_px),
        partial(_rescaled_box, side_px=side_px),
    )


def _turning(quarters: int) -> Variant:
    return Variant(
        f"turned by {90 * quarters} degrees clockwise",
        partial(turn, quarters=quarters),
        partial(_turned_box, quarters=quarters),
    )


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        PLAIN: Variant("as it is"),
        "as-jpeg": Variant(
            "saved as JPEG of quality 75, as the released files are",
            partial(save_as_jpeg, quality=75),
        ),
        "quality-30": Variant("saved as JPEG of quality 30", partial(save_as_jpeg, quality=30)),
        "rescaled-3900": _scaling(3900),
        "rescaled-2000": _scaling(2000),
        "turned-90": _turning(1),
        "turned-180": _turning(2),
        "turned-270": _turning(3),
        "shifted": Variant(
            "moved down and right by one px", shift, lambda box, _size: box.shifted(1, 1)
        ),
        "inverted": Variant("black and white exchanged", invert),
        NO_DIGITS: Variant("the ground of a scene without its digits; the sum is 0"),
        PHOTOGRAPHS: Variant("photographs of a folder and crops of them; nothing is their sum"),
    }
)
"""Name -> variant."""


# -- images ---------------------------------------------------------------------------


class ChangedSamples(Samples):
    """Images of which each is changed before it is read.

    Parameters
    ----------
    samples
        The images as they are.
    name
        Of a variant with a change, one of `VARIANTS`.
    """

    def __init__(self, samples: Samples, name: str) -> None:
        self.samples, self.name = samples, name
        self.glyphs, self.context = samples.glyphs, samples.context

    def __len__(self) -> int:
        return len(self.samples)

    def get(self, place: int) -> Sample:
        """Read an image whole and change it; its digits go along."""
        variant, sample = VARIANTS[self.name], self.samples.get(place)
        change, move, scene = variant.change, variant.move, sample.scene
        if change is None:
            return sample
        size = (sample.source.height, sample.source.width)
        source = ArraySource(change(sample.source.read_whole()))
        digits = None
        if move is not None and scene is not None:
            digits = tuple(_moved(digit, move, size) for digit in scene.digits)
        return dataclasses.replace(sample, source=source, digits=digits)

    def describe(self) -> dict[str, Any]:
        """Return what the images follow from, and the variant."""
        return {**self.samples.describe(), "variant": self.name}

    def find_choices(self, place: int) -> tuple[str, ...]:
        """Return those of the image as it is."""
        return self.samples.find_choices(place)


def _moved(digit: Digit, move: Callable[[Box, Size], Box], size: Size) -> Digit:
    box, ink_box = move(digit.box, size), move(digit.ink_box, size)
    return dataclasses.replace(
        digit, row=box.row0, col=box.col0, side_px=box.height, ink_box=ink_box
    )


class GroundSamples(Samples):
    """Scenes whose digits are not drawn, so that their sum is 0.

    Parameters
    ----------
    samples
        The scenes.
    """

    def __init__(self, samples: SceneSamples) -> None:
        self.samples = SceneSamples(samples.recipe, "background", samples.first)
        self.glyphs: GlyphSet | None = samples.glyphs

    def __len__(self) -> int:
        return len(self.samples)

    def get(self, place: int) -> Sample:
        """Plan an image, and leave its digits out."""
        sample = self.samples.get(place)
        scene = None if sample.scene is None else dataclasses.replace(sample.scene, digits=())
        return dataclasses.replace(sample, scene=scene, label=0)

    def describe(self) -> dict[str, Any]:
        """Return what the images follow from, and the variant."""
        return {**self.samples.describe(), "variant": NO_DIGITS}


class CroppedPhotographs(Samples):
    """The images of a folder, each whole first, and then as many crops of them as are asked for.

    Parameters
    ----------
    folder
        With JPEG, PNG, TIFF or WebP files.
    count
        How many images; 0 for those of the folder alone.
    seed
        Of the crops. A crop has at least `CROP_LEAST` of each side, and its longer side is
        brought to one of `CROP_SIDES_PX`.

    Raises
    ------
    MissingFileError
        If there is no image.
    """

    def __init__(self, folder: Path, count: int = 0, seed: int = 0) -> None:
        self.folder, self.seed = folder, seed
        self.paths = open_image_folder(folder).paths
        self.count = count or len(self.paths)

    def __len__(self) -> int:
        return self.count

    def get(self, place: int) -> Sample:
        """Open an image, or a crop of one."""
        crop, which = divmod(place, len(self.paths))
        image_id, path = list(self.paths.items())[which]
        source = file_source(path)
        if crop == 0:
            return Sample(image_id, source, None, None)
        pixels = _crop(source.read_whole(), sample_rng(self.seed, "test", place, "crop"))
        return Sample(f"{image_id}-{crop}", ArraySource(pixels), None, None)

    def describe(self) -> dict[str, Any]:
        """Return folder, count and seed, and the variant."""
        about = {"folder": self.folder.resolve().name, "photographs": len(self.paths)}
        return {**about, "count": self.count, "seed": self.seed, "variant": PHOTOGRAPHS}

    def find_choices(self, place: int) -> tuple[str, ...]:
        """Return those of the photograph, whole or cropped."""
        image_id, path = list(self.paths.items())[place % len(self.paths)]
        return find_choices(path.read_bytes(), image_id)


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = (
        max(1, round(side * draw_float(rng, CROP_LEAST, 1))) for side in pixels.shape[:2]
    )
    row = draw_int(rng, 0, pixels.shape[0] - height)
    col = draw_int(rng, 0, pixels.shape[1] - width)
    low, high = np.log(CROP_SIDES_PX)
    side_px = round(float(np.exp(draw_float(rng, low, high))))
    return rescale(pixels[row : row + height, col : col + width], side_px=side_px)


def open_variant(samples: Samples, name: str) -> Samples:
    """Return images as a variant of them.

    Parameters
    ----------
    samples
        The images as they are.
    name
        One of `VARIANTS`, but `PHOTOGRAPHS`, which are no variant of other images.

    Raises
    ------
    InvalidValueError
        If there is no such variant, or it needs scenes and these are none.
    """
    if name not in VARIANTS or name == PHOTOGRAPHS:
        known = ", ".join(one for one in VARIANTS if one != PHOTOGRAPHS)
        raise InvalidValueError(f"A variant of images is one of {known}; got {name[:40]!r}.")
    if name == PLAIN:
        return samples
    if name != NO_DIGITS:
        return ChangedSamples(samples, name)
    if not isinstance(samples, SceneSamples) or not samples.recipe.is_ultramnist:
        raise InvalidValueError(
            "The variant no-digits is of scenes of UltraMNIST, whose digits can be left out; got "
            "a folder of images or Megapixel MNIST; choose a preset of UltraMNIST."
        )
    return GroundSamples(samples)
