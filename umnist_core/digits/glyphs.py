"""A glyph set: the small digit images that scenes are made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.shown import ShowsItself

GLYPH_PX = 28
"""Side of a glyph, in pixels (LeCun and Cortes, MNIST)."""


@dataclass(frozen=True, eq=False)
class GlyphSet(ShowsItself):
    """Digit images with their classes.

    Attributes
    ----------
    name
        What the glyphs are, for example ``"mnist-train"`` or ``"stand-in"``.
    images
        uint8 (N, 28, 28), 0 is background and 255 full ink; read-only.
    labels
        uint8 (N,), classes 0 to 9; read-only.
    is_stand_in
        Whether these are the bundled stand-in digits and not MNIST.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    is_stand_in: bool = False

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.images.shape[1:] != (GLYPH_PX, GLYPH_PX):
            raise InvalidValueError(
                f"Glyphs are (N, {GLYPH_PX}, {GLYPH_PX}) arrays; got {self.images.shape}."
            )
        if self.labels.shape != (len(self.images),):
            raise InvalidValueError(
                f"{len(self.images)} glyphs need as many labels; got {self.labels.shape}."
            )
        self.images.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def checksum(self) -> str:
        """Sha256 over images and labels, in hex; scenes name their glyph set by it."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()

    @cached_property
    def indices_by_label(self) -> tuple[NDArray[np.int64], ...]:
        """For each class 0 to 9, the indices of its glyphs, ascending."""
        return tuple(np.flatnonzero(self.labels == label) for label in range(10))
