"""The work of one process: plan a run of images, draw those that are missing, write them.

Whatever is sent to a worker is small: the recipe, the folder, and the checksum of the
glyphs, which each process loads once for itself.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from umnist_core import __version__
from umnist_core.datasets.annotations import voc_xml
from umnist_core.datasets.ends import file_checksum, image_ends
from umnist_core.datasets.manifest import encoder_version
from umnist_core.datasets.recipe import Recipe
from umnist_core.datasets.reduced_copies import fill_copies
from umnist_core.datasets.shards import shard_checksums, shard_path, write_shard
from umnist_core.datasets.staging import Staging
from umnist_core.datasets.truth import truth_row, truth_schema
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError, WriteError
from umnist_core.pyramid.comment import scene_comment
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.rendering import render
from umnist_core.scenes import Scene

if TYPE_CHECKING:
    import pyarrow as pa


OWNER_CHECK_S = 0.5
"""How long a worker may outlive the process that started it, in seconds."""


@dataclass(frozen=True)
class Order:
    """What every unit of work of a run has in common.

    Attributes
    ----------
    recipe
        What to make.
    root
        Where; an absolute path that every worker sees.
    glyph_checksum
        Of the glyphs that the run began with.
    versions
        Of the program and the encoder that the run began with.
    goes_on
        Whether the run goes on from one that noted the checksum of all that it made.
    sides_px
        Longer sides of reduced copies that are made of each image.
    """

    recipe: Recipe
    root: Path
    glyph_checksum: str
    versions: tuple[str, str]
    goes_on: bool = False
    sides_px: tuple[int, ...] = ()


@dataclass(frozen=True)
class BatchResult:
    """The truth of a run of images, and how many of them had to be drawn."""

    rows: pa.Table
    drawn: int


@dataclass(frozen=True)
class PlannedImage:
    """A planned image.

    Attributes
    ----------
    image_id, scene, comment
        Its name, what is in it, and what its file says of itself.
    checksum
        SHA-256 of its file, in hex, where it was written before; None where that is not known.
    """

    image_id: str
    scene: Scene
    comment: str
    checksum: str | None = None


def versions(recipe: Recipe) -> tuple[str, str]:
    """Return what the bytes of images depend on besides the recipe and the glyphs."""
    return (__version__, encoder_version(recipe.image))


def join_pool(owner_pid: int) -> None:
    """Make this process a worker of another: it leaves Ctrl-C to it, and ends when it ends.

    Without this, workers whose owner was killed would wait for work for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == owner_pid:
            time.sleep(OWNER_CHECK_S)
        # At once, even in the midst of a file: only its hidden copy is unfinished.
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def write_batch(
    order: Order, first: int, last: int, checksums: Sequence[str | None] = ()
) -> BatchResult:
    """Make the images ``first .. last - 1`` that are not there yet, and the truth of all.

    Parameters
    ----------
    order
        What all units of work have in common.
    first, last
        Indices.
    checksums
        Of the first of these images, where a run was finished before; of the others those are
        taken that were noted.

    Raises
    ------
    GlyphMismatchError, InvalidValueError
        If this worker has other digits or other versions than the process that sent the order.
    WriteError
        If a file cannot be written.
    PlacementError
        If the digits of an image cannot be placed.
    """
    import pyarrow as pa

    glyphs = _load_checked(order)
    staging = Staging(order.root, order.recipe.split)
    if not staging.folder.is_dir():
        raise WriteError(
            f"Expected the folder {order.root} on this worker, found it gone; every worker must "
            "see the folder under the same path."
        )
    recipe = order.recipe
    images = [_plan(recipe, index, glyphs) for index in range(first, last)]
    noted = staging.read_checksums(first, [one.image_id for one in images])
    known = [*checksums, *noted[len(checksums) :]]
    images = [replace(one, checksum=sha) for one, sha in zip(images, known, strict=True)]
    with one_thread():
        if recipe.layout == "webdataset":
            found, drawn = _fill_shard(order, staging, first, images, glyphs)
        else:
            both = [_fill_files(order, staging, image, glyphs) for image in images]
            found, drawn = [sha for sha, _ in both], sum(is_new for _, is_new in both)
    staging.write_checksums(
        first, {one.image_id: sha for one, sha in zip(images, found, strict=True)}
    )
    rows = [
        truth_row(image.image_id, image.scene, sha)
        for image, sha in zip(images, found, strict=True)
    ]
    return BatchResult(pa.Table.from_pylist(rows, truth_schema()), drawn)


