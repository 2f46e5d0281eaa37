"""Window, level and channels: the values of a file between two of them, as black to white.

`appearance` has the one rule by which an image is shown, and by which models read it. This is for
looking more closely: what lies in the values that this rule makes one grey. A value v is drawn as
255 (v - low) / (high - low), rounded, and black or white beyond; what is no number is black.
Transparency is left alone, and colours are those that are stored.

A level pixel is the mean of the values of its block, which is then drawn. At full resolution that
is the same as drawing first; seen from afar it keeps what clipping first would lose.
"""

from __future__ import annotations

import shutil
import weakref
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.files import temporary_folder
from umnist_core.geometry import Box, canvas_box_from_level_box, reduced_size_px
from umnist_core.giving_up import go_on
from umnist_core.pyramid.files import ImageHeader, damaged_file, fetch, open_level
from umnist_core.pyramid.orientation import UPRIGHT, TurnedSource, shown_size
from umnist_core.pyramid.own_values import DTYPES, OwnValues
from umnist_core.pyramid.pages import page_levels
from umnist_core.pyramid.sources import TileSource

AUTO_SHARES = (2.0, 98.0)
"""Per cent of the values that lie below what ``auto`` draws black, and what it draws white."""

BINS = 64
"""Of the histogram."""

_LOOKED_PX = 16_000_000
"""Of a larger image the range is that of a coarser level."""

_HALVED_VALUES = 32_000_000
"""More are made levels of beside the temporary files: the means of these take 128 MB."""

_COLOURS = ("R", "G", "B")


@dataclass(frozen=True, slots=True)
class Tones:
    """What of the values is drawn.

    Attributes
    ----------
    low, high
        Values that are drawn black and white; ``high`` is above ``low``.
    channel
        Number of the one that is drawn, grey; None for the colours, or for a grey image.

    Raises
    ------
    InvalidValueError
        If they are not two finite numbers, the second above the first.
    """

    low: float
    high: float
    channel: int | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InvalidValueError(
                "A window is two numbers, the value that is drawn black and a larger one that is "
                f"drawn white; got {self.low:g} and {self.high:g}."
            )


class ValueLevels:
    """The values that a file stores, at every level; may be read by many threads at once.

    Parameters
    ----------
    header
        Of the file. It is decoded once, into memory or beside the system's temporary files, unless
        it is a tiled pyramid.

    Raises
    ------
    DamagedFileError
        If it cannot be decoded.
    """

    def __init__(self, header: ImageHeader) -> None:
        self.header = header
        self._values = OwnValues(header)
        self._most = 2**header.kind.bits - 1 if header.kind.bits < 8 else None
        self.height, self.width = shown_size(header.height, header.width, header.orientation)
        try:
            self._levels = self._find_levels()
        except pyvips.Error as error:
            raise damaged_file(header.path, error) from error

    @property
    def held_bytes(self) -> int:
        """About the memory of it, in bytes."""
        return 2 * self._values.held_bytes

    def read(self, level_box: Box, reduction: int) -> NDArray[np.float64]:
        """Return the means of a box of a level, float64 (H, W, channels), as stored, not turned."""
        values, left = self.read_stored(level_box, reduction)
        means = block_means(values.astype(np.float64), left)
        return means if self._most is None else means * (self._most / 255)

    def read_stored(self, level_box: Box, reduction: int) -> tuple[NDArray[Any], int]:
        """Return the px under a box of a level, of the coarsest level that is fine enough.

        Returns
        -------
        tuple
            Values (H, W, channels) of that level, and by how much it is still to be reduced.
        """
        fine = max(one for one in self._levels if one <= reduction)
        left, level = reduction // fine, self._levels[fine]
        rows, cols = (reduced_size_px(side, fine) for side in (self.height, self.width))
        box = canvas_box_from_level_box(level_box, left, Box(0, 0, rows, cols))
        data, height, width = fetch(level, box, self.header.path)
        values = np.frombuffer(data, DTYPES[level.format]).reshape(height, width, -1)
        missing = [(0, box.height - height), (0, box.width - width), (0, 0)]
        if missing != [(0, 0)] * 3:  # a writer may round the size of a level down
            values = np.pad(values, missing, mode="edge")
        return values, left

    @property
    def has_counts(self) -> bool:
        """Whether its values are so few whole numbers that each can be counted."""
        return self._most is None and self._levels[1].format in ("uchar", "ushort")

    def _find_levels(self) -> dict[int, Any]:
        """Return reduction -> values as a libvips image."""
        header, image = self.header, self._values.image
        if self._values.is_held and image.width * image.height * image.bands <= _HALVED_VALUES:
            return _halvings(image)
        load = partial(open_level, header)
        options = page_levels(load, header.loader, header.page)
        if len(options) > 1 and header.kind.names[0] != "L*":
            return {one: load(**option) for one, option in options.items()}
        folder = temporary_folder()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        place = str(folder / "levels.tif")
        image.copy(interpretation="multiband").tiffsave(
            place, tile=True, pyramid=True, bigtiff=True, compression="deflate", level=1
        )
        made = pyvips.Image.tiffload(place)
        return {
            round(made.width / page.width): page
            for number in range(made.get("n-pages"))
            for page in [pyvips.Image.tiffload(place, page=number)]
        }


