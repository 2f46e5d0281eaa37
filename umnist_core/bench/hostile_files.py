"""Malformed files of every format that is read here, through the readers that the app uses.

Each is a good file that was cut, of which bits were turned, or whose numbers were made enormous;
and some are made to be hostile. They are read one after the other in a process of its own, whose
memory is watched and which is ended where it does not come back.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np

from umnist_core.bench.hostile_formats import READERS, Files, make_formats
from umnist_core.errors import UmnistError

HANG_S = 20.0
"""A file that takes longer hangs; whole ones take some hundredths."""


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes
    ----------
    files
        Good files, by their paths below a folder.
    """

    files: Mapping[str, bytes]


@dataclass(frozen=True)
class FileTally:
    """What came of files.

    Attributes
    ----------
    files, told
        How many were read, and how many of them ended in a sentence of ours.
    hangs, faults
        Those that did not come back, and those that raised anything else, in words.
    peak_mib
        The most memory that the process had.
    """

    files: int
    told: int
    hangs: tuple[str, ...]
    faults: tuple[str, ...]
    peak_mib: float


def read_malformed(folder: Path, count: int, *, rng: np.random.Generator) -> FileTally:
    """Read malformed files of every format in turn.

    Parameters
    ----------
    folder
        Where to write them; empty.
    count
        How many.
    """
    reader, told = _Reader(), 0
    hangs: list[str] = []
    faults: list[str] = []
    known = make_formats(folder / "good")
    names = list(known)
    try:
        for number in range(count):
            name = names[number % len(names)]
            place = folder / str(number)
            how = write_malformed(place, known[name], rng)
            came = reader.read(name, place)
            told += came == ""
            if came is None:
                hangs.append(f"{name}, {how}")
            elif came not in ("", "read"):
                faults.append(f"{name}, {how}: {came}")
            shutil.rmtree(place)
    finally:
        reader.end()
    return FileTally(count, told, tuple(hangs), tuple(faults), round(reader.peak_mib))


# -- in a process of its own ------------------------------------------------------------


class _Reader:
    """A process that reads files."""

    def __init__(self) -> None:
        self.peak_mib = 0.0
        self._spawned = multiprocessing.get_context("spawn")
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None

    def read(self, name: str, folder: Path) -> str | None:
        """Return ``"read"``, nothing for an error of ours, another in words; None for a hang."""
        if self._process is None or self._line is None:
            self._line, theirs = self._spawned.Pipe()
            self._process = self._spawned.Process(target=_read_on, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
            self._line.recv()  # once it has imported everything
        self._line.send((name, folder))
        try:
            if not self._line.poll(HANG_S):
                self.end()
                return None
            came, peak_mib = self._line.recv()
        except (EOFError, OSError):
            self.end()
            return "the process ended"
        self.peak_mib = max(self.peak_mib, peak_mib)
        return str(came)

    def end(self) -> None:
        """End the process."""
        if self._process is not None and self._line is not None:
            self._process.kill()
            self._process.join()
            self._line.close()
        self._process = self._line = None


def _read_on(line: Connection) -> None:
    import resource

    line.send("ready")
    while True:
        name, folder = line.recv()
        try:
            READERS[name.split()[0]](folder)
            came = "read"
        except UmnistError:
            came = ""
        except Exception as error:
            came = f"{type(error).__name__}: {error}"[:300]
        line.send((came, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


# -- what is wrong with them --------------------------------------------------------------


def write_malformed(folder: Path, files: Files, rng: np.random.Generator) -> str:
    """Write the files of a format, one of them malformed; return in words how."""
    chosen = list(files)[int(rng.integers(0, len(files)))]
    names = list(_WAYS)
    how = names[int(rng.integers(0, len(names)))]
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_WAYS[how](data, rng) if name == chosen else data)
    return f"{how} {chosen}"


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _turn_bits(data: bytes, rng: np.random.Generator) -> bytes:
    turned = bytearray(data)
    for place in rng.integers(0, len(data), int(rng.integers(1, 40))).tolist():
        turned[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(turned)


def _enlarge_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Put a large number where one may be: at the beginning, where headers are, more often."""
    place = int(rng.integers(0, min(len(data), 200 if rng.random() < 0.7 else len(data))))
    number = _NUMBERS[int(rng.integers(0, len(_NUMBERS)))]
    return data[:place] + number + data[place + len(number) :]


def _put_in(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(0, len(data)))
    return data[:place] + _PIECES[int(rng.integers(0, len(_PIECES)))] + data[place:]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(0, len(data), 2).tolist())
    return data[:last] + data[first:last] * int(rng.integers(1, 20)) + data[last:]


def _replace(data: bytes, rng: np.random.Generator) -> bytes:
    whole = (*_PIECES, b"", rng.bytes(5000), b"]" * 2_000_000, b"[" * 200_000, b"\x93NUMPY\x01\x00")
    return whole[int(rng.integers(0, len(whole)))]


def _keep_head(data: bytes, rng: np.random.Generator) -> bytes:
    kept = data[: int(rng.integers(4, 300))]
    return kept + _PIECES[int(rng.integers(0, len(_PIECES)))] * 100


_NUMBERS = (
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\0",
    b"\xff" * 8,
    b"99999999",
)
_PIECES = (
    b"\0" * 100,
    b"9" * 5000,
    b"[" * 3000,
    b"1e400",
    b"-1",
    b"\xff\xfe\xfd",
    b"{}",
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>',
    b"../../../etc/passwd",
    b"]" * 100_000,
)
_WAYS: Mapping[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "cut": _cut,
    "bits turned in": _turn_bits,
    "a large number in": _enlarge_number,
    "something put into": _put_in,
    "a part repeated in": _repeat,
    "something else instead of": _replace,
    "only the head of": _keep_head,
}
