"""Writing a data set: all cores or a cluster, resumable, and the same bytes either way.

Every file is a pure function of the recipe and the glyphs, so a run that finds some of
them there only has to make the others. The tables are made from the plans of all images,
drawn now or before, in the order of their indices.
"""

from __future__ import annotations

import itertools
import os
import socket
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import joblib
from tqdm import tqdm

from umnist_core.datasets.annotations import COCO_COLUMNS, iter_coco_json
from umnist_core.datasets.manifest import MANIFEST, Manifest, read_manifest
from umnist_core.datasets.read_me import READ_ME, read_me
from umnist_core.datasets.recipe import Recipe
from umnist_core.datasets.reduced_copies import check_sides, copies_folder, find_sides
from umnist_core.datasets.samples import BatchResult, Order, join_pool, versions, write_batch
from umnist_core.datasets.staging import Staging, said_as_write_error
from umnist_core.datasets.truth import iter_checksums, iter_truth, truth_path, write_truth
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    NetworkError,
    WriteError,
)
from umnist_core.paths import expand_home, is_debris

if TYPE_CHECKING:
    import pyarrow as pa

CLUSTER_TIMEOUT_S = 10


@dataclass(frozen=True)
class WriteReport:
    """What a run did.

    Attributes
    ----------
    folder
        Where the data set is.
    count
        Images in the split.
    drawn
        How many of them were not there yet, or not whole.
    seconds
        How long it took.
    """

    folder: Path
    count: int
    drawn: int
    seconds: float


def write_dataset(
    recipe: Recipe,
    folder: Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    progress: bool = False,
    sides_px: Sequence[int] = (),
) -> WriteReport:
    """Write one split of a data set, or what is missing of it.

    Parameters
    ----------
    recipe
        What to make.
    folder
        Where: a new or empty folder, or one that holds a part of the same data set, which then
        grows.
    jobs
        Processes on this machine; -1 for as many as there are cores.
    dask
        Address of a Dask scheduler, whose workers then do the work. They must see
        ``folder`` under the same path and have the same digits and versions.
    progress
        Whether to draw a bar on standard error, where that is a terminal.
    sides_px
        Longer sides of reduced copies to make of each image, besides those of which there are
        some already; see `umnist_core.datasets.reduced_copies`.

    Raises
    ------
    ConflictError
        If the folder holds something else, or more images; it is left alone.
    WriteError
        If something cannot be written; the same call goes on from there.
    InvalidValueError
        If ``jobs`` is 0 or less than -1, or a worker is another version; also of copies that
        cannot be made.
    NetworkError, MissingFileError
        If the scheduler does not answer, or Dask is not installed.
    PlacementError, GlyphMismatchError, DamagedFileError
        As of planning, and of reading digits and the folder's manifest.
    """
    if jobs < -1 or jobs == 0:
        raise InvalidValueError(f"jobs is a whole number of 1 or more, or -1 for all; got {jobs}.")
    start = time.perf_counter()
    folder = expand_home(folder).absolute()
    sides = tuple(sorted({*sides_px, *find_sides(folder)}))
    check_sides(recipe, sides)
    glyphs = load_glyphs(recipe.digits_subset)
    # Asked for before anything is written: a cluster that is not there leaves no trace.
    with _open_pool(jobs, dask) as pool:
        staging, goes_on = _claim(folder, recipe, glyphs, sides)
        order = Order(recipe, folder, glyphs.checksum, versions(recipe), goes_on, sides)
        drawn = _make_all(pool, order, staging, progress)
    staging.end()
    return WriteReport(folder, recipe.count, drawn, time.perf_counter() - start)


