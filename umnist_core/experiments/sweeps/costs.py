"""What a cell costs: time, processor time and the most memory, of this process and its own."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from umnist_core import __version__


@contextmanager
def measured() -> Iterator[dict[str, Any]]:
    """Give a dictionary that holds the cost once the block has ended.

    Memory is the most that this process held meanwhile, where the system counts that anew, as
    Linux does, and else since it began.
    """
    cost: dict[str, Any] = {}
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    began, wall, cpu = datetime.now(UTC), time.monotonic(), _cpu_s()
    try:
        yield cost
    finally:
        cost["seconds"] = round(time.monotonic() - wall, 4)
        cost["cpu_seconds"] = round(_cpu_s() - cpu, 4)
        cost["peak_bytes"] = _peak_bytes()
        cost["started_utc"] = began.isoformat(timespec="seconds")
        cost["ended_utc"] = datetime.now(UTC).isoformat(timespec="seconds")


def machine_facts() -> dict[str, Any]:
    """Return what a result says of where it was made, unless the work knows better."""
    return {
        "device": "cpu",
        "hardware": f"{_make()}, {os.cpu_count()} cores",
        "threads": threads(),
        "versions": {"umnist": __version__, "python": platform.python_version()},
    }


def threads() -> int:
    """Return with how many threads libraries compute here."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else cores()


def cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_s() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def _peak_bytes() -> int:
    # Not getrusage's figure, which begins with that of the parent process.
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _make() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
