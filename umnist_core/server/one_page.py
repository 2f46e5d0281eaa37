"""One HTML file: the viewer, the tiles that it would ask a server for, and what it shows.

Everything that the page opens is in it, under addresses of a scheme of its own; equal bytes are
there once. It is made of the same tiles and places as the app's own pages.
"""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from umnist_core import __version__
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.errors import MissingFileError
from umnist_core.geometry import Box
from umnist_core.inference.open_image import open_image
from umnist_core.inference.process import Outcome
from umnist_core.inference.requests import DigitImage, FileImage, ImageRef, SceneImage
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource, read_tile
from umnist_core.pyramid.grid import DEFAULT_TILE_PX
from umnist_core.server.assets import STATIC_DIR
from umnist_core.server.heat import Choice, heat_tile, places_json
from umnist_core.server.truth import scene_truth

SCHEME = "umnist-page:"
MAX_PX = 4096 * 4096
"""Pixels of an image that are there; a larger one is reduced by a power of two."""

_OVERLAP_PX = 1
_FILES = ("viewer.page.js", "openseadragon.LICENSE.txt")


@dataclass(frozen=True)
class PageRun:
    """What a model made of an image.

    Attributes
    ----------
    title
        Of the model, for people.
    outcome
        Its answers and maps.
    """

    title: str
    outcome: Outcome


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
        Makes a scene again; empty for others.
    runs
        What models made of it.
    """

    image: ImageRef
    title: str
    command: str = ""
    runs: Sequence[PageRun] = ()


def page_image(image: ImageRef, runs: Sequence[PageRun] = ()) -> PageImage:
    """Return an image with its title, and of a scene the command that makes it again."""
    if isinstance(image, FileImage):
        page = f", page {image.page + 1}" if image.page else ""
        return PageImage(image, f"{Path(image.path).name}{page}", "", runs)
    ref = image.ref
    title = f"{ref.preset}, seed {ref.seed}, {ref.split}, {ref.index}"
    if isinstance(ref, DigitRef):
        return PageImage(image, title, "", runs)
    layer = [] if image.layer == "full" else ["--layer", image.layer]
    words = ["umnist", "render", *ref.options, "--index", str(ref.index), *layer, "image.png"]
    return PageImage(image, title, shlex.join(words), runs)


def generated_image(ref: AnyRef, layer: str = "full") -> PageImage:
    """Return a generated image as `page_image` does."""
    return page_image(DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref, layer))


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


def make_page(images: Sequence[PageImage], *, title: str = "", max_px: int = MAX_PX) -> bytes:
    """Return the page.

    Parameters
    ----------
    images
        One or more.
    title
        Of the page; that of the first image if empty.
    max_px
        Pixels of an image that are there, 1 or more; see `MAX_PX`.

    Raises
    ------
    MissingFileError
        If the viewer was not built.
    UmnistError
        If an image cannot be opened.
    """
    files = _Files()
    shown = [
        _image_data(files, f"{SCHEME}/{number}", one, max_px) for number, one in enumerate(images)
    ]
    data = {"title": title or images[0].title, "images": shown, "files": files.to_dict()}
    return _html(data).encode()


def _image_data(files: _Files, base: str, one: PageImage, max_px: int) -> dict[str, Any]:
    source, scene = open_image(one.image)
    factor, shown = _reduced(source, max_px)
    pane = {
        "key": base,
        "title": one.title,
        "dzi": _add_tiles(files, f"{base}/image", shown),
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
        "runs": [
            _run_data(files, f"{base}/model/{place}", run) for place, run in enumerate(one.runs)
        ],
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


def _run_data(files: _Files, base: str, run: PageRun) -> dict[str, Any]:
    """Return what a model made of an image, and add the tiles of each of its maps."""
    outcome = run.outcome
    maps = []
    for place, choice in enumerate(_choices(outcome)):
        places = places_json(outcome, choice, "")
        tiles = f"{base}/{place}"
        if places["max"] > 0:
            _add_heat(files, tiles, outcome, choice)
        maps.append(places | {"url": f"{tiles}/{{level}}/{{column}}_{{row}}.png"})
    return {"title": run.title, "result": outcome.result, "maps": maps}


def _choices(outcome: Outcome) -> Iterator[Choice]:
    """Yield every map that is shown: of the end and of each round, over all tasks and for each."""
    if outcome.attention is None:
        return
    tasks: list[str | None] = [None]
    if len(outcome.attention.tasks) > 1:
        tasks.extend(outcome.attention.tasks)
    for one in (None, *range(len(outcome.rounds))):
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
    # So that nothing in it can end the script, or begin a comment or another one.
    held = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
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
