"""An image as one model got it, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from umnist_core.inference.requests import ImageRef
from umnist_core.models.base import Model
from umnist_core.pyramid import TileSource
from umnist_core.scenes import Scene


@dataclass(frozen=True)
class SeenImage:
    """An image as a model got it.

    Attributes
    ----------
    model, batch
        The model, and what `Model.collate` made of the image alone.
    source, scene, image
        The image, what it was drawn from where it was, and what it was asked for as.
    """

    model: Model
    batch: Any
    source: TileSource
    scene: Scene | None
    image: ImageRef
