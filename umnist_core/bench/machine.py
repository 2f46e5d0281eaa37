"""What a measurement was made on; every bench prints it above its figures."""

from __future__ import annotations

import os
import platform
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from umnist_core import __version__


def describe_machine() -> dict[str, str | int]:
    """Return date, processor, cores and versions."""
    return {
        "date_utc": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "umnist": __version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def peak_mib() -> float:
    """Return the largest memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage's figure, which on Linux begins with that of the parent process.
        lines = status.read_text().splitlines()
        return round(next(int(line.split()[1]) for line in lines if "VmHWM" in line) / 2**10, 1)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
