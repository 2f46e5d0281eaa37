"""From an address to its reply: descriptors, tiles and downloads. No event loop.

`TileService.reply` is an ordinary function that many threads may call at once. What
it makes is kept in caches that share ``tile_cache_mib``: pyramids (one render per scene
and view, however many tiles ask for it at once), values of files and finished replies.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from umnist_core import __version__
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import (
    GlyphMismatchError,
    InvalidValueError,
    NotFoundError,
    TooLargeError,
)
from umnist_core.pyramid import (
    WHOLE_MAX_PX,
    ArraySource,
    PyramidGrid,
    TileSource,
    dzi_xml,
    encode_jpeg,
    encode_png,
    model_size,
    read_tile,
    reduce_for_model,
    scene_source,
    seen_by_model,
)
from umnist_core.pyramid.cache import SharedCache
from umnist_core.pyramid.comment import add_comment, scene_comment
from umnist_core.pyramid.export import export_dzi
from umnist_core.pyramid.files import open_source
from umnist_core.pyramid.own_values import OwnValues
from umnist_core.pyramid.tones import ValueLevels, toned_source, value_range
from umnist_core.rendering import check_work, pixel_pin
from umnist_core.scenes import Scene, SceneRef
from umnist_core.server.files import FileEntry, get_file
from umnist_core.server.one_page import generated_image, make_page
from umnist_core.server.query import (
    MODEL_VIEWS,
    FileQuery,
    SceneQuery,
    parse_channel,
    parse_file_query,
    parse_scene_query,
)
from umnist_core.server.tile_reply import IMMUTABLE, REVALIDATE, TileReply, content_reply
from umnist_core.server.web.fields import parse_whole
from umnist_core.settings import Settings, load_settings

SCENE_PATH = re.compile(r"/scene\.(dzi|json|png|jpeg|zip|html)")
_SCENE_TILE = re.compile(r"/scene_files/([^/]+)/([^/_]+)_([^/]+)\.png")
FILE_PATH = re.compile(r"/file/([^/.]+)\.dzi")
_FILE_VALUES = re.compile(r"/file/([^/]+)_values/([^/_]+)_([^/]+)\.json")
_FILE_RANGE = re.compile(r"/file/([^/]+)_range\.json")
_FILE_TILE = re.compile(r"/file/([^/]+)_files/([^/]+)/([^/_]+)_([^/]+)\.png")

DZI_TYPE, HTML_TYPE = "application/xml", "text/html; charset=utf-8"

DEAR_WORK_S = 0.25
"""A scene that takes longer than this to draw is dear: no two threads are given to such."""

DEAR_FILE_PX = 25_000_000
"""A file with more pixels takes as long to decode, which is done once."""

_WHOLE_KINDS = ("png", "jpeg", "zip", "html")
"""Downloads for which every pixel of an image is drawn and encoded."""


ZIP_MAX_TILES = 4000
"""Of a download; each is encoded and is a file of its own. 64 million px have 400 by default."""


class DearError(Exception):
    """A reply would take long and was not made, as nobody had said that it may."""


class TileService:
    """Answers addresses under ``/tiles``.

    Parameters
    ----------
    settings
        Limits and cache size.
    glyphs
        Returns the digits in use; asked again for every reply that is made, so that a
        download of MNIST takes effect without a restart.
    """

    def __init__(
        self, settings: Settings | None = None, glyphs: Callable[[], GlyphSet] = load_glyphs
    ) -> None:
        self._settings = settings or load_settings()
        self._load_glyphs = glyphs
        cache_bytes = self._settings.tile_cache_mib * 2**20
        self._sources: SharedCache[object, TileSource] = SharedCache(
            cache_bytes // 2, lambda source: source.held_bytes
        )
        self._replies: SharedCache[tuple[str, str, str], TileReply] = SharedCache(
            cache_bytes // 4, lambda reply: reply.held_bytes
        )
        # Apart from the pyramids: whoever moves the pointer pushes no picture out.
        self._values: SharedCache[str, OwnValues] = SharedCache(
            cache_bytes // 4, lambda values: values.held_bytes
        )
        self._levels: SharedCache[str, ValueLevels] = SharedCache(
            cache_bytes // 4, lambda levels: levels.held_bytes
        )

    @property
    def cache_stats(self) -> dict[str, dict[str, int]]:
        """What the caches hold and have done."""
        return {
            "pyramids": asdict(self._sources.stats),
            "answers": asdict(self._replies.stats),
        }

    def find_reply(self, path: str, query: str) -> TileReply | None:
        """Return a finished reply that cannot have changed, if it is held; takes microseconds."""
        return self._replies.find((path, query, ""))

    def reply(self, path: str, query: str, *, may_be_dear: bool = True) -> TileReply:
        """Make the reply to an address, or find it.

        Parameters
        ----------
        path
            Path below ``/tiles``, decoded, for example ``/scene_files/12/0_0.png``.
        query
            Query string, without the question mark.
        may_be_dear
            Whether it may take long: the server gives one thread to replies that do.

        Raises
        ------
        DearError
            If it would take long, and may not.
        UmnistError
            If the address is wrong or its image cannot be made.
        """
        if match := SCENE_PATH.fullmatch(path) or _SCENE_TILE.fullmatch(path):
            return self._scene_reply(path, query, match, may_be_dear)
        if match := _FILE_VALUES.fullmatch(path):
            return self._values_reply(path, get_file(match[1]), match)
        if match := _FILE_RANGE.fullmatch(path):
            return self._range_reply(path, query, get_file(match[1]), may_be_dear)
        if match := FILE_PATH.fullmatch(path) or _FILE_TILE.fullmatch(path):
            entry, file_query = get_file(match[1]), parse_file_query(query)
            return self._replies.get_or_make(
                (path, query, ""),
                lambda: self._make_file_reply(entry, file_query, match, may_be_dear),
            )
        raise NotFoundError(
            "Tiles are at scene.dzi, scene_files/LEVEL/COL_ROW.png, file/ID.dzi, "
            "file/ID_files/LEVEL/COL_ROW.png, file/ID_values/COL_ROW.json and file/ID_range.json, "
            "downloads at "
            "scene.png, scene.jpeg, scene.zip, scene.html and scene.json; there is no "
            f"{path[:80]!r}."
        )

    def _scene_reply(
        self, path: str, query: str, match: re.Match[str], may_be_dear: bool
    ) -> TileReply:
        scene_query = parse_scene_query(query)
        glyphs = self._load_glyphs()
        check_pin(scene_query.pin, glyphs)
        # An address that does not name its glyphs is kept apart for each set.
        set_name = "" if scene_query.pin else glyphs.checksum
        make = self._make_scene_tile if match.re is _SCENE_TILE else self._make_scene_file

        def make_reply() -> TileReply:
            ref = scene_query.ref
            if isinstance(ref, DigitRef):
                return _digit_reply(scene_query, ref, glyphs, match)
            scene = ref.plan(glyphs)
            is_whole = match.re is SCENE_PATH and match[1] in _WHOLE_KINDS
            if match.re is _SCENE_TILE or is_whole:
                work_s = check_work(scene)
                if not may_be_dear and (is_whole or work_s > DEAR_WORK_S):
                    raise DearError
            return make(scene_query, scene, glyphs, match)

        return self._replies.get_or_make((path, query, set_name), make_reply)

    # -- scenes -----------------------------------------------------------------------

    def _make_scene_tile(
        self, query: SceneQuery, scene: Scene, glyphs: GlyphSet, match: re.Match[str]
    ) -> TileReply:
        address = tile_address(*match.groups())
        height, width = _view_size(query.view, scene.height, scene.width)
        grid = PyramidGrid(height, width, query.tile_px, query.overlap_px)
        grid.tile_box(*address)  # a wrong address is told before anything is rendered
        tile = read_tile(self._scene_source(query, glyphs), grid, address)
        return _scene_content(tile, "image/png", query, glyphs)

    def _make_scene_file(
        self, query: SceneQuery, scene: Scene, glyphs: GlyphSet, match: re.Match[str]
    ) -> TileReply:
        height, width = _view_size(query.view, scene.height, scene.width)
        grid = PyramidGrid(height, width, query.tile_px, query.overlap_px)
        kind = match[1]
        name = f"{query.file_stem}.{kind}"
        if kind == "dzi":
            return _scene_content(dzi_xml(grid).encode(), DZI_TYPE, query, glyphs)
        if kind == "json":
            data = scene.to_json().encode()
            return _scene_content(data, "application/json", query, glyphs, name)
        _check_whole(height, width)
        if kind == "zip":
            _check_tiles(grid)
        if kind == "html":
            return _scene_content(_page(query.ref, query.view), HTML_TYPE, query, glyphs, name)
        source = self._scene_source(query, glyphs)
        comment = scene_comment(scene, __version__)
        if kind == "zip":
            data = _zip(source, query, comment)
            return _scene_content(data, "application/zip", query, glyphs, name)
        encode = encode_png if kind == "png" else encode_jpeg
        data = add_comment(encode(source.read_whole()), comment)
        return _scene_content(data, f"image/{kind}", query, glyphs, name)

    def _scene_source(self, query: SceneQuery, glyphs: GlyphSet) -> TileSource:
        key = (query.ref, glyphs.checksum, query.view, query.pyramid_filter)
        return self._sources.get_or_make(key, lambda: self._make_scene_source(query, glyphs))

    def _make_scene_source(self, query: SceneQuery, glyphs: GlyphSet) -> TileSource:
        if query.view not in MODEL_VIEWS:
            assert isinstance(query.ref, SceneRef)
            scene = query.ref.plan(glyphs)
            return scene_source(scene, glyphs, query.view, query.pyramid_filter)
        full = self._scene_source(replace(query, view="full", pyramid_filter="area"), glyphs)
        seen = reduce_for_model(full.read_whole(), MODEL_VIEWS[query.view])
        return ArraySource(seen, query.pyramid_filter)

    # -- files ------------------------------------------------------------------------

    def _make_file_reply(
        self, entry: FileEntry, query: FileQuery, match: re.Match[str], may_be_dear: bool
    ) -> TileReply:
        height, width = entry.height, entry.width
        if query.view in MODEL_VIEWS:
            height, width = model_size(height, width, MODEL_VIEWS[query.view])
        grid = PyramidGrid(height, width, query.tile_px, query.overlap_px)
        if match.re is FILE_PATH:
            data, media_type = dzi_xml(grid).encode(), DZI_TYPE
        else:
            address = tile_address(*match.groups()[1:])
            grid.tile_box(*address)  # a wrong address is told before anything is decoded
            if query.tones is None:
                self._refuse_dear(entry, (entry.id, query.view), self._sources, may_be_dear)
                source = self._file_source(entry, query.view)
            else:
                source = toned_source(self._value_levels(entry, may_be_dear), query.tones)
            data, media_type = read_tile(source, grid, address), "image/png"
        return content_reply(data, media_type, pin=entry.id, cache_control=IMMUTABLE)

    def _values_reply(self, path: str, entry: FileEntry, match: re.Match[str]) -> TileReply:
        """Return a block of the values that a file stores; see `umnist_core.pyramid.own_values`."""

        def make() -> TileReply:
            col = parse_whole("A block's column", match[2])
            row = parse_whole("A block's row", match[3])
            values = self._values.get_or_make(entry.id, lambda: OwnValues(entry.header))
            data = json.dumps({"values": values.read_block(col, row)}).encode()
            return content_reply(data, "application/json", pin=entry.id, cache_control=IMMUTABLE)

        return self._replies.get_or_make((path, "", ""), make)

    def _range_reply(self, path: str, query: str, entry: FileEntry, may_be_dear: bool) -> TileReply:
        """Return the range of a file's values; see `umnist_core.pyramid.tones.value_range`."""
        channel = parse_channel(query)

        def make() -> TileReply:
            found = value_range(self._value_levels(entry, may_be_dear), channel)
            data = json.dumps(found).encode()
            return content_reply(data, "application/json", pin=entry.id, cache_control=IMMUTABLE)

        return self._replies.get_or_make((path, query, ""), make)

    def _value_levels(self, entry: FileEntry, may_be_dear: bool) -> ValueLevels:
        self._refuse_dear(entry, entry.id, self._levels, may_be_dear)
        return self._levels.get_or_make(entry.id, lambda: ValueLevels(entry.header))

    def _refuse_dear(
        self, entry: FileEntry, key: Any, opened: SharedCache[Any, Any], may_be_dear: bool
    ) -> None:
        """Raise if a large file would be decoded, and nobody had said that it may."""
        is_large = entry.height * entry.width > DEAR_FILE_PX
        if is_large and not may_be_dear and opened.find(key) is None:
            raise DearError

    def _file_source(self, entry: FileEntry, view: str) -> TileSource:
        def make() -> TileSource:
            if view not in MODEL_VIEWS:
                return open_source(entry.header)
            full = self._file_source(entry, "full")
            return ArraySource(seen_by_model(full, MODEL_VIEWS[view]))

        return self._sources.get_or_make((entry.id, view), make)


