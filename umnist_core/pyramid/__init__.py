"""Deep Zoom: level arithmetic, tile sources, encoding, export. No HTTP.

Level k of `PyramidGrid` counts up to the canvas, as in Deep Zoom's addresses; sources
are asked by ``reduction``, the canvas px per level px, a power of two.
"""

from umnist_core.pyramid.encode import dzi_xml, encode_jpeg, encode_png
from umnist_core.pyramid.grid import PyramidGrid
from umnist_core.pyramid.read_tile import read_tile
from umnist_core.pyramid.sources import (
    MODEL_SIDES_PX,
    WHOLE_MAX_PX,
    ArraySource,
    HeldScene,
    SceneSource,
    TileSource,
    model_size,
    reduce_for_model,
    scene_source,
    seen_by_model,
)

__all__ = [
    "MODEL_SIDES_PX",
    "WHOLE_MAX_PX",
    "ArraySource",
    "HeldScene",
    "PyramidGrid",
    "SceneSource",
    "TileSource",
    "dzi_xml",
    "encode_jpeg",
    "encode_png",
    "model_size",
    "read_tile",
    "reduce_for_model",
    "scene_source",
    "seen_by_model",
]
