"""The processes of a run: one, or as many as `torchrun` started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from umnist_core.errors import InvalidValueError
from umnist_core.hardware import Hardware, find_gpus, find_hardware, hardware_of
from umnist_core.training.failures import failures_said


@dataclass(frozen=True)
class Group:
    """Which of the processes of a run is this.

    Attributes
    ----------
    rank
        0 is the one that writes.
    world
        How many there are.
    device
        Where this one computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def hardware(self) -> Hardware:
        """What follows from the device."""
        return hardware_of(self.device)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes; every one must call it."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return when every process is here."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def joined_group(device_name: str) -> Iterator[Group]:
    """Join the processes that `torchrun` started, if it did, until the block ends.

    Parameters
    ----------
    device_name
        ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    InvalidValueError
        If CUDA is asked for and there is none, or fewer GPUs than processes.
    TooLargeError, DeviceLostError
        If the GPU has no memory left for PyTorch itself, or computes nothing.
    """
    hardware = _choose(device_name)
    with failures_said(hardware, "PyTorch itself", "free some there, or choose the device cpu"):
        hardware.use()
    if not dist.is_torchelastic_launched():
        yield Group(0, 1, hardware.device)
        return
    dist.init_process_group(hardware.backend)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), hardware.device)
    finally:
        dist.destroy_process_group()


def _choose(device_name: str) -> Hardware:
    """Return what this process computes on: of the GPUs the one whose number it has here."""
    gpus = () if device_name == "cpu" else find_gpus()
    if device_name == "cuda" and not gpus:
        raise InvalidValueError(
            "run.device is cuda, but PyTorch finds none here; set it to auto or cpu."
        )
    number = dist.get_node_local_rank() if dist.is_torchelastic_launched() else 0
    if gpus and number >= len(gpus):
        raise InvalidValueError(
            f"torchrun started more processes than the {len(gpus)} GPUs that PyTorch finds here; "
            f"set --nproc-per-node to {len(gpus)} or less, or run.device to cpu."
        )
    return gpus[number] if gpus else find_hardware("cpu")
