"""Which digits are used on this machine, and how they are loaded.

The folder named by ``UMNIST_DIGITS`` comes first and is then the only one looked at:
if it holds no MNIST, or damaged files, that is an error. Otherwise the user's data
folder is used, and where it holds no MNIST file at all, the bundled stand-in.
A loaded set is kept for the life of the process and loaded anew when its files change.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.digits.idx import read_idx, unpacked_md5
from umnist_core.digits.stand_in import load_stand_in
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.settings import Settings, load_settings

DATA_FOLDER = "mnist"
"""Folder of the user's data folder that MNIST is downloaded to."""


@dataclass(frozen=True)
class MnistFile:
    """One of MNIST's four files.

    Attributes
    ----------
    stem
        Its name up to ``-idx``.
    dimensions
        3 for images, 1 for labels.
    md5
        Of the unpacked original, in hex.
    """

    stem: str
    dimensions: int
    md5: str

    @property
    def name(self) -> str:
        """Its original name, without ``.gz``."""
        return f"{self.stem}-idx{self.dimensions}-ubyte"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by; the plain ones, which load faster, first."""
        dotted = f"{self.stem}.idx{self.dimensions}-ubyte"
        return (self.name, dotted, f"{self.name}.gz", f"{dotted}.gz")


MNIST_FILES: dict[str, tuple[MnistFile, MnistFile]] = {
    "train": (
        MnistFile("train-images", 3, "6bbc9ace898e44ae57da46a324031adb"),
        MnistFile("train-labels", 1, "a25bea736e30d166cdddb491f175f624"),
    ),
    "test": (
        MnistFile("t10k-images", 3, "2646ac647ad5339dbf082846283269ea"),
        MnistFile("t10k-labels", 1, "27ae3e4e09519cfbb04c329615203637"),
    ),
}
"""Images and labels of each subset."""


@dataclass(frozen=True)
class DigitsStatus:
    """Which digits are used on this machine.

    Attributes
    ----------
    kind
        ``"mnist"`` or ``"stand-in"``.
    folder
        Where the files are; None for the stand-in.
    train_count, test_count
        Digits in each subset, 0 where it is missing; the stand-in serves as both.
    is_official
        Whether every file, unpacked, has the checksum of the original.
    sentence
        All of this for people, without the folder.
    """

    kind: Literal["mnist", "stand-in"]
    folder: Path | None
    train_count: int
    test_count: int
    is_official: bool
    sentence: str


def load_glyphs(subset: str = "train", settings: Settings | None = None) -> GlyphSet:
    """Load the digits that scenes are made of.

    Parameters
    ----------
    subset
        ``"train"`` or ``"test"``; the stand-in has no subsets and serves as both.
    settings
        Where to look; the environment's when None.

    Returns
    -------
    The set ``"mnist-train"``, ``"mnist-test"`` or ``"stand-in"``; the same object each
    time while its files do not change. Threads that ask at once share one load.

    Raises
    ------
    InvalidValueError
        If ``subset`` is neither.
    MissingFileError
        If the folder in use lacks a file of the subset.
    DamagedFileError
        If a file is damaged, mislabelled, or does not go with its partner.
    """
    if subset not in MNIST_FILES:
        raise InvalidValueError(
            f"Expected the digits' subset 'train' or 'test', found {subset!r}; give one of them."
        )
    folder = find_mnist_folder(settings or load_settings())
    if folder is None:
        return _cache.load_stand_in()
    return _cache.load_subset(folder, subset).glyphs


def find_digits(settings: Settings | None = None) -> DigitsStatus:
    """Say which digits `load_glyphs` gives, and whether they are the original MNIST.

    Every file that is there is loaded and checked whole; asking again is cheap.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `load_glyphs` for each subset that is there.
    """
    folder = find_mnist_folder(settings or load_settings())
    if folder is None:
        count = len(_cache.load_stand_in())
        return DigitsStatus(
            kind="stand-in",
            folder=None,
            train_count=count,
            test_count=count,
            is_official=False,
            sentence="Stand-in digits: MNIST was not found on this machine. "
            "Run `umnist digits fetch` to get it.",
        )
    loaded = {
        subset: _cache.load_subset(folder, subset)
        for subset, files in MNIST_FILES.items()
        if _holds(folder, files)
    }
    counts = {subset: len(part.glyphs) for subset, part in loaded.items()}
    is_official = all(part.is_official for part in loaded.values())
    return DigitsStatus(
        kind="mnist",
        folder=folder,
        train_count=counts.get("train", 0),
        test_count=counts.get("test", 0),
        is_official=is_official,
        sentence=_sentence(counts, is_official),
    )


def find_mnist_folder(settings: Settings) -> Path | None:
    """Return the folder whose MNIST files are used; None where the stand-in is.

    Raises
    ------
    MissingFileError
        If ``UMNIST_DIGITS`` is set and there is no MNIST file in its folder.
    """
    chosen = settings.digits_dir
    base = settings.data_dir / DATA_FOLDER if chosen is None else chosen
    every_file = MNIST_FILES["train"] + MNIST_FILES["test"]
    for folder in (base, base / "MNIST" / "raw"):
        if _holds(folder, every_file):
            return folder.resolve()
    if chosen is None:
        return None
    raise MissingFileError(
        f"Expected MNIST's files (such as {every_file[0].name}.gz) in {chosen}, the folder that "
        f"UMNIST_DIGITS names, or in its MNIST/raw, found {_no_mnist(chosen)}; "
        "correct UMNIST_DIGITS or unset it."
    )


def find_file(folder: Path, file: MnistFile) -> Path | None:
    """Return where ``file`` is in ``folder`` under any of its names; None if it is not.

    Raises
    ------
    MissingFileError
        If the folder may not be looked into.
    """
    paths = (folder / name for name in file.names)
    try:
        return next((path for path in paths if path.is_file()), None)
    except OSError as error:
        raise MissingFileError(
            f"{folder}: expected a folder that can be read, found one that cannot "
            f"({error.strerror}); check its permissions."
        ) from error


def _no_mnist(folder: Path) -> str:
    if not folder.exists():
        return "no such folder"
    return "none of them" if folder.is_dir() else "a file"


def _holds(folder: Path, files: tuple[MnistFile, ...]) -> bool:
    return any(find_file(folder, file) is not None for file in files)


def _sentence(counts: dict[str, int], is_official: bool) -> str:
    parts = []
    for subset, word in (("train", "training"), ("test", "test")):
        count = counts.get(subset)
        parts.append(f"no {word} digits" if count is None else f"{count:,} {word} digits")
    what = " and ".join(parts)
    if is_official:
        return f"MNIST: {what}."
    return f"Not the original MNIST: {what}, from files with other checksums."


@dataclass(frozen=True)
class _Stamp:
    """A file as it was when it was looked at; another stamp means another content."""

    path: Path
    modified_ns: int
    size: int

    @classmethod
    def of(cls, path: Path) -> _Stamp:
        stat = path.stat()
        return cls(path.resolve(), stat.st_mtime_ns, stat.st_size)


@dataclass(frozen=True, eq=False)
class _LoadedSubset:
    """A subset of MNIST and the files it was read from."""

    subset: str
    stamps: tuple[_Stamp, _Stamp]
    glyphs: GlyphSet

    @cached_property
    def is_official(self) -> bool:
        """Whether both files are the originals; hashed only when it is asked for."""
        images, labels = MNIST_FILES[self.subset]
        return (
            unpacked_md5(self.glyphs.images) == images.md5
            and unpacked_md5(self.glyphs.labels) == labels.md5
        )


class _Cache:
    """Every glyph set loaded in this process.

    One lock is held while loading, so that threads asking for the same set share the
    load; one asking for another set waits well under a second.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stand_in: GlyphSet | None = None
        self._subsets: dict[tuple[Path, str], _LoadedSubset] = {}

    def load_stand_in(self) -> GlyphSet:
        """Return the stand-in, read once."""
        with self._lock:
            if self._stand_in is None:
                self._stand_in = load_stand_in()
            return self._stand_in

    def load_subset(self, folder: Path, subset: str) -> _LoadedSubset:
        """Return a subset, read again only when one of its files has changed."""
        with self._lock:
            images, labels = (_get_file(folder, file) for file in MNIST_FILES[subset])
            stamps = (_Stamp.of(images), _Stamp.of(labels))
            loaded = self._subsets.get((folder, subset))
            if loaded is None or loaded.stamps != stamps:
                loaded = _LoadedSubset(subset, stamps, _load_pair(subset, images, labels))
                self._subsets[folder, subset] = loaded
            return loaded