def check_pin(pin: str | None, glyphs: GlyphSet) -> None:
    """Refuse an address whose pixels would be others here.

    Raises
    ------
    GlyphMismatchError
        If it names other digits, or another version of the renderer.
    """
    if pin not in (None, pixel_pin(glyphs)):
        raise GlyphMismatchError(
            f"This address is of digits and renderer {pin}, and {glyphs.name} "
            f"({pixel_pin(glyphs)}) is in use here; open the sample again."
        )


def tile_address(level: str, col: str, row: str) -> tuple[int, int, int]:
    """Read the numbers of a tile's address.

    Raises
    ------
    InvalidValueError
        If one is no whole number.
    """
    return (
        parse_whole("A tile's level", level),
        parse_whole("A tile's column", col),
        parse_whole("A tile's row", row),
    )


def _view_size(view: str, height: int, width: int) -> tuple[int, int]:
    """Return (height, width) of a view without making it."""
    if view not in MODEL_VIEWS:
        return (height, width)
    _check_whole(height, width)
    return model_size(height, width, MODEL_VIEWS[view])


def _check_whole(height: int, width: int) -> None:
    if height * width > WHOLE_MAX_PX:
        raise TooLargeError(
            f"An image of {width} x {height} px is not made whole here (at most "
            f"{WHOLE_MAX_PX // 10**6} million px); write it with `umnist tiles export`."
        )


