"""Writing Needle MNIST in its original layout: a file for each image, a table for each split.

``args`` stands in the folder from the beginning, and says as JSON what the set is made from. A run
that finds images of its own there makes the others: each is whole, since a file gets its name when
it is, and follows from ``args`` alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.needle.image_file import ARGS_FILE, SUFFIX, write_image_file
from umnist_core.datasets.needle.table import COLUMNS
from umnist_core.datasets.read_me import READ_ME, needle_read_me
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import ConflictError, InvalidValueError, WriteError
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json
from umnist_core.paths import expand_home, is_debris, read_file
from umnist_core.rendering import RENDERER_VERSION, render
from umnist_core.scenes import PUBLISHED_DISTRACTORS, NeedleParameters, Scene, SceneRef
from umnist_core.scenes.needle import count_published
from umnist_core.scenes.needle_parameters import CELL_PX
from umnist_core.seeds import FOLDER_SPLITS, MAX_SEED
from umnist_core.spreadsheets import csv_text

PUBLISHED_SEED = 1234


@dataclass(frozen=True)
class NeedleReport:
    """What a run did.

    Attributes
    ----------
    folder
        Where the data set is.
    counts
        Images of each split.
    drawn
        How many of them were not there yet.
    """

    folder: Path
    counts: dict[str, int]
    drawn: int


def write_needle(
    folder: Path,
    *,
    canvas: int = 64,
    count: int | None = None,
    seed: int = PUBLISHED_SEED,
    progress: bool = False,
) -> NeedleReport:
    """Write the train, val and test split of a data set, or what is missing of them.

    Parameters
    ----------
    folder
        Where: a new or empty folder, or one that holds a part of the same data set.
    canvas
        One of the published sides, in px; distractors follow from it.
    count
        Images of each split, 1 or more; those of the published set when None, 22,552 to train
        with, and at most so many.
    seed
        0 or more.
    progress
        Whether to draw a bar on standard error, where that is a terminal.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed.
    ConflictError
        If the folder holds something else; it is left alone.
    WriteError
        If something cannot be written; the same call goes on from there.
    """
    _check(canvas, count, seed)
    folder = expand_home(folder).absolute()
    splits = {split: _Split.of(split, canvas, seed, count) for split in FOLDER_SPLITS}
    _claim(folder, _args(splits, canvas, seed))
    counts = {name: split.count for name, split in splits.items()}
    from tqdm import tqdm  # bare images of PyTorch lack it, and only read

    drawn = 0
    for name, split in splits.items():
        bar = tqdm(
            range(split.count), desc=f"{folder.name} {name}", disable=None if progress else True
        )
        rows = []
        for number in bar:
            path = folder / f"{name}_{number}{SUFFIX}"
            if not path.exists():
                scene = split.ref.at(number).plan(split.glyphs)
                write_image_file(path, render(scene, split.glyphs), patch_map_of(scene))
                drawn += 1
            rows.append((path.name, 1 - number % 2))  # they take turns, as scenes do
        write_whole(folder / f"{name}.csv", _table(rows))
    write_whole(folder / READ_ME, _read_me(splits, canvas, count, seed).encode())
    return NeedleReport(folder, counts, drawn)


def patch_map_of(scene: Scene) -> NDArray[np.float64]:
    """Return the patch map of a scene: 1 in the cell of 64 px that its needle lies in, else 0."""
    cells = np.zeros((scene.height // CELL_PX, scene.width // CELL_PX))
    for digit in scene.digits:
        cells[digit.row // CELL_PX, digit.col // CELL_PX] = 1
    return cells


@dataclass(frozen=True, eq=False)
class _Split:
    """The images of one split."""

    ref: SceneRef
    glyphs: GlyphSet
    count: int

    @classmethod
    def of(cls, split: str, canvas: int, seed: int, count: int | None) -> _Split:
        """Return a split: val is of the digits that the training set keeps back."""
        of_scenes = "test" if split == "test" else "train"
        part = "validation" if split == "val" else "training"
        glyphs = load_glyphs(of_scenes)
        published = count_published(glyphs, of_scenes, part)
        overrides = {"canvas": str(canvas), "digits_from": part}
        ref = SceneRef.of("needle", overrides, seed=seed, split=of_scenes)
        return cls(ref, glyphs, published if count is None else min(count, published))


def _check(canvas: int, count: int | None, seed: int) -> None:
    if canvas not in PUBLISHED_DISTRACTORS:
        sides = ", ".join(map(str, PUBLISHED_DISTRACTORS))
        raise InvalidValueError(f"canvas is one of {sides} px; got {canvas}.")
    if count is not None and count < 1:
        raise InvalidValueError(f"count is a whole number of 1 or more; got {count}.")
    if not 0 <= seed <= MAX_SEED:
        raise InvalidValueError(f"seed is a whole number from 0 to {MAX_SEED}; got {seed}.")


def _args(splits: dict[str, _Split], canvas: int, seed: int) -> dict[str, Any]:
    """Return what a set is made from; the first entries are options of the original command."""
    return {
        "type": "detection",
        "canvas": canvas,
        "distortion_num": NeedleParameters(canvas=canvas).noise_squares,
        "patch_size": CELL_PX,
        "seed": seed,
        "counts": {name: split.count for name, split in splits.items()},
        "digits": {name: split.glyphs.checksum for name, split in splits.items()},
        "renderer_version": RENDERER_VERSION,
    }


def _read_me(splits: dict[str, _Split], canvas: int, count: int | None, seed: int) -> str:
    """Return the text for people, with the command that makes the set."""
    command = f"umnist datasets write-needle OUT --canvas {canvas} --seed {seed}"
    command += "" if count is None else f" --count {count}"
    sets = ", ".join(f"{split.count} of {name}" for name, split in splits.items())
    is_stand_in = any(split.glyphs.is_stand_in for split in splits.values())
    return needle_read_me(sets, command, stand_in=is_stand_in)


def _claim(folder: Path, args: dict[str, Any]) -> None:
    """Make sure that a folder holds nothing else, and say in it what it will hold."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = [path.name for path in folder.iterdir() if not is_debris(path.name)]
    except OSError as error:
        raise WriteError(
            f"{folder} could not be made ({error.strerror or error}); choose another folder."
        ) from error
    if names and _read_args(folder / ARGS_FILE) != args:
        raise ConflictError(
            f"{folder} holds {len(names)} files that are not this data set's ({min(names)} ...); "
            "nothing was changed. Choose a new or an empty folder."
        )
    write_whole(folder / ARGS_FILE, (json.dumps(args, indent=2) + "\n").encode())


def _read_args(path: Path) -> Any:
    try:
        return parse_json(read_file(path))
    except (OSError, ValueError):
        return None


def _table(rows: list[tuple[str, int]]) -> bytes:
    return csv_text(COLUMNS, (dict(zip(COLUMNS, row, strict=True)) for row in rows)).encode()
