"""What a measurement was made on; every bench prints it above its figures."""

from __future__ import annotations

import os
import platform
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


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
