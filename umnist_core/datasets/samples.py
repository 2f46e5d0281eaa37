"""The work of one process: plan a run of images, draw those that are missing, write them.

Whatever is sent to a worker is small: the recipe, the folder, and the checksum of the
glyphs, which each process loads once for itself.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from umnist_core import __version__
from umnist_core.datasets.annotations import VOC_END, voc_xml
from umnist_core.datasets.ends import image_ends, is_whole_file
from umnist_core.datasets.manifest import encoder_version
from umnist_core.datasets.recipe import Recipe
from umnist_core.datasets.shards import is_whole_shard, shard_path, write_shard
from umnist_core.datasets.staging import Staging
from umnist_core.datasets.truth import truth_row, truth_schema
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError, WriteError
from umnist_core.pyramid.comment import add_comment, scene_comment
from umnist_core.pyramid.encode import encode_jpeg, encode_png
from umnist_core.rendering import render
from umnist_core.scenes import Scene

if TYPE_CHECKING:
    import pyarrow as pa


OWNER_CHECK_S = 0.5
"""How long a worker may outlive the process that started it, in seconds."""


@dataclass(frozen=True)
class Task:
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
    """

    recipe: Recipe
    root: Path
    glyph_checksum: str
    versions: tuple[str, str]


@dataclass(frozen=True)
class BatchResult:
    """The truth of a run of images, and how many of them had to be drawn."""

    rows: pa.Table
    drawn: int


@dataclass(frozen=True)
class Sample:
    """A planned image."""

    image_id: str
    scene: Scene
    comment: str


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


def write_batch(task: Task, first: int, last: int) -> BatchResult:
    """Make the images ``first .. last - 1`` that are not there yet, and the truth of all.

    Raises
    ------
    GlyphMismatchError, InvalidValueError
        If this worker has other digits or other versions than the process that sent the task.
    WriteError
        If a file cannot be written.
    PlacementError
        If the digits of an image cannot be placed.
    """
    import pyarrow as pa

    glyphs = _load_checked(task)
    staging = Staging(task.root, task.recipe.split)
    if not staging.folder.is_dir():
        raise WriteError(
            f"Expected the folder {task.root} on this worker, found it gone; every worker must "
            "see the folder under the same path."
        )
    recipe = task.recipe
    samples = [_plan(recipe, index, glyphs) for index in range(first, last)]
    with one_thread():
        if recipe.layout == "webdataset":
            drawn = _fill_shard(recipe, staging, first, samples, glyphs)
        else:
            drawn = sum(_fill_files(recipe, staging, sample, glyphs) for sample in samples)
    rows = [truth_row(sample.image_id, sample.scene) for sample in samples]
    return BatchResult(pa.Table.from_pylist(rows, truth_schema()), drawn)


def encode_sample(recipe: Recipe, sample: Sample, glyphs: GlyphSet) -> bytes:
    """Draw a planned image and return its file."""
    image = render(sample.scene, glyphs)
    data = encode_png(image) if recipe.image == "png" else encode_jpeg(image)
    return add_comment(data, sample.comment)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: as many processes as cores share the work already."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _load_checked(task: Task) -> GlyphSet:
    glyphs = load_glyphs(task.recipe.digits_subset)
    if glyphs.checksum != task.glyph_checksum:
        raise GlyphMismatchError(
            f"This run began with glyph set {task.glyph_checksum[:12]}..., found {glyphs.name} "
            f"({glyphs.checksum[:12]}...) on a worker; give every worker the same digits (see "
            "`umnist digits status`)."
        )
    if versions(task.recipe) != task.versions:
        raise InvalidValueError(
            f"This run began with umnist {' and '.join(task.versions)}, found umnist "
            f"{' and '.join(versions(task.recipe))} on a worker; install the same on every worker."
        )
    return glyphs


def _plan(recipe: Recipe, index: int, glyphs: GlyphSet) -> Sample:
    scene = recipe.plan(index, glyphs)
    return Sample(recipe.image_id(index), scene, scene_comment(scene, __version__))


def _fill_files(recipe: Recipe, staging: Staging, sample: Sample, glyphs: GlyphSet) -> bool:
    """Write what is missing of one image; return whether it had to be drawn."""
    path = staging.root / recipe.split / f"{sample.image_id}.{recipe.image}"
    if recipe.layout == "voc":
        _fill_xml(staging, path, sample)
    if is_whole_file(path, image_ends(recipe.image, sample.comment)):
        return False
    staging.write(path, encode_sample(recipe, sample, glyphs))
    return True


def _fill_xml(staging: Staging, image_path: Path, sample: Sample) -> None:
    path = image_path.with_suffix(".xml")
    data = voc_xml(sample.scene, image_path.name, image_path.parent.name).encode()
    if not is_whole_file(path, (0, data[: -len(VOC_END)], VOC_END)):
        staging.write(path, data)


def _fill_shard(
    recipe: Recipe, staging: Staging, first: int, samples: list[Sample], glyphs: GlyphSet
) -> int:
    """Write one shard unless it is whole; return how many images had to be drawn."""
    path = shard_path(staging.root, recipe.split, first // recipe.shard_count)
    expected = [
        (sample.image_id, image_ends(recipe.image, sample.comment), sample.scene)
        for sample in samples
    ]
    if is_whole_shard(path, recipe.image, expected):
        return 0
    members = (
        (sample.image_id, encode_sample(recipe, sample, glyphs), sample.scene) for sample in samples
    )
    with staging.new_file(path) as temporary:
        write_shard(temporary, recipe.image, members)
    return len(samples)
