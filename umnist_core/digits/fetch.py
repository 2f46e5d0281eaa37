"""Downloading MNIST, once.

Mirrors are asked all at the same time, and used in the order in which they answer:
a dead one costs nothing, and without a network the end comes after one timeout.
Mirrors have packed the files anew over the years, so what counts is the checksum of
the unpacked bytes. Files appear in their folder only when all of them are there and
checked.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm

from umnist_core.digits.idx import read_idx, unpacked_md5
from umnist_core.digits.sources import DATA_FOLDER, MNIST_FILES, MnistFile, find_file
from umnist_core.errors import DamagedFileError, NetworkError, WriteError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)
"""Folders on the web that hold the four gzipped files, each ending in a slash."""

_CHUNK_BYTES = 1 << 16


def fetch_mnist(
    data_dir: Path,
    *,
    progress: bool = False,
    timeout_s: float = 10,
    mirrors: Sequence[str] | None = None,
) -> Path:
    """Download the MNIST files that are not yet in the data folder.

    Parameters
    ----------
    data_dir
        The user's data folder; the files go into ``mnist`` below it.
    progress
        Whether to draw a bar for each file on standard error.
    timeout_s
        Longest wait, in seconds, for a first answer and for each next piece of a file.
    mirrors
        Addresses to use instead of `MIRRORS`.

    Returns
    -------
    The folder with the four files.

    Raises
    ------
    NetworkError
        If no mirror gave every missing file whole; nothing is then left behind.
    DamagedFileError
        If a file that is already there is damaged or not MNIST's; it is left alone.
    WriteError
        If the folder cannot be written to.
    """
    folder = data_dir / DATA_FOLDER
    missing = find_missing(data_dir)
    if not missing:
        return folder
    failures = []
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for mirror, failure in _iter_answers(mirrors or MIRRORS, missing[0], timeout_s):
            reason = failure or _fetch_all(mirror, missing, folder, progress, timeout_s)
            if reason is None:
                return folder
            failures.append(f"{urlsplit(mirror).hostname} {reason}")
    except OSError as error:
        raise WriteError(
            f"Expected to write MNIST's files to {folder}, found that it cannot be done "
            f"({error.strerror or error}); free some space or set UMNIST_DATA to another folder."
        ) from error
    raise NetworkError(
        f"Expected MNIST from one of {len(mirrors or MIRRORS)} mirrors, found none that gave it "
        f"({'; '.join(failures) or f'no answer within {timeout_s:g} s'}); check the network, or "
        "copy the four files from elsewhere and set UMNIST_DIGITS to their folder."
    )


def find_missing(data_dir: Path) -> tuple[MnistFile, ...]:
    """Return which of MNIST's files are not in the data folder; those that are get checked.

    Raises
    ------
    DamagedFileError
        If one is there but damaged or not the original.
    """
    missing = []
    for file in MNIST_FILES["train"] + MNIST_FILES["test"]:
        path = find_file(data_dir / DATA_FOLDER, file)
        if path is None:
            missing.append(file)
        elif unpacked_md5(read_idx(path)) != file.md5:
            raise DamagedFileError(
                f"{path}: expected the original MNIST file, found one with another checksum; "
                "move it away and run `umnist digits fetch` again."
            )
    return tuple(missing)


def _iter_answers(
    mirrors: Sequence[str], file: MnistFile, timeout_s: float
) -> Iterator[tuple[str, str | None]]:
    """Ask every mirror for ``file`` and yield each with why it failed, or None, as it answers.

    Any answer will do; whether the file is there shows when it is asked for. The
    threads are daemons and not an executor's: the interpreter waits for those at its
    end, however long a name server keeps one of them.
    """
    answers: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()

    def ask(mirror: str) -> None:
        try:
            requests.head(_url(mirror, file), timeout=timeout_s, allow_redirects=True)
        except requests.RequestException as error:
            answers.put((mirror, _reason(error, timeout_s)))
        else:
            answers.put((mirror, None))

    for mirror in mirrors:
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    deadline_s = time.monotonic() + timeout_s
    for _ in mirrors:
        try:
            yield answers.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            return


def _fetch_all(
    mirror: str, files: Sequence[MnistFile], folder: Path, progress: bool, timeout_s: float
) -> str | None:
    """Move ``files`` from a mirror into ``folder``, all or none; return why it failed or None."""
    with tempfile.TemporaryDirectory(prefix=".mnist-", dir=folder.parent) as unfinished:
        for file in files:
            path = Path(unfinished) / f"{file.name}.gz"
            try:
                _download(_url(mirror, file), path, progress, timeout_s)
                checksum = unpacked_md5(read_idx(path))
            except requests.RequestException as error:
                return _reason(error, timeout_s)
            except DamagedFileError:
                return f"gave a damaged {path.name}"
            if checksum != file.md5:
                return f"gave a {path.name} with another checksum"
        folder.mkdir(exist_ok=True)
        for path in Path(unfinished).iterdir():
            path.replace(folder / path.name)
    return None


def _download(url: str, path: Path, progress: bool, timeout_s: float) -> None:
    # pooch asks the bar for its truth value, which tqdm refuses to give without a total.
    with tqdm(
        desc=path.name, total=1, unit="B", unit_scale=True, disable=not progress
    ) as progress_bar:
        download = pooch.HTTPDownloader(progress_bar, _CHUNK_BYTES, timeout=timeout_s)
        download(url, str(path), None)


def _url(mirror: str, file: MnistFile) -> str:
    return f"{mirror}{file.name}.gz"


def _reason(error: requests.RequestException, timeout_s: float) -> str:
    if isinstance(error, requests.Timeout):
        return f"did not answer within {timeout_s:g} s"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered with status {error.response.status_code}"
    return "could not be reached or broke off"