_cache = _Cache()


def _get_file(folder: Path, file: MnistFile) -> Path:
    path = find_file(folder, file)
    if path is None:
        raise MissingFileError(
            f"Expected {file.name} or {file.name}.gz beside MNIST's other files in {folder}, "
            "found neither; put it there (`umnist digits fetch` downloads MNIST)."
        )
    return path


def _load_pair(subset: str, images_path: Path, labels_path: Path) -> GlyphSet:
    images, labels = read_idx(images_path), read_idx(labels_path)
    _check_images(images_path, images)
    _check_labels(labels_path, labels)
    if len(images) != len(labels):
        raise DamagedFileError(
            f"{labels_path}: expected {len(images):,} labels, one for each image in "
            f"{images_path.name}, found {len(labels):,}; replace both files with one set's."
        )
    return GlyphSet(f"mnist-{subset}", images, labels)


def _check_images(path: Path, images: NDArray[np.uint8]) -> None:
    if images.ndim != 3 or images.shape[1:] != (GLYPH_PX, GLYPH_PX):
        found = f"{images.shape[1]} x {images.shape[2]} px" if images.ndim == 3 else "no images"
        raise DamagedFileError(
            f"{path}: expected images of {GLYPH_PX} x {GLYPH_PX} px, found {found} "
            f"(dimensions {images.shape}); replace it with MNIST's file of that name."
        )


def _check_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    if labels.ndim != 1:
        raise DamagedFileError(
            f"{path}: expected labels in one dimension, found dimensions {labels.shape}; "
            "replace it with MNIST's file of that name."
        )
    if labels.max() > 9:
        raise DamagedFileError(
            f"{path}: expected labels 0 to 9, found {labels.max()} at index {labels.argmax()}; "
            "replace it with MNIST's file of that name."
        )
