"""The processes of a run: one, or as many as `torchrun` started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from umnist_core.errors import InvalidValueError


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
        If CUDA is asked for and there is none.
    """
    if device_name == "cuda" and not torch.cuda.is_available():
        raise InvalidValueError(
            "run.device is cuda, but PyTorch finds none here; set it to auto or cpu."
        )
    is_cuda = device_name != "cpu" and torch.cuda.is_available()
    if not dist.is_torchelastic_launched():
        yield Group(0, 1, torch.device("cuda" if is_cuda else "cpu"))
        return
    device = torch.device("cuda", dist.get_node_local_rank()) if is_cuda else torch.device("cpu")
    if is_cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if is_cuda else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()
