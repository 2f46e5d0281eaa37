"""The process that does the parts, and what each of them is given.

It writes what it finds as lines of JSON, one at a time, so that whoever reads them has everything
that was measured before it ended. Started by `umnist_core.bench.gpu.runner`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from umnist_core.bench.gpu.figures import get_figure
from umnist_core.bench.gpu.parts import DONE, FAILED, PACKAGE, PARTS, SKIPPED, STOPPED, CheckPart
from umnist_core.bench.gpu.sizes import REHEARSAL, Sizes
from umnist_core.bench.spread import spread_of
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError, MissingFileError, NotFoundError, UmnistError

if TYPE_CHECKING:  # has torch
    from umnist_core.hardware import Hardware

OUT_OF_TIME = "time ran out"


class OutOfTime(BaseException):
    """The part's time is over; whatever catches errors of one measurement does not catch it."""


class Work:
    """What a part is given.

    Parameters
    ----------
    hardware
        The GPU, or to rehearse the processor.
    sizes
        How large it is.
    out
        Folder of the report.
    resume
        States from which recipes go on.
    stream
        Where lines go to.
    """

    def __init__(
        self, hardware: Hardware, sizes: Sizes, out: Path, resume: Sequence[Path], stream: TextIO
    ) -> None:
        self.hardware, self.device = hardware, hardware.device
        self.sizes, self.out, self.resume, self._stream = sizes, out, tuple(resume), stream
        self.glyphs: GlyphSet = load_glyphs()
        self._until = math.inf
        self._measured: set[tuple[str, str]] = set()

    # -- what it tells --------------------------------------------------------------------

    def put(self, name: str, key: str, values: float | Sequence[float] | None, **more: Any) -> None:
        """Tell a figure.

        Parameters
        ----------
        name, key
            Which, and of what; see `umnist_core.bench.gpu.figures`.
        values
            What was measured; of several the median and the quartiles are told.
        more
            What goes along, ready for JSON; ``why`` where nothing was measured.

        Raises
        ------
        InvalidValueError
            If there is no such figure, or it is not of that.
        """
        if key not in get_figure(name).keys:
            raise InvalidValueError(
                f"{name} is of {', '.join(get_figure(name).keys)}; got {key[:60]!r}."
            )
        told: dict[str, Any] = {}
        if isinstance(values, Sequence):
            spread = spread_of(values, 4)
            told = {"value": spread.median, "low": spread.low, "high": spread.high}
            told |= {"count": len(values)}
        else:
            told["value"] = values
        if told["value"] is not None and not math.isfinite(told["value"]):
            told = {"value": None, "why": f"it was {told['value']}"}
        if told["value"] is not None:
            self._measured.add((name, key))
        self.tell("put", name=name, key=key, measured={**told, **more})

    def say(self, sentence: str) -> None:
        """Tell people how far it is."""
        self.tell("say", text=sentence)

    def tell(self, event: str, **fields: Any) -> None:
        """Write a line."""
        self._stream.write(json.dumps({"event": event, **fields}) + "\n")
        self._stream.flush()

    @contextlib.contextmanager
    def trying(self, of: str | Sequence[str], *names: str) -> Iterator[None]:
        """Let a measurement fail alone: its figures then say why, and the rest goes on.

        Parameters
        ----------
        of
            The key, or keys, that it measures.
        names
            Figures that it puts.
        """
        try:
            yield
        except Exception as error:
            if self.is_lost(error):
                raise
            self.hardware.release()
            why = f"failed: {_in_a_line(error)}"
            for name, key in itertools.product(names, [of] if isinstance(of, str) else of):
                if (name, key) not in self._measured:
                    self.put(name, key, None, why=why, traceback=traceback.format_exc())

    def is_lost(self, error: BaseException) -> bool:
        """Return whether this process can compute nothing more on its device."""
        from umnist_core.hardware import is_device_lost

        return is_device_lost(error)

    # -- memory ---------------------------------------------------------------------------

    def forget_peak(self) -> None:
        """Count the most memory in use anew, with nothing kept for tensors to come."""
        self.hardware.wait()
        self.hardware.release()
        self.hardware.forget_peak()

    def peak_mib(self) -> float:
        """Return the most memory that tensors took since `forget_peak`.

        Of the processor it is the resident memory of this process.
        """
        return self.hardware.tensor_peak_bytes() / 2**20

    # -- how long -------------------------------------------------------------------------

    def allow(self, seconds: float) -> None:
        """Set how long the part that begins may take."""
        self._until = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left of the part's time."""
        return self._until - time.monotonic()

    def check_time(self, needed_s: float = 0.0) -> None:
        """Stop the part where less time is left than it needs.

        Raises
        ------
        OutOfTime
            Where it is so.
        """
        if self.left_s <= needed_s:
            raise OutOfTime

    def rounds(self, most: int, least: int = 1, within_s: float = 10.0) -> Iterator[int]:
        """Yield the numbers of repeats, as many as there is time for.

        Parameters
        ----------
        most, least
            How many at most, and how many whatever ``within_s`` says.
        within_s
            After so long there are no more.

        Raises
        ------
        OutOfTime
            If not even the least are done in time.
        """
        ends = time.monotonic() + within_s
        for number in range(most):
            if number >= least and (self.left_s <= 0 or time.monotonic() >= ends):
                return
            self.check_time()
            yield number


