"""Who works on a cell: a lease, so that two workers never run one cell, and none is lost.

A lease is a file that its holder touches every few seconds. It is taken by making a file that is
not there, which only one can; so nothing needs locks, which shared folders often lack. A lease is
dead if its process has ended, where that can be seen, or else if nobody touched it for long. The
file of a dead one stays, and whoever takes the cell over makes the file of the next number: of
several that want to, one can. Whoever was only asleep finds the higher number, and keeps nothing.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from umnist_core.errors import WriteError
from umnist_core.experiments.sweeps.results import LEASES
from umnist_core.parsing import parse_json

BEAT_S = 5.0
"""Between two touches."""

DEAD_AFTER_S = 120.0
"""Without a touch, a holder elsewhere is taken for dead."""


@dataclass(frozen=True)
class Holder:
    """A process, as others may ask whether it still runs.

    Attributes
    ----------
    place
        The machine since it was started, and the room of process numbers in it; empty where the
        system does not say, and then nobody can ask.
    pid
        Its number there.
    begun
        When it began, by the machine's clock, since numbers come again.
    """

    place: str
    pid: int
    begun: str

    @classmethod
    def here(cls) -> Holder:
        """Return this process."""
        return cls(_place(), os.getpid(), _begun(os.getpid()))

    def has_ended(self) -> bool:
        """Return whether the process is known to run no more."""
        is_here = bool(self.place) and self.place == _place()
        return is_here and _begun(self.pid) != self.begun


class _Heart:
    """Touches the files of this process's leases, in one thread for all of them."""

    def __init__(self) -> None:
        self._paths: set[Path] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, path: Path) -> None:
        with self._changed:
            self._paths.add(path)
            # A process that was forked has no thread of its own yet.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, path: Path) -> None:
        with self._changed:
            self._paths.discard(path)

    def _beat(self) -> None:
        with self._changed:
            while True:
                self._changed.wait(BEAT_S)
                for path in self._paths:
                    with suppress(OSError):
                        os.utime(path)


_heart = _Heart()


class Lease:
    """The right to run a cell; give it back with `release`, or leave the block.

    Parameters
    ----------
    path
        Its file.
    name
        Of the cell.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        _heart.add(path)

    @property
    def is_held(self) -> bool:
        """Whether nobody took the cell over meanwhile."""
        return _last(self._path.parent, self._name) == self._path

    def release(self) -> None:
        """Give the cell free: its files go, the last at the end; those of another's stay."""
        _heart.remove(self._path)
        number = _number(self._path) if self.is_held else -1
        for earlier in range(number + 1):
            with suppress(OSError):
                self._path.with_name(f"{self._name}.{earlier}").unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def claim(folder: Path, name: str) -> Lease | None:
    """Take a cell, or return None if somebody has it.

    Parameters
    ----------
    folder
        Of the sweep; the folder of its leases is there.
    name
        Of the cell.

    Raises
    ------
    WriteError
        If no file can be made there.
    """
    leases = folder / LEASES
    last = _last(leases, name)
    if last is not None and not _is_dead(last):
        return None
    path = leases / f"{name}.{0 if last is None else _number(last) + 1}"
    return Lease(path, name) if _make(path) else None


def is_taken(folder: Path, name: str) -> bool:
    """Return whether somebody works on a cell."""
    last = _last(folder / LEASES, name)
    return last is not None and not _is_dead(last)


def _make(path: Path) -> bool:
    """Make a file that was not there, with who holds it; return whether it was not."""
    # Written beside it first: a file that is there says at once who made it.
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        draft.write_text(json.dumps(vars(Holder.here())), encoding="utf-8")
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
    except OSError as error:
        raise WriteError(
            f"{path} could not be written ({error.strerror or error}); choose a folder that has "
            "room, and whose system knows hard links."
        ) from error
    return True


def _last(leases: Path, name: str) -> Path | None:
    """Return the file of the highest number; they count up without a gap."""
    found, number = None, 0
    while (path := leases / f"{name}.{number}").exists():
        found, number = path, number + 1
    return found


def _number(path: Path) -> int:
    return int(path.suffix[1:])


def _is_dead(path: Path) -> bool:
    try:
        holder = Holder(**_read(path))
    except (OSError, ValueError, TypeError):
        holder = Holder("", 0, "")
    if holder.has_ended():
        return True
    if holder.place and holder.place == _place():
        return False  # it runs, however long it was stopped
    return _age_s(path) > DEAD_AFTER_S


def _read(path: Path) -> dict[str, Any]:
    return dict(parse_json(path.read_bytes()))


def _age_s(path: Path) -> float:
    """Return how long nobody touched a file, by the clock of its folder's system."""
    probe = path.with_name(f".now.{uuid4().hex}")
    try:
        probe.touch()
        return probe.stat().st_mtime - path.stat().st_mtime
    except OSError:
        return 0.0
    finally:
        probe.unlink(missing_ok=True)


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        room = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{platform.node()} {boot} {room}"


def _begun(pid: int) -> str:
    """Return when a process began; empty if there is none, or it has ended and nobody asked."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()  # names of programs may have blanks
    return "" if fields[0] in ("Z", "X") else fields[19]