def block_means(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the mean of each block of ``side`` x ``side`` px, cut at the right and bottom."""
    for axis in (0, 1):
        length = values.shape[axis]
        starts = np.arange(0, length, side)
        counts = np.diff(np.append(starts, length))
        sums = np.add.reduceat(values, starts, axis=axis)
        values = sums / counts.reshape(-1, *[1] * (values.ndim - axis - 1))
    return values


class TonedSource(TileSource):
    """An image file with what `Tones` say of its values drawn; not turned.

    Parameters
    ----------
    levels
        Its values.
    tones
        What of them is drawn.

    Raises
    ------
    InvalidValueError
        If it has no such channel, or more than one and none is chosen.
    """

    def __init__(self, levels: ValueLevels, tones: Tones) -> None:
        self.height, self.width = levels.height, levels.width
        self._levels = levels
        self._tones = tones
        self._places = channel_places(levels.header, tones.channel)

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read the values, and draw them."""
        values = self._levels.read(level_box, reduction)[:, :, self._places]
        low, high = self._tones.low, self._tones.high
        drawn = np.rint((values - low) * (255 / (high - low)))
        drawn[~np.isfinite(drawn)] = 0
        shown = drawn.clip(0, 255).astype(np.uint8)
        return shown[:, :, 0] if len(self._places) == 1 else shown


def toned_source(levels: ValueLevels, tones: Tones) -> TileSource:
    """Return a source of what is shown: `TonedSource`, turned as the file says."""
    source, orientation = TonedSource(levels, tones), levels.header.orientation
    return source if orientation == UPRIGHT else TurnedSource(source, orientation)


def channel_places(header: ImageHeader, channel: int | None) -> list[int]:
    """Return the numbers of the stored channels that are drawn: one or three.

    Raises
    ------
    InvalidValueError
        If there is no such channel, or there are several that are no colours and none is chosen.
    """
    names = header.kind.names
    if channel is not None:
        if not 0 <= channel < len(names):
            raise InvalidValueError(
                f"channel is a number from 0 to {len(names) - 1} ({', '.join(names)}); got "
                f"{channel}."
            )
        return [channel]
    if names[:3] == _COLOURS:
        return [0, 1, 2]
    if names[0] == "grey":
        return [0]
    raise InvalidValueError(f"Choose one of the channels {', '.join(names)}; they are no colours.")


def value_range(levels: ValueLevels, channel: int | None) -> dict[str, Any]:
    """Return the range of a file's values, ready for JSON.

    Returns
    -------
    dict
        ``full`` (lowest and highest), ``auto`` (`AUTO_SHARES`), ``histogram`` (counts over the full
        range, `BINS`), and ``reduction`` of the level that was looked at: 1 where it is the image.
    """
    places, reduction = channel_places(levels.header, channel), 1
    while levels.height * levels.width > _LOOKED_PX * reduction**2:
        reduction *= 2
    rows, cols = (reduced_size_px(side, reduction) for side in (levels.height, levels.width))
    step = max(1, _LOOKED_PX // (16 * cols))
    boxes = [Box(row, 0, min(row + step, rows), cols) for row in range(0, rows, step)]
    if reduction == 1 and levels.has_counts:
        values, counts = _counted(levels, boxes, places)
    else:
        values, counts = _sorted(levels, boxes, places, reduction)
    low, high = float(values[0]), float(values[-1])
    below = np.cumsum(counts)
    auto = [float(values[np.searchsorted(below, share / 100 * below[-1])]) for share in AUTO_SHARES]
    ends = (low, high if high > low else low + 1)
    histogram, _ = np.histogram(values, BINS, ends, weights=counts)
    return {
        "full": [low, high],
        "auto": auto,
        "histogram": histogram.astype(int).tolist(),
        "reduction": reduction,
    }


def _counted(
    levels: ValueLevels, boxes: list[Box], places: list[int]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the values that there are, in order, and how often each is."""
    counts = np.zeros(2**16, np.int64)
    for box in boxes:
        go_on()
        stored, _ = levels.read_stored(box, 1)
        counts += np.bincount(stored[:, :, places].ravel(), minlength=counts.size)
    values = np.flatnonzero(counts)
    return values, counts[values]


def _sorted(
    levels: ValueLevels, boxes: list[Box], places: list[int], reduction: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return all values that are numbers, in order, each once for each px."""
    parts = []
    for box in boxes:
        go_on()
        parts.append(levels.read(box, reduction)[:, :, places].astype(np.float32).ravel())
    values = np.concatenate(parts)
    values = np.sort(values[np.isfinite(values)])
    if not values.size:
        values = np.zeros(1, np.float32)
    return values, np.ones(values.size, np.int64)


def _halvings(image: Any) -> dict[int, Any]:
    """Return an image in memory and means of it, down to a pixel."""
    levels, reduction = {1: image}, 1
    values = np.frombuffer(image.write_to_memory(), DTYPES[image.format])
    sums = values.reshape(image.height, image.width, -1).astype(np.float32)
    rows, cols = np.ones(image.height, np.float32), np.ones(image.width, np.float32)
    while max(sums.shape[:2]) > 1:
        go_on()
        sums = _add_pairs(_add_pairs(sums, 0), 1)
        rows, cols = _add_pairs(rows, 0), _add_pairs(cols, 0)
        reduction *= 2
        means = sums / (rows[:, None, None] * cols[:, None])
        levels[reduction] = pyvips.Image.new_from_array(means)
    return levels


def _add_pairs(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Add each odd row (or column) to the even one before it; the last even one may be alone."""
    before = (slice(None),) * axis
    sums, odd = values[(*before, slice(0, None, 2))].copy(), values[(*before, slice(1, None, 2))]
    sums[(*before, slice(0, odd.shape[axis]))] += odd
    return sums
