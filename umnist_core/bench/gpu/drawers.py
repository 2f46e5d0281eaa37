"""Images that a recipe learns from, drawn by processes ahead of when they are wanted, and kept.

A recipe sees the same images in every epoch, so each is drawn once. Nothing here needs torch, so
that processes that draw begin soon.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.recipe import Recipe
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.models.ips.patches import HeldPatches, LazyPatches, PatchGrid
from umnist_core.pyramid import reduce_for_model, scene_source
from umnist_core.pyramid.sources import PROGRESSIVE_PX
from umnist_core.scenes import MegapixelTasks, Scene

AT_ONCE = 8
"""Images of one errand of a process."""


@dataclass(frozen=True)
class DrawnImage:
    """An image as a model takes it, and what is in it.

    Attributes
    ----------
    pixels
        uint8 (512, 512), reduced; or the patches of an image of Megapixel MNIST.
    height, width
        Of the image before, px.
    total
        Sum of its digits.
    tasks
        Its labels, if it is of Megapixel MNIST.
    """

    pixels: NDArray[np.uint8] | HeldPatches
    height: int
    width: int
    total: int
    tasks: MegapixelTasks | None


@dataclass(frozen=True)
class DrawOrder:
    """What is drawn.

    Attributes
    ----------
    recipe
        Which scenes.
    patch_px
        Side of the patches that they are cut into; 0 to reduce them.
    """

    recipe: Recipe
    patch_px: int = 0


def draw(order: DrawOrder, places: Sequence[int]) -> list[DrawnImage]:
    """Draw images."""
    glyphs = load_glyphs(order.recipe.digits_subset)
    return [_draw(order, place, glyphs) for place in places]


def _draw(order: DrawOrder, place: int, glyphs: GlyphSet) -> DrawnImage:
    scene = order.recipe.plan(place, glyphs)
    source = scene_source(scene, glyphs)
    if order.patch_px:
        grid = PatchGrid(source.height, source.width, order.patch_px, order.patch_px)
        pixels: NDArray[np.uint8] | HeldPatches = HeldPatches(LazyPatches(source, grid, 1))
    else:
        # Smaller sizes are reduced from this one, as the paper does: one drawing serves them all.
        pixels = reduce_for_model(source.read_whole(), PROGRESSIVE_PX)
    return DrawnImage(pixels, source.height, source.width, *_truth(scene))


def _truth(scene: Scene) -> tuple[int, MegapixelTasks | None]:
    tasks = None if scene.strokes is None else scene.tasks
    total = sum(digit.label for digit in scene.digits)
    return total, tasks if isinstance(tasks, MegapixelTasks) else None


class DrawnImages:
    """Images by place, drawn once each.

    Parameters
    ----------
    order
        What is drawn.
    pool
        Who draws; None to draw when an image is wanted.
    """

    def __init__(self, order: DrawOrder, pool: ProcessPoolExecutor | None) -> None:
        self._order, self._pool = order, pool
        self._held: dict[int, DrawnImage] = {}
        self._asked: dict[int, Future[list[DrawnImage]]] = {}
        self.waited_s = 0.0
        """Time that `get` waited for images."""

    @property
    def count(self) -> int:
        """Images that are drawn."""
        return len(self._held)

    def ask_for(self, places: Sequence[int]) -> None:
        """Let images be drawn that are wanted soon."""
        missing = [one for one in places if one not in self._held and one not in self._asked]
        if self._pool is None:
            return
        for first in range(0, len(missing), AT_ONCE):
            errand = missing[first : first + AT_ONCE]
            future = self._pool.submit(draw, self._order, errand)
            self._asked |= dict.fromkeys(errand, future)

    def get(self, places: Sequence[int]) -> list[DrawnImage]:
        """Return images, waiting until they are drawn."""
        started = time.monotonic()
        self.ask_for(places)
        for place in places:
            if place in self._held:
                continue
            if self._pool is None:
                self._held[place] = draw(self._order, [place])[0]
            else:
                self._take(self._asked[place])
        self.waited_s += time.monotonic() - started
        return [self._held[place] for place in places]

    def _take(self, future: Future[list[DrawnImage]]) -> None:
        errand = [place for place, one in self._asked.items() if one is future]
        for place, image in zip(errand, future.result(), strict=True):
            self._held[place] = image
            del self._asked[place]

    def give_up(self) -> None:
        """Draw no more of what was asked for and not begun."""
        for future in set(self._asked.values()):
            future.cancel()
        self._asked.clear()


@contextlib.contextmanager
def drawing_pool(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """Give processes that draw; None where they cannot be started, or none are wanted."""
    if workers < 1:
        yield None
        return
    try:
        # Not forked, because a copy of a process that uses a GPU may hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    except (OSError, ImportError):  # no semaphores here
        yield None
        return
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    cv2.setNumThreads(0)
