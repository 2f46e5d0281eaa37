"""Tiles of what a study shows: its frozen images and the sheet of all digits.

Tiles are kept by file and not by person, so people who are shown the same image share
them; who may ask for which image is checked before a tile is looked up. Nothing but
pixels is sent: no name of a file, no entity tag, no text inside the PNG.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits import GLYPH_PX, GlyphSet, load_glyphs
from umnist_core.errors import GlyphMismatchError, RefusedError, UmnistError
from umnist_core.giving_up import go_on
from umnist_core.labeling.service import StudyService
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource, read_tile
from umnist_core.pyramid.cache import SharedCache
from umnist_core.pyramid.files import file_source
from umnist_core.server.labeling.sessions import Session
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings, load_settings

SHEET_KEY = "digits"
"""Names the guide's sheet in addresses, where the keys of images stand otherwise."""

GUIDED = "guided"

WARM_TILES = 128
"""Tiles of an image that are made before anybody asks; one of 4000 x 4000 px has 93."""

_WARMING_MAX = 200
_GRANT_S = 60.0
"""How long it is believed that an image is a person's; a link that is ended ends then."""

_GRANTS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image that may be shown: path of its file (empty for the sheet), and pyramid filter."""

    path: str
    pyramid_filter: str


TileAddress = tuple[int, int, int]
"""Level, column, row."""


class LabelTiles:
    """Makes and keeps tiles; safe to call from many threads.

    Parameters
    ----------
    service
        Says which images are whose, and where they lie.
    settings
        ``tile_cache_mib`` bounds this cache too, which is apart from that of the viewer's
        tiles; limits for files.
    glyphs
        Returns the digits of the guide's sheet.
    """

    def __init__(
        self,
        service: StudyService,
        settings: Settings | None = None,
        glyphs: Callable[[], GlyphSet] = load_glyphs,
    ) -> None:
        self._service = service
        self._settings = settings or load_settings()
        self._glyphs = glyphs
        cache_bytes = self._settings.tile_cache_mib * 2**20
        # Once an image's tiles are made its pixels are not needed again, so most room is theirs.
        self._sources: SharedCache[ImageRef, TileSource] = SharedCache(
            cache_bytes // 4, lambda source: source.held_bytes
        )
        self._tiles: SharedCache[tuple[ImageRef, TileAddress], bytes] = SharedCache(
            cache_bytes * 3 // 4, lambda tile: len(tile) + 500
        )
        self._grants = _Grants()
        self._warming: set[ImageRef] = set()
        self._lock = threading.Lock()
        # At the priority of the others: somebody may wait for the very image that is being opened
        # here, and on a busy machine a thread that stands back would keep everybody waiting.
        self._warmer = Threads("umnist-label-warm", 1)

    def find(self, session: Session, key: str, address: TileAddress) -> bytes | None:
        """Return a tile if it is held and the person is known to have it; takes microseconds."""
        ref = self._grants.find(session, key)
        return None if ref is None else self._tiles.find((ref, address))

    def tile(self, session: Session, key: str, address: TileAddress) -> bytes:
        """Return a tile as PNG, making it if it is not held.

        Raises
        ------
        RefusedError
            If the image is not the person's, or the person is no longer in the study.
        NotFoundError
            If there is no such study or tile.
        UmnistError
            If the frozen file is gone or damaged.
        """
        ref = self._ref(session, key)
        return self._tile(ref, self._source(ref), address)

    def grid(self, session: Session, key: str) -> PyramidGrid:
        """Return the pyramid of an image; errors as for `tile`."""
        source = self._source(self._ref(session, key))
        return PyramidGrid(source.height, source.width)

    def sheet_size(self) -> tuple[int, int]:
        """Return (height, width) of the guide's sheet, px.

        Raises
        ------
        UmnistError
            If there are no digits.
        """
        rows, cols = _sheet_shape(self._digits())
        return rows * GLYPH_PX, cols * GLYPH_PX

    @property
    def is_warming(self) -> bool:
        """Whether tiles are being made that nobody has asked for yet."""
        with self._lock:
            return bool(self._warming)

    def warm(self, session: Session, keys: list[str]) -> None:
        """Make the first tiles of images in the background, in this order, when there is time.

        What goes wrong here is told when the tile itself is asked for.
        """
        for key in keys:
            with contextlib.suppress(UmnistError):
                self._warm_later(self._ref(session, key))

    def _warm_later(self, ref: ImageRef) -> None:
        with self._lock:
            is_known = ref in self._warming or self._tiles.find((ref, (0, 0, 0))) is not None
            if is_known or len(self._warming) >= _WARMING_MAX:
                return
            self._warming.add(ref)
        self._warmer.start(self._warm, ref)

    def _ref(self, session: Session, key: str) -> ImageRef:
        ref = self._grants.find(session, key)
        if ref is None:
            ref = self._ask(session, key)
            self._grants.keep(session, key, ref)
        return ref

    def _ask(self, session: Session, key: str) -> ImageRef:
        study, annotator = session.study, session.annotator
        if key == SHEET_KEY:
            view = self._service.annotator_view(study, annotator, reserve=False)
            if view.pool != GUIDED:
                raise RefusedError("This image is not one of yours; reload the page.", "not_yours")
            self._check_glyphs(study)
            return ImageRef("", "area")
        path = self._service.image_file(study, annotator, key)
        return ImageRef(str(path), self._service.state(study).spec.pyramid_filter)

    def _check_glyphs(self, study: str) -> None:
        """Refuse to show digits as the study's that are not."""
        state = self._service.state(study)
        is_generated = state.spec.folder is None
        if is_generated and state.glyphs.get("checksum") != self._digits().checksum:
            mismatch = GlyphMismatchError(
                f"Expected the digits that study {study} was made of ({state.glyphs.get('name')}), "
                f"found {self._digits().name}; set UMNIST_DIGITS to their folder."
            )
            raise trouble(mismatch)

    def _digits(self) -> GlyphSet:
        try:
            return self._glyphs()
        except UmnistError as error:
            raise trouble(error) from error

    def _source(self, ref: ImageRef) -> TileSource:
        return self._sources.get_or_make(ref, lambda: self._open(ref))

    def _open(self, ref: ImageRef) -> TileSource:
        if not ref.path:
            return ArraySource(glyph_sheet(self._digits()))
        try:
            source = file_source(Path(ref.path), self._settings, frozen=True)
            if ref.pyramid_filter == "area":
                return source
            return ArraySource(source.read_whole(), ref.pyramid_filter)
        except UmnistError as error:
            raise trouble(error) from error

    def _tile(self, ref: ImageRef, source: TileSource, address: TileAddress) -> bytes:
        def make() -> bytes:
            return read_tile(source, PyramidGrid(source.height, source.width), address)

        return self._tiles.get_or_make((ref, address), make)

    def _warm(self, ref: ImageRef) -> None:
        # Nobody waits for this: where it fails, that is told when the tile itself is asked for.
        with contextlib.suppress(Exception):
            source = self._source(ref)
            for address in _coarse_addresses(PyramidGrid(source.height, source.width)):
                go_on()
                self._tile(ref, source, address)
        with self._lock:
            self._warming.discard(ref)


