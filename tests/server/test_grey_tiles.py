"""Needle MNIST and reduced UltraMNIST over HTTP: every tile, at every published side."""

from __future__ import annotations

import itertools
import json
from xml.etree import ElementTree as ET

import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from umnist_core.digits import GlyphSet
from umnist_core.pyramid import PyramidGrid
from umnist_core.rendering import FILTERS, LAYERS, render
from umnist_core.scenes import PUBLISHED_DISTRACTORS, Scene, SceneRef


def _decode(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("preset", ["needle", "patchgd"])
@pytest.mark.parametrize(("view", "pyramid_filter"), [*itertools.product(LAYERS, FILTERS)])
def test_every_tile_is_the_rendered_box(
    client: httpx.Client, glyphs: GlyphSet, preset: str, view: str, pyramid_filter: str
) -> None:
    """All tiles of all levels."""
    scene = SceneRef.of(preset, {"canvas": "300"}, index=2).plan(glyphs)
    query = f"preset={preset}&index=2&canvas=300&view={view}&filter={pyramid_filter}&tile=200"
    grid = PyramidGrid(300, 300, 200, 1)
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        for row, col in itertools.product(range(rows), range(cols)):
            reply = client.get(f"/tiles/scene_files/{level}/{col}_{row}.png?{query}")
            expected = render(
                scene,
                glyphs,
                level_box=grid.tile_box(level, col, row),
                reduction=grid.reduction(level),
                layer=view,
                pyramid_filter=pyramid_filter,
            )
            np.testing.assert_array_equal(_decode(reply.content), expected)


@pytest.mark.parametrize("canvas", PUBLISHED_DISTRACTORS)
def test_every_published_canvas_opens_in_deep_zoom(
    client: httpx.Client, glyphs: GlyphSet, canvas: int
) -> None:
    """Its descriptor, a tile of full resolution with the needle, one of a pixel, and its truth."""
    query = f"preset=needle&canvas={canvas}"
    scene = SceneRef.of("needle", {"canvas": str(canvas)}).plan(glyphs)
    root = ET.fromstring(client.get(f"/tiles/scene.dzi?{query}").text)
    assert root[0].attrib == {"Width": str(canvas), "Height": str(canvas)}
    grid = PyramidGrid(canvas, canvas)
    (digit,) = scene.digits
    row, col = digit.row // grid.tile_px, digit.col // grid.tile_px
    reply = client.get(f"/tiles/scene_files/{grid.max_level}/{col}_{row}.png?{query}")
    box = grid.tile_box(grid.max_level, col, row)
    np.testing.assert_array_equal(_decode(reply.content), render(scene, glyphs, level_box=box))
    assert client.get(f"/tiles/scene_files/0/0_0.png?{query}").status_code == 200
    truth = client.get(f"/tiles/scene.json?{query}").text
    assert Scene.from_json(truth) == scene
    assert json.loads(truth)["tasks"] == {"needle": 1}