def _claim(
    folder: Path, recipe: Recipe, glyphs: GlyphSet, sides: Sequence[int]
) -> tuple[Staging, bool]:
    """Make sure that a folder holds nothing else, and say in it what it will hold.

    The second is whether an unfinished run noted checksums there.
    """
    if folder.exists() and not folder.is_dir():
        raise ConflictError(f"Expected a folder, found the file {folder}; choose another name.")
    there = read_manifest(folder)
    manifest = Manifest.of(recipe, glyphs)
    if there is not None:
        manifest = manifest.merged(there, folder)
    elif others := _foreign_names(folder):
        raise ConflictError(
            f"{folder} holds {len(others)} files that are no data set of umnist's ({others[0]} "
            "...); nothing was changed. Choose a new or an empty folder."
        )
    staging = Staging(folder, recipe.split)
    goes_on = staging.begin()
    if manifest != there:
        staging.write(folder / MANIFEST, manifest.to_json().encode(), durable=True)
    staging.write(folder / READ_ME, read_me(manifest, sides).encode(), durable=True)
    if recipe.layout != "webdataset":
        with said_as_write_error(folder):
            for place in (folder, *(copies_folder(folder, side) for side in sides)):
                (place / recipe.split).mkdir(parents=True, exist_ok=True)
    return staging, goes_on


def _foreign_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with said_as_write_error(folder):
        names = sorted(path.name for path in folder.iterdir())
    # A run that was killed before it wrote its manifest leaves such a folder and no more; what
    # systems leave in every folder is nobody's data.
    return [name for name in names if not is_debris(name)]


def _make_all(pool: joblib.Parallel, order: Order, staging: Staging, progress: bool) -> int:
    """Make the images, then the tables; the truth's table comes last and says "finished"."""
    recipe = order.recipe
    results: Generator[BatchResult, None, None] = pool(
        joblib.delayed(write_batch)(order, *batch) for batch in _iter_batches(order)
    )
    drawn = 0

    def rows() -> Iterator[pa.Table]:
        nonlocal drawn
        with tqdm(
            total=recipe.count,
            desc=f"{order.root.name} {recipe.split}",
            unit=" images",
            smoothing=0,
            disable=None if progress else True,
        ) as bar:
            for result in results:
                drawn += result.drawn
                if not bar.disable:
                    # What was there already is no work, and must not flatter the rate.
                    bar.initial += len(result.rows) - result.drawn
                bar.update(len(result.rows))
                yield result.rows

    with (
        _ended(results),
        _said_of_workers(),
        staging.new_file(truth_path(order.root, recipe.split), durable=True) as truth,
    ):
        write_truth(truth, rows())
        _write_tables(order, staging, truth)
    return drawn


def _iter_batches(order: Order) -> Iterator[tuple[int, int, Sequence[str | None]]]:
    """Yield the units of work, with the checksums of the table of a run that was finished."""
    recipe = order.recipe
    path = truth_path(order.root, recipe.split)
    known = _iter_known(path) if path.is_file() else iter(())
    for first, last in recipe.iter_batches():
        rows = list(itertools.islice(known, last - first))
        ids = [recipe.image_id(index) for index in range(first, last)]
        # A table of other images, or a damaged one, says nothing of these.
        is_sane = [name for name, _ in rows] == ids[: len(rows)] and all(sha for _, sha in rows)
        yield first, last, [sha for _, sha in rows] if is_sane else ()


def _iter_known(path: Path) -> Iterator[tuple[str, str | None]]:
    with suppress(DamagedFileError):
        yield from iter_checksums(path)


def _write_tables(order: Order, staging: Staging, truth: Path) -> None:
    """Write what others' tools read, from the truth alone."""
    recipe = order.recipe
    for root in (staging.root, *(copies_folder(staging.root, side) for side in order.sides_px)):
        _write_labels(recipe, staging, truth, root)
    if recipe.layout == "coco":
        images, annotations = (iter_truth(truth, COCO_COLUMNS) for _ in range(2))
        texts = iter_coco_json(images, annotations, split=recipe.split, image=recipe.suffix)
        target = staging.root / f"annotations-{recipe.split}.json"
        with staging.new_file(target, durable=True) as path, path.open("w", newline="\n") as file:
            file.writelines(texts)