def _check_tiles(grid: PyramidGrid) -> None:
    counts = (grid.tile_counts(level) for level in range(grid.max_level + 1))
    tiles = sum(rows * cols for rows, cols in counts)
    if tiles > ZIP_MAX_TILES:
        raise TooLargeError(
            f"Expected a zip file of at most {ZIP_MAX_TILES} tiles, found one of {tiles}; make the "
            "tiles larger, or write it with `umnist tiles export`."
        )


def _scene_content(
    body: bytes, media_type: str, query: SceneQuery, glyphs: GlyphSet, file_name: str = ""
) -> TileReply:
    return content_reply(
        body,
        media_type,
        pin=pixel_pin(glyphs),
        cache_control=IMMUTABLE if query.pin else REVALIDATE,
        file_name=file_name,
    )


def _digit_reply(
    query: SceneQuery, ref: DigitRef, glyphs: GlyphSet, match: re.Match[str]
) -> TileReply:
    """Return a tile or a file of an image of MNIST Large Scale, which is drawn in a millisecond.

    A pin does not name the numbers by which it is drawn, so browsers ask whether it is the same.
    """
    if query.view != "full":
        raise InvalidValueError(
            f"An image of MNIST Large Scale has no parts; expected the view 'full', found "
            f"{query.view!r}."
        )
    source = ArraySource(ref.draw(), query.pyramid_filter)
    grid = PyramidGrid(source.height, source.width, query.tile_px, query.overlap_px)
    kind, name = match[1], ""
    if match.re is _SCENE_TILE:
        data, media_type = read_tile(source, grid, tile_address(*match.groups())), "image/png"
    elif kind == "dzi":
        data, media_type = dzi_xml(grid).encode(), DZI_TYPE
    else:
        name = f"{query.file_stem}.{kind}"
        data, media_type = _digit_file(query, ref, source, kind)
    pin = pixel_pin(glyphs)
    return content_reply(data, media_type, pin=pin, cache_control=REVALIDATE, file_name=name)