def encode_image(recipe: Recipe, image: PlannedImage, glyphs: GlyphSet) -> bytes:
    """Draw a planned image and return its file."""
    return IMAGE_TYPES[recipe.image].encode(render(image.scene, glyphs), image.comment)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: as many processes as cores share the work already."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _load_checked(order: Order) -> GlyphSet:
    glyphs = load_glyphs(order.recipe.digits_subset)
    if glyphs.checksum != order.glyph_checksum:
        raise GlyphMismatchError(
            f"This run began with glyph set {order.glyph_checksum[:12]}..., found {glyphs.name} "
            f"({glyphs.checksum[:12]}...) on a worker; give every worker the same digits (see "
            "`umnist digits status`)."
        )
    if versions(order.recipe) != order.versions:
        raise InvalidValueError(
            f"This run began with umnist {' and '.join(order.versions)}, found umnist "
            f"{' and '.join(versions(order.recipe))} on a worker; install the same on every worker."
        )
    return glyphs


def _plan(recipe: Recipe, index: int, glyphs: GlyphSet) -> PlannedImage:
    scene = recipe.plan(index, glyphs)
    return PlannedImage(recipe.image_id(index), scene, scene_comment(scene, __version__))


def _fill_files(
    order: Order, staging: Staging, image: PlannedImage, glyphs: GlyphSet
) -> tuple[str, bool]:
    """Write what is missing of one image; return its checksum and whether it had to be drawn."""
    recipe = order.recipe
    path = staging.root / recipe.split / f"{image.image_id}.{recipe.suffix}"
    if recipe.layout == "voc":
        _fill_xml(staging, path, image)
    there = file_checksum(path, image_ends(recipe.image, image.comment))
    if there is not None and _is_known(order, image, there):
        fill_copies(order, staging, path)
        return there, False
    data = encode_image(recipe, image, glyphs)
    staging.write(path, data)
    fill_copies(order, staging, path, data)
    return hashlib.sha256(data).hexdigest(), True


def _is_known(order: Order, image: PlannedImage, checksum: str) -> bool:
    """Return whether a whole file is the one that was written, as far as that can be told."""
    return checksum == image.checksum or (image.checksum is None and not order.goes_on)


def _fill_xml(staging: Staging, image_path: Path, image: PlannedImage) -> None:
    path = image_path.with_suffix(".xml")
    data = voc_xml(image.scene, image_path.name, image_path.parent.name).encode()
    if file_checksum(path, (0, data, b"")) != hashlib.sha256(data).hexdigest():
        staging.write(path, data)


def _fill_shard(
    order: Order, staging: Staging, first: int, images: list[PlannedImage], glyphs: GlyphSet
) -> tuple[list[str], int]:
    """Write one shard unless it is whole.

    Returns the checksum of each image, and how many had to be drawn.
    """
    recipe = order.recipe
    path = shard_path(staging.root, recipe.split, first // recipe.shard_count)
    expected = [
        (image.image_id, image_ends(recipe.image, image.comment), image.scene) for image in images
    ]
    there = shard_checksums(path, recipe.suffix, expected)
    if there and all(_is_known(order, *both) for both in zip(images, there, strict=True)):
        return there, 0
    made: list[str] = []

    def members() -> Iterator[tuple[str, bytes, Scene]]:
        for image in images:
            data = encode_image(recipe, image, glyphs)
            made.append(hashlib.sha256(data).hexdigest())
            yield image.image_id, data, image.scene

    with staging.new_file(path) as temporary:
        write_shard(temporary, recipe.suffix, members())
    return made, len(images)