def _write_labels(recipe: Recipe, staging: Staging, truth: Path, root: Path) -> None:
    is_test = recipe.split == "test"
    name = "sample_submission.csv" if is_test else "train.csv"
    tasks = recipe.task_names
    columns = dict(zip(tasks, tasks, strict=True)) or {"digit_sum": "label"}
    with (
        staging.new_file(root / name, durable=True) as path,
        path.open("w", newline="\n") as file,
    ):
        file.write(",".join(["id", *columns]) + "\n")
        for row in iter_truth(truth, ["id", *columns.values()]):
            values = (_cell(row[column], is_test) for column in columns.values())
            file.write(",".join([row["id"], *values]) + "\n")


def _cell(value: int | list[int], is_test: bool) -> str:
    """Return a label as text; in the sample of a submission each is 0."""
    if is_test:
        return "0"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


# -- who does the work ------------------------------------------------------------


@contextmanager
def _open_pool(jobs: int, dask: str | None) -> Iterator[joblib.Parallel]:
    """Give what runs the work: this process, others on this machine, or a cluster.

    Results come in the order of the tasks, and no more tasks are out than keep all
    workers busy, so memory does not grow with the number of images.
    """
    options: dict[str, Any] = {"return_as": "generator", "batch_size": 1, "max_nbytes": None}
    if dask is None:
        worker = {"initializer": join_pool, "initargs": (os.getpid(),)}
        with joblib.parallel_config(backend="loky", **worker):
            yield joblib.Parallel(n_jobs=jobs, **options)
        return
    with connect_dask(dask) as client, joblib.parallel_config(backend="dask", client=client):
        yield joblib.Parallel(n_jobs=-1, **options)


def connect_dask(address: str) -> Any:
    """Return a client of a Dask cluster that has workers; close it, or use it as a block.

    Raises
    ------
    MissingFileError
        If Dask is not installed.
    InvalidValueError, NetworkError
        If the address is none, or no scheduler with workers answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingFileError(
            "Expected Dask for --dask, found that it is not installed; run "
            "`pip install 'umnist[dask]'` here and on every worker."
        ) from error
    _check_answers(address)
    client = None
    try:
        client = Client(address, timeout=CLUSTER_TIMEOUT_S, set_as_default=False)
        client.wait_for_workers(1, timeout=CLUSTER_TIMEOUT_S)
    except (OSError, ValueError, TypeError) as error:
        if client is not None:
            client.close()
        raise NetworkError(
            f"Expected a Dask scheduler with workers at {address}, found no "
            f"{'scheduler' if client is None else 'worker'} within {CLUSTER_TIMEOUT_S} s; start it "
            f"with `dask {'scheduler' if client is None else f'worker {address}'}`."
        ) from error
    return client


def _check_answers(address: str) -> None:
    """Refuse an address at which nothing listens, which Dask's client would wait long for."""
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        place = (parts.hostname, parts.port)
    except ValueError:
        place = (None, None)
    if place[0] is None or place[1] is None or parts.scheme not in ("tcp", "tls"):
        raise InvalidValueError(
            f"The address of a Dask scheduler is like tcp://10.0.0.1:8786; got {address!r}."
        )
    try:
        socket.create_connection((place[0], place[1]), CLUSTER_TIMEOUT_S).close()
    except OSError as error:
        raise NetworkError(
            f"Expected a Dask scheduler at {address}, found none ({error.strerror or error}); "
            "start it with `dask scheduler`, or correct the address."
        ) from error


@contextmanager
def _ended(results: Generator[BatchResult, None, None]) -> Iterator[None]:
    """Call the workers off when the block ends early."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            # Joblib warns of results that nobody took.
            warnings.simplefilter("ignore", UserWarning)
            results.close()


@contextmanager
def _said_of_workers() -> Iterator[None]:
    """Say in a sentence that a worker has died."""
    try:
        yield
    except BrokenExecutor as error:
        raise WriteError(
            "A worker process was ended from outside, perhaps for want of memory; what is whole "
            "stays. Run the same command again, with fewer --jobs."
        ) from error
