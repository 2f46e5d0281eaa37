"""Opening a data set of any layout: which kind of reader a folder needs."""

from __future__ import annotations

from pathlib import Path

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.image_folder import open_image_folder
from umnist_core.datasets.large_scale.reader import find_large_scale, open_large_scale
from umnist_core.datasets.manifest import MANIFEST, Manifest, read_manifest
from umnist_core.datasets.megapixel_reader import is_megapixel, open_megapixel
from umnist_core.datasets.megapixel_sparse import PARAMETER_FILE
from umnist_core.datasets.meth import find_meth, open_meth
from umnist_core.datasets.needle import find_needle, open_needle
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.scan import IMAGE_SUFFIXES, iter_files
from umnist_core.datasets.shard_folder import ImagePart, find_shards, open_shards
from umnist_core.datasets.signs import find_signs, open_signs
from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.paths import expand_home, is_debris


def open_dataset(root: Path, *, damaged: list[str] | None = None) -> DatasetReader:
    """Open a data set of any layout: also that of Megapixel or Needle MNIST, signs and MetH.

    Parameters
    ----------
    root
        The folder, or the table of MetH or MAMe. Only the layout's own tables are read, and of
        pickles nothing is run.
    damaged
        Where to note shards, splits and rows that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no image in it.
    DamagedFileError
        If the manifest, a table of labels, a shard or a split is damaged.
    """
    root = expand_home(root)
    if is_megapixel(root):
        return open_megapixel(root, damaged)
    return open_system(root, damaged=damaged) or open_files(root, damaged=damaged)


def open_system(root: Path, *, damaged: list[str] | None = None) -> DatasetReader | None:
    """Open a data set of one of the other data systems, whose readers say more than a label.

    They are Needle MNIST, MNIST Large Scale, the Swedish traffic signs, MetH and MAMe.

    Parameters
    ----------
    root, damaged
        As for `open_dataset`.

    Returns
    -------
    DatasetReader or None
        None of what is none of these.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `open_dataset`.
    """
    if (root / MANIFEST).exists():
        return None
    if (needle := find_needle(root)) is not None:
        return open_needle(root, needle)
    if (large_scale := find_large_scale(root)) is not None:
        return open_large_scale(root, large_scale, damaged)
    if (signs := find_signs(root)) is not None:
        return open_signs(root, signs, damaged)
    if (meth := find_meth(root)) is not None:
        return open_meth(meth, damaged)
    return None


def open_files(root: Path, *, damaged: list[str] | None = None) -> FileReader:
    """Open a data set of image files: Kaggle's, one of ours in any layout, or any folder.

    Parameters
    ----------
    root
        The folder. Only the layout's own tables are read; nothing is unpickled.
    damaged
        Where to note shards that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no image in it.
    DamagedFileError
        If the manifest, a table of labels or a shard is damaged, or images lie both in files and
        in tar files.
    """
    root = expand_home(root)
    manifest = read_manifest(root)
    shards = find_shards(root)
    if shards and _is_webdataset(root, manifest):
        return _open_shards(root, manifest, shards, damaged)
    may_be_empty = damaged is not None and manifest is None
    try:
        folder = open_image_folder(root, empty=may_be_empty, damaged=damaged)
    except MissingFileError as error:
        raise _better_reason(root, manifest, error) from error
    reader = FileReader(
        root,
        folder.kind if manifest is None else manifest.layout,
        manifest,
        folder.identities,
        {name: ImagePart(path) for name, path in folder.paths.items()},
        folder.labels,
        folder.tasks,
        folder.annotations,
        missing=folder.missing,
        drawn=folder.drawn,
        first_px=folder.first_px,
    )
    _refuse_repeated(reader)
    return reader


def is_in_shards(root: Path) -> bool:
    """Return whether the images of a folder are in tar files.

    Raises
    ------
    DamagedFileError
        If the manifest is damaged.
    """
    return bool(find_shards(root)) and _is_webdataset(root, read_manifest(root))


def _is_webdataset(root: Path, manifest: Manifest | None) -> bool:
    """Return whether the images of a folder with tar files are in these.

    Of a data set that is not ours they are, where no image files lie beside them.
    """
    if manifest is not None:
        return manifest.layout == "webdataset"
    return next(iter_files(root, IMAGE_SUFFIXES), None) is None


def _open_shards(
    root: Path, manifest: Manifest | None, shards: list[Path], damaged: list[str] | None
) -> FileReader:
    found = open_shards(root, shards, damaged)
    reader = FileReader(
        root,
        "webdataset",
        manifest,
        found.identities,
        found.images,
        found.table.labels,
        found.table.tasks,
        classes=found.classes,
        missing=found.table.missing,
    )
    _refuse_repeated(reader)
    return reader


def _refuse_repeated(reader: FileReader) -> None:
    """Raise if two images of a data set of ours have one id in one split."""
    if reader.manifest is None:
        return
    places: dict[tuple[str | None, str], str] = {}
    for one in reader.identities.values():
        before = places.setdefault((one.split, one.stem), one.path)
        if before != one.path:
            raise DamagedFileError(
                f"Expected each id of {reader.root} once, found {one.stem} in {before} and in "
                f"{one.path}; remove the one that `umnist generate` did not write."
            )


def _better_reason(
    root: Path, manifest: Manifest | None, error: MissingFileError
) -> MissingFileError:
    """Return what a folder without images is, where that can be told."""
    if manifest is not None:
        return MissingFileError(
            f"{root} is a data set whose images are not there yet; run the command in its "
            f"{MANIFEST} again."
        )
    inner = find_datasets(root)
    if inner:
        return MissingFileError(
            f"{root} holds {len(inner)} data sets ({', '.join(path.name for path in inner)}); "
            "choose one of them."
        )
    if (root / PARAMETER_FILE).is_file() and not is_megapixel(root):
        return MissingFileError(
            f"Expected Megapixel MNIST with {PARAMETER_FILE} and train.npy or test.npy in {root}, "
            "found neither of the two; choose the folder that make_mnist.py wrote."
        )
    arrays = [one for one in sorted(root.glob("*.npy")) if not is_debris(one.name)]
    if arrays:
        return MissingFileError(
            f"Expected a folder of images in {root}, found {arrays[0].name}, a NumPy file, which "
            "may hold code and is not opened here; choose a folder of images."
        )
    return error


def find_datasets(root: Path) -> list[Path]:
    """Return the folders in ``root`` that are data sets of ours, such as those of a study."""
    found = (path.parent for path in root.glob(f"*/{MANIFEST}"))
    return sorted(path for path in found if not is_debris(path.name))
