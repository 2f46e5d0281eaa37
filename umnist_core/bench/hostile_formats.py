"""Every format that is read here: good files of it, and the reader that the app uses."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.datasets.needle import write_needle
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.recipe import LAYOUTS, Recipe
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.digits.idx import read_idx
from umnist_core.geometry import Box
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.export import export_study
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.pyramid.files import file_source
from umnist_core.pyramid.sources import TileSource
from umnist_core.scenes import MegapixelTasks, Scene, plan_scene

Files = Mapping[str, bytes]
"""Files of a folder, by their paths below it."""

_SMALL = {"canvas": "128", "factor": "0.5..2"}
_IMAGE_KINDS = {
    "png": ".png",
    "jpeg": ".jpg",
    "webp": ".webp",
    "tiff": ".tif",
    "pyramid": ".tif[tile,pyramid,compression=deflate]",
    "tiles": ".tif[tile,pyramid,compression=jpeg]",
}


def make_formats(folder: Path) -> dict[str, Files]:
    """Return good files of every format, by a name whose first word is one of `READERS`.

    ``folder`` is made, for what has to be written before it is read.
    """
    folder.mkdir(parents=True)
    found: dict[str, Files] = {
        f"image {kind}": {"image": _image(suffix)} for kind, suffix in _IMAGE_KINDS.items()
    }
    for layout in LAYOUTS:
        recipe = Recipe(3, overrides=_SMALL, layout=layout, image="png")
        write_dataset(recipe, folder / layout)
        found[f"dataset {layout}"] = _files_of(folder / layout)
    (folder / "megapixel").mkdir()
    tasks = MegapixelTasks(majority=1, max=3, top=1, multi=(1, 2, 3))
    write_megapixel_split(folder / "megapixel", "train", [(_pixels(), tasks)] * 2, {})
    write_needle(folder / "needle", count=2)
    scene = plan_scene("megapixel", glyphs=load_glyphs())
    found |= {
        "dataset megapixel": _files_of(folder / "megapixel"),
        "dataset needle": _files_of(folder / "needle"),
        "digits plain": {"images": _idx()},
        "digits packed": {"images": gzip.compress(_idx())},
        "scene JSON": {"scene.json": scene.to_json().encode()},
        "study zip": {"study.zip": _study(folder / "study")},
    }
    if find_spec("torch"):  # which training is for
        found["settings TOML"] = {"run.toml": _toml()}
    return found


def _pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (300, 200), dtype=np.uint8)


def _image(suffix: str) -> bytes:
    data: bytes = pyvips.Image.new_from_array(_pixels()).write_to_buffer(suffix)
    return data


def _idx() -> bytes:
    sides = b"".join(side.to_bytes(4, "big") for side in (2, 28, 28))
    return b"\0\0\x08\x03" + sides + bytes(2 * 28 * 28)


def _toml() -> bytes:
    from umnist_core.training.runs import find_configs

    return min(find_configs().values()).read_bytes()


def _study(folder: Path) -> bytes:
    folder.mkdir()
    service = StudyService(MemoryLog(), folder / "lab")
    spec = StudySpec(name="Good", overrides=_SMALL, stimuli=2, images_per_annotator=2, practice=1)
    study = create_study(service, spec, jobs=1)
    export_study(service, study, folder / "study.zip", with_images=True)
    return (folder / "study.zip").read_bytes()


def _files_of(folder: Path) -> Files:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _read_image(folder: Path) -> object:
    source: TileSource = file_source(folder / "image")
    return source.read_region(Box(0, 0, min(256, source.height), min(256, source.width)), 1)


def _read_dataset(folder: Path) -> object:
    dataset = open_dataset(folder)
    for image_id in dataset.ids:
        dataset.label(image_id)
        dataset.truth(image_id)
        dataset.read_image(image_id)
    return dataset


def _read_settings(folder: Path) -> object:
    from umnist_core.training.config import load_config

    return load_config(folder / "run.toml")


def _read_study(folder: Path) -> object:
    return import_study(StudyService(MemoryLog(), folder / "lab"), folder / "study.zip")


READERS: Mapping[str, Callable[[Path], object]] = {
    "image": _read_image,
    "dataset": _read_dataset,
    "digits": lambda folder: read_idx(folder / "images"),
    "scene": lambda folder: Scene.from_json((folder / "scene.json").read_text(errors="replace")),
    "settings": _read_settings,
    "study": _read_study,
}
"""Reads a folder as the app does; errors of ours are what it may raise."""