def _digit_file(
    query: SceneQuery, ref: DigitRef, source: ArraySource, kind: str
) -> tuple[bytes, str]:
    """Return a download of an image of MNIST Large Scale, and its type."""
    if kind == "json":
        known = {"label": ref.label, "scale": ref.scale, "side_px": ref.side_px}
        return json.dumps(ref.to_dict() | known).encode(), "application/json"
    if kind == "html":
        return _page(ref), HTML_TYPE
    comment = f"umnist {__version__}; {ref.described}"
    if kind == "zip":
        return _zip(source, query, comment), "application/zip"
    encode = encode_png if kind == "png" else encode_jpeg
    return add_comment(encode(source.read_whole()), comment), f"image/{kind}"


def _page(ref: AnyRef, layer: str = "full") -> bytes:
    if layer in MODEL_VIEWS:
        raise InvalidValueError(
            f"A page holds the image itself, or a layer of it; got the view {layer!r}, so choose "
            "another."
        )
    return make_page([generated_image(ref, layer)])


def _zip(source: TileSource, query: SceneQuery, comment: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="umnist-") as folder:
        (path,) = export_dzi(
            source,
            Path(folder) / f"{query.file_stem}.zip",
            as_zip=True,
            tile_px=query.tile_px,
            overlap_px=query.overlap_px,
            comment=comment,
        )
        return path.read_bytes()
