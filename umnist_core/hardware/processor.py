"""The processor of this machine."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from umnist_core.hardware.base import Hardware


class Processor(Hardware):
    """The processor, and its memory.

    Parameters
    ----------
    device
        ``cpu``, or one that computes nothing, such as ``meta``.
    """

    is_processor: ClassVar[bool] = True
    backend: ClassVar[str] = "gloo"
    is_fed_from_pinned: ClassVar[bool] = False

    def __init__(self, device: torch.device) -> None:
        super().__init__(device.type, device)

    @property
    def title(self) -> str:
        """Return how many threads it computes with."""
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'' if threads == 1 else 's'}"

    @property
    def description(self) -> str:
        """Return its model, cores and threads."""
        return f"{_make()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"

    @property
    def total_bytes(self) -> float:
        """Return the memory of the machine; infinite where the system does not say."""
        return _memory("MemTotal")

    def use(self) -> None:
        """Do nothing: there is but one."""

    def free_bytes(self) -> float:
        """Return what the machine has free; infinite where the system does not say."""
        return _memory("MemAvailable")

    def cap(self, budget: int) -> None:
        """Do nothing: there is no allocator to cap."""

    def peak_bytes(self) -> int:
        """Return the most resident memory of this process."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def forget_peak(self) -> None:
        """Count the peak anew; possible on Linux alone, and nothing elsewhere."""
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def release(self) -> None:
        """Do nothing: what no tensor takes is the system's already."""

    def wait(self) -> None:
        """Return at once: what was asked for is computed."""

    def place(self, net: nn.Module) -> None:
        """Move a net here, channels last: twice as fast with the small channels of our models."""
        net.to(self.device)
        net.to(memory_format=torch.channels_last)

    def find_short_type(self) -> torch.dtype | None:
        """Return bfloat16 where the processor multiplies it itself (AVX-512 BF16, AMX).

        Elsewhere it would be imitated, slower than 32 bits. So the bits of a mixed run follow from
        the processor, too.
        """
        # PyTorch before 2.11 cannot say what a processor does.
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None


def _make() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory(field: str) -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(fields[field].split()[0]) * 1024.0 if field in fields else float("inf")
