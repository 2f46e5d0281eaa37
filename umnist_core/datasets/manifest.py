"""``dataset.json``: what a folder of ours holds, so that nothing else is mixed into it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from umnist_core import __version__
from umnist_core.datasets.recipe import LAYOUTS, MAX_COUNT, Recipe
from umnist_core.digits import GlyphSet
from umnist_core.errors import ConflictError, DamagedFileError
from umnist_core.parsing import parse_json
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.rendering import RENDERER_VERSION
from umnist_core.seeds import SPLITS

MANIFEST = "dataset.json"
FORMAT_VERSION = 1
_MAX_SEED = 2**63 - 1
"""Of data sets made before `umnist_core.seeds.MAX_SEED` was the limit."""

_MAX_BYTES = 2**20


@dataclass(frozen=True)
class SplitRecord:
    """One split of a data set.

    Attributes
    ----------
    count
        Images that it has when it is finished.
    command
        What makes it, with ``OUT`` for the folder.
    glyph_set, glyph_checksum
        Name and sha256 of its digits.
    stand_in
        Whether those are the bundled stand-in and not MNIST.
    """

    count: int
    command: str
    glyph_set: str
    glyph_checksum: str
    stand_in: bool


@dataclass(frozen=True)
class Manifest:
    """Everything that the bytes of a data set follow from.

    Attributes
    ----------
    layout, image, preset, seed
        As in `Recipe`.
    parameters
        Every parameter in its text form.
    splits
        Name to record; both splits may lie in one folder.
    umnist, renderer, encoder
        Versions of what made it.
    """

    layout: str
    image: str
    preset: str
    seed: int
    parameters: Mapping[str, str]
    splits: Mapping[str, SplitRecord]
    umnist: str
    renderer: int
    encoder: str

    @classmethod
    def of(cls, recipe: Recipe, glyphs: GlyphSet) -> Manifest:
        """Return the manifest of a data set with this one split."""
        record = SplitRecord(
            recipe.count, recipe.command, glyphs.name, glyphs.checksum, glyphs.is_stand_in
        )
        return cls(
            layout=recipe.layout,
            image=recipe.image,
            preset=recipe.preset,
            seed=recipe.seed,
            parameters=recipe.parameters,
            splits={recipe.split: record},
            umnist=__version__,
            renderer=RENDERER_VERSION,
            encoder=encoder_version(recipe.image),
        )

    def merged(self, there: Manifest, folder: Path) -> Manifest:
        """Return the manifest of a folder that holds ``there`` when this is written to it.

        Raises
        ------
        ConflictError
            If the two are not parts of one data set; the message names a difference. Also if this
            one has fewer images of a split: a data set grows, and never shrinks.
        """
        here, others = asdict(self), asdict(there)
        for name in (field for field in here if field not in ("parameters", "splits")):
            _refuse_difference(folder, name, others[name], here[name])
        for name in {**others["parameters"], **here["parameters"]}:
            values = (data["parameters"].get(name) for data in (others, here))
            _refuse_difference(folder, name, *values)
        for split in set(others["splits"]) & set(here["splits"]):
            values = (data["splits"][split]["glyph_checksum"] for data in (others, here))
            _refuse_difference(folder, f"glyph_checksum of {split}", *values)
            _refuse_fewer(folder, split, there.splits[split].count, self.splits[split].count)
        both = {**there.splits, **self.splits}
        return replace(self, splits={name: both[name] for name in SPLITS if name in both})

    def to_json(self) -> str:
        """Return the text of ``dataset.json``."""
        return json.dumps({"format_version": FORMAT_VERSION, **asdict(self)}, indent=2) + "\n"


def encoder_version(image: str) -> str:
    """Return what encodes images of a type; another version may give other bytes."""
    if image == "png":
        return f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
    return f"OpenCV {cv2.__version__}"


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None where there is none.

    Raises
    ------
    DamagedFileError
        If it is no manifest, or of a later version than this program knows.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        data: dict[str, Any] = parse_json(path.read_bytes())
        version = data.pop("format_version")
        if version > FORMAT_VERSION:
            raise DamagedFileError(
                f"{path}: expected format version {FORMAT_VERSION} or earlier, found {version}; "
                "update umnist to read it."
            )
        splits = {name: SplitRecord(**record) for name, record in data.pop("splits").items()}
        manifest = Manifest(**data, splits=splits)
        _check(manifest)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, DamagedFileError):
            raise
        raise DamagedFileError(
            f"{path}: expected the JSON that `umnist generate` writes, found something else "
            f"({error}); restore the file, or make the data set anew in another folder."
        ) from error
    return manifest


def _check(manifest: Manifest) -> None:
    """Raise ValueError where a value is none that `umnist generate` writes."""
    counts = [record.count for record in manifest.splits.values()]
    if not (
        manifest.layout in LAYOUTS
        and manifest.image in IMAGE_TYPES
        and type(manifest.seed) is int
        and 0 <= manifest.seed <= _MAX_SEED
        and counts
        and set(manifest.splits) <= set(SPLITS)
        and all(type(count) is int and 1 <= count <= MAX_COUNT for count in counts)
    ):
        shown = f"{manifest.layout!r:.40}, {manifest.image!r:.40}, {manifest.seed!r:.40}"
        raise ValueError(f"format, image and seed {shown}, counts {counts!r:.40}")


def _refuse_difference(folder: Path, name: str, there: Any, here: Any) -> None:
    if there != here:
        raise ConflictError(
            f"{folder} holds another data set ({name} is {_short(there)} there and {_short(here)} "
            "here); nothing was changed. Choose another folder, or the same settings to go on."
        )


def _refuse_fewer(folder: Path, split: str, there: int, here: int) -> None:
    if here < there:
        raise ConflictError(
            f"{folder} holds {there} images of {split}, more than the {here} asked for; nothing "
            f"was changed. A data set grows and never shrinks: ask for {there} or more, or choose "
            "another folder."
        )


def _short(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