def run_part(work: Work, part: CheckPart, allowed_s: float) -> bool:
    """Do a part, and tell how it ended.

    Returns
    -------
    bool
        Whether this process can go on; not where the device is lost to it.
    """
    started = time.monotonic()
    work.tell("begin", part=part.name)
    work.allow(allowed_s)
    how: dict[str, Any] = {"status": DONE, "why": ""}
    try:
        importlib.import_module(f"{PACKAGE}.{part.module}").run(work)
    except OutOfTime:
        how = {"status": STOPPED, "why": OUT_OF_TIME}
    except Exception as error:
        how = {"status": FAILED, "why": _in_a_line(error), "traceback": traceback.format_exc()}
    work.tell("end", part=part.name, seconds=round(time.monotonic() - started, 2), **how)
    if how["status"] != FAILED:
        return True
    try:
        work.hardware.release()
        work.hardware.wait()
    except RuntimeError:
        return False
    return True


def _in_a_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def _end_with_the_runner() -> None:
    """End this process when the one that started it does."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(3)

    threading.Thread(target=wait, daemon=True).start()


def _head(work: Work) -> dict[str, Any]:
    """Return what figures depend on, as far as torch knows it."""
    import torch

    from umnist_core.training.provenance import find_commit, find_versions

    return {
        "device": work.hardware.key,
        "card": work.hardware.description,
        "memory_gib": round(work.hardware.total_bytes / 2**30, 1),
        "driver": _driver() or "unknown",
        **find_versions(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "commit": find_commit() or "unknown",
        "digits": work.glyphs.name,
        "digits_sha256": work.glyphs.checksum,
        "stand_in": work.glyphs.is_stand_in,
    }


def _driver() -> str:
    """Return the version of the GPU's driver, as its own tool says it; empty without one."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(sorted(set(answer.stdout.split())))


def _make_work(options: argparse.Namespace, stream: TextIO) -> Work:
    """Return what parts are given.

    Raises
    ------
    UmnistError, ImportError
        If parts cannot be done here.
    """
    from umnist_core.hardware import find_hardware

    hardware = find_hardware(options.device)
    hardware.use()
    sizes = REHEARSAL if options.rehearse else Sizes()
    return Work(hardware, sizes, options.out, options.resume, stream)


def _cannot(error: Exception) -> str:
    """Return why parts cannot be done here, and what helps."""
    if isinstance(error, NotFoundError):
        return f"{error} Or rehearse on the processor, with --rehearse."
    if isinstance(error, MissingFileError):
        return f"{error} Or name a folder with MNIST's files, with --digits."
    if isinstance(error, UmnistError):
        return str(error)
    return f"Expected a python3 with PyTorch, found one without ({error}); choose another."


def _do_parts(work: Work, options: argparse.Namespace, ends: float) -> None:
    for part in (one for one in PARTS if one.name in options.part):
        left_s = ends - time.monotonic()
        least_s = 0.0 if options.rehearse else part.least_s
        if left_s <= least_s:
            why = f"{max(left_s, 0):.0f} s were left, and it takes {part.least_s:g} or more"
            work.tell("end", part=part.name, status=SKIPPED, why=why)
        elif not run_part(work, part, min(left_s, part.share * options.whole)):
            work.tell("lost")
            return
    work.tell("over")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do parts in a process of their own; see `umnist_core.bench.gpu.runner`."""
    parser = argparse.ArgumentParser(prog=f"{PACKAGE}.work")
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", required=True)
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--resume", type=Path, action="append", default=[])
    parser.add_argument("--part", action="append", required=True)
    parser.add_argument("--seconds", type=float, required=True, help="until all ends")
    parser.add_argument("--whole", type=float, required=True, help="what shares are of, in s")
    options = parser.parse_args(arguments)
    ends = time.monotonic() + options.seconds
    # Lines for the runner alone; what libraries print goes to standard error.
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _end_with_the_runner()
    try:
        work = _make_work(options, stream)
        work.tell("head", **_head(work))
    except (UmnistError, ImportError) as error:
        stream.write(json.dumps({"event": "cannot", "why": _cannot(error)}) + "\n")
        stream.flush()
        return
    _do_parts(work, options, ends)


if __name__ == "__main__":
    main()
