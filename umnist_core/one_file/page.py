"""One HTML file: the viewer, the tiles that it would ask a server for, and what it shows.

Everything that the page opens is in it, under addresses of a scheme of its own; equal bytes are
there once. It is made of the same tiles and places as the app's own pages.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umnist_core import __version__
from umnist_core.errors import MissingFileError
from umnist_core.geometry import Box
from umnist_core.inference.open_image import open_image
from umnist_core.inference.process import Outcome
from umnist_core.inference.report import prediction_lines
from umnist_core.inference.requests import ImageRef, PredictRequest
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource
from umnist_core.pyramid.grid import DEFAULT_TILE_PX
from umnist_core.server.assets import STATIC_DIR
from umnist_core.server.inference.heat import Choice, heat_tile, places_json
from umnist_core.server.tiles import read_tile
from umnist_core.server.truth import scene_truth

if TYPE_CHECKING:  # the module itself has torch
    from umnist_core.inference.prediction import Prediction
    from umnist_core.inference.predictor import Predictor

SCHEME = "umnist-page:"
MAX_PX = 4096 * 4096
"""Pixels of an image that are there; a larger one is reduced by a power of two."""

_OVERLAP_PX = 1
_FILES = ("viewer.page.js", "openseadragon.LICENSE.txt")


@dataclass(frozen=True)
class PageImage:
    """An image of the page.

    Attributes
    ----------
    image
        Which.
    title
        For people.
    command
        Makes a scene again; empty for a file.
    """

    image: ImageRef
    title: str
    command: str = ""


@dataclass
class _Files:
    """Bytes by address, each of them once."""

    places: dict[str, int] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=dict)

    def add(self, address: str, data: bytes) -> None:
        self.places[address] = self.numbers.setdefault(data, len(self.numbers))

    def to_dict(self) -> dict[str, Any]:
        texts = [base64.b64encode(data).decode("ascii") for data in self.numbers]
        return {"places": self.places, "data": texts}


@dataclass(frozen=True)
class PageModels:
    """What looks at the images of a page.

    Attributes
    ----------
    predictor
        Runs the models.
    checkpoints
        Their names or paths.
    """

    predictor: Predictor
    checkpoints: Sequence[str]


def make_page(
    images: Sequence[PageImage],
    models: PageModels | None = None,
    *,
    title: str = "",
    max_px: int = MAX_PX,
) -> bytes:
    """Return the page.

    Parameters
    ----------
    images
        One or more.
    models
        Models that look at each of them; None for none.
    title
        Of the page; that of the first image if empty.
    max_px
        Pixels of an image that are there, 1 or more; see `MAX_PX`.

    Raises
    ------
    MissingFileError
        If the viewer was not built.
    UmnistError
        If an image or a model cannot be opened.
    """
    files = _Files()
    shown = []
    for number, one in enumerate(images):
        base = f"{SCHEME}/{number}"
        runs = []
        for place, checkpoint in enumerate(models.checkpoints if models else ()):
            assert models is not None
            found = models.predictor.predict(PredictRequest(checkpoint, "auto", one.image))
            runs.append(_run_data(files, f"{base}/model/{place}", found))
        shown.append(_image_data(files, f"{base}/image", one, max_px) | {"runs": runs})
    data = {"title": title or images[0].title, "images": shown, "files": files.to_dict()}
    return _html(data).encode()


def _image_data(files: _Files, base: str, one: PageImage, max_px: int) -> dict[str, Any]:
    source, scene = open_image(one.image)
    factor, shown = _reduced(source, max_px)
    pane = {
        "key": base,
        "title": one.title,
        "dzi": _add_tiles(files, base, shown),
        "width": shown.width,
        "height": shown.height,
        "tiles": {"tileSize": DEFAULT_TILE_PX, "overlap": _OVERLAP_PX, "format": "png"},
    }
    notes = []
    if factor > 1:
        notes.append(
            f"The image has {source.width} x {source.height} px; here it is reduced {factor} "
            "times, and models saw it whole."
        )
    return {
        "title": one.title,
        "command": one.command,
        "notes": notes,
        "pane": pane,
        "size": {"width": source.width, "height": source.height},
        "truth": None if scene is None else scene_truth(scene),
    }


def _reduced(source: TileSource, max_px: int) -> tuple[int, TileSource]:
    """Return how many times a source is reduced, and the reduced one."""
    factor = 1
    while -(-source.height // factor) * -(-source.width // factor) > max_px:
        factor *= 2
    if factor == 1:
        return 1, source
    height, width = -(-source.height // factor), -(-source.width // factor)
    return factor, ArraySource(source.read_region(Box(0, 0, height, width), factor))


def _add_tiles(files: _Files, base: str, source: TileSource) -> str:
    """Add all tiles of an image, and return the address of its description."""
    grid = PyramidGrid(source.height, source.width, DEFAULT_TILE_PX, _OVERLAP_PX)
    for address in _addresses(grid):
        level, col, row = address
        files.add(f"{base}_files/{level}/{col}_{row}.png", read_tile(source, grid, address))
    return f"{base}.dzi"


def _addresses(grid: PyramidGrid) -> Iterator[tuple[int, int, int]]:
    """Yield level, column and row of every tile."""
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        yield from ((level, col, row) for row in range(rows) for col in range(cols))


# -- models -----------------------------------------------------------------------


def _run_data(files: _Files, base: str, found: Prediction) -> dict[str, Any]:
    """Return what a model made of an image, and add the tiles of each of its maps."""
    outcome = Outcome(found.to_dict(), found.attention, found.rounds)
    maps = []
    for place, choice in enumerate(_choices(found)):
        places = places_json(outcome, choice, "")
        tiles = f"{base}/{place}"
        if places["max"] > 0:
            _add_heat(files, tiles, outcome, choice)
        maps.append(places | {"url": f"{tiles}/{{level}}/{{column}}_{{row}}.png"})
    return {
        "title": found.checkpoint,
        "result": outcome.result,
        "lines": [*prediction_lines(found)],
        "maps": maps,
    }


def _choices(found: Prediction) -> Iterator[Choice]:
    """Yield every map that is shown: of the end and of each round, over all tasks and for each."""
    if found.attention is None:
        return
    tasks: list[str | None] = [None]
    if len(found.attention.tasks) > 1:
        tasks.extend(found.attention.tasks)
    for one in (None, *range(len(found.rounds))):
        yield from (Choice(one, task) for task in tasks)


def _add_heat(files: _Files, base: str, outcome: Outcome, choice: Choice) -> None:
    image = outcome.result["image"]
    grid = PyramidGrid(image["height"], image["width"], DEFAULT_TILE_PX, 0)
    for level, col, row in _addresses(grid):
        tile = heat_tile(outcome, choice, (level, col, row), "")
        files.add(f"{base}/{level}/{col}_{row}.png", tile)


# -- the page ---------------------------------------------------------------------


def _html(data: dict[str, Any]) -> str:
    script, licence = (_read(STATIC_DIR / "vendor" / name) for name in _FILES)
    # In a script, only this ends it, whatever stands around it.
    held = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    program = script.replace("</script", "<\\/script")
    title = html.escape(data["title"])
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="umnist {__version__}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src blob: data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<body>
<main id="page"><noscript>This page needs JavaScript.</noscript></main>
<!-- OpenSeadragon:
{licence.replace("--", "- -")}
-->
<script type="application/json" id="data">{held}</script>
<script type="module">{program}</script>
</html>
"""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingFileError(
            f"Expected the viewer's file {path.name}, found none; install umnist again (in a "
            "clone, run scripts/app once)."
        ) from error
