"""Which devices models can run on here; asked of a process of its own, never of PyTorch here."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from umnist_core.inference.process import worker_command
from umnist_core.models.needs import needs_sentence

_log = logging.getLogger(__name__)

_PATIENCE_S = 120

CPU = "cpu"


@dataclass(frozen=True)
class Device:
    """One device.

    Attributes
    ----------
    key
        ``"cpu"`` or ``"cuda:0"`` and the like.
    title
        For people, such as ``"CPU, 2 threads"``.
    """

    key: str
    title: str


def cpu_device() -> Device:
    """Return the processor, which every machine has."""
    threads = os.cpu_count() or 1
    return Device(CPU, f"CPU, {threads} thread{'' if threads == 1 else 's'}")


def find_devices() -> tuple[Device, ...]:
    """Return the devices of this machine, GPUs first; takes seconds where there may be a GPU.

    Where there is none that PyTorch could use, by the files of its driver, PyTorch is not loaded
    to find out.
    """
    if not _may_have_gpu() or needs_sentence():
        return (cpu_device(),)
    command = worker_command("--list-devices")
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=True
        )
        found = [Device(str(one["key"]), str(one["title"])) for one in json.loads(answer.stdout)]
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("There may be a GPU here, and it could not be asked: %s", error)
        found = []
    return (*found, cpu_device())


def _may_have_gpu() -> bool:
    folder = Path("/dev")
    return any(folder.glob("nvidia[0-9]*")) or any(
        (folder / name).exists() for name in ("nvidiactl", "kfd", "dxg")
    )