def trouble(error: UmnistError) -> UmnistError:
    """Return an error of the server's own files as one that no asker is at fault for.

    A limit or a setting that is wrong here is neither too large nor invalid over there, and its
    sentence names paths: it goes into the log alone.
    """
    return UmnistError(str(error))


def glyph_sheet(glyphs: GlyphSet) -> NDArray[np.uint8]:
    """Return all glyphs of a set as one image, each column of one class and the classes in turn.

    So any part that is ten columns wide shows every class.

    Returns
    -------
    ndarray
        uint8 (rows * 28, columns * 28), white on black; MNIST's 60,000 glyphs give 225 rows of
        300. Places that are left over at the foot of a column are black.
    """
    rows, cols = _sheet_shape(glyphs)
    cells = np.zeros((rows, cols, GLYPH_PX, GLYPH_PX), np.uint8)
    classes = np.unique(glyphs.labels)
    for place, label in enumerate(classes):
        own = glyphs.images[glyphs.labels == label]
        block = np.zeros((rows * cols // len(classes), GLYPH_PX, GLYPH_PX), np.uint8)
        block[: len(own)] = own
        cells[:, place :: len(classes)] = block.reshape(rows, -1, GLYPH_PX, GLYPH_PX)
    return np.ascontiguousarray(cells.swapaxes(1, 2)).reshape(rows * GLYPH_PX, cols * GLYPH_PX)


def _sheet_shape(glyphs: GlyphSet) -> tuple[int, int]:
    """Return (rows, columns) of a sheet about half as wide again as it is tall."""
    counts = np.unique(glyphs.labels, return_counts=True)[1]
    columns = max(1, round((1.5 * len(glyphs)) ** 0.5 / len(counts)))  # of each class
    return -(-int(counts.max()) // columns), columns * len(counts)


def _coarse_addresses(grid: PyramidGrid) -> Iterator[TileAddress]:
    """Yield the tiles of an image from the coarsest level on, whole levels only."""
    left = WARM_TILES
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        left -= rows * cols
        if left < 0:
            return
        yield from ((level, col, row) for row in range(rows) for col in range(cols))


class _Grants:
    """Which image is whose, remembered for a minute so that a tile need not ask the store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Session, str], tuple[float, ImageRef]] = OrderedDict()

    def find(self, session: Session, key: str) -> ImageRef | None:
        with self._lock:
            found = self._held.get((session, key))
        if found is None or time.monotonic() - found[0] > _GRANT_S:
            return None
        return found[1]

    def keep(self, session: Session, key: str, ref: ImageRef) -> None:
        with self._lock:
            self._held[session, key] = (time.monotonic(), ref)
            self._held.move_to_end((session, key))
            if len(self._held) > _GRANTS_MAX:
                self._held.popitem(last=False)
