"""The interface: what others ask of a device, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Hardware(ABC):
    """What follows from one device.

    Nothing is asked of a driver before a method or a property needs it, so there may be one of a
    device that this machine does not have.

    Attributes
    ----------
    key
        ``"cpu"``, or ``"cuda:0"`` and the like.
    device
        Where tensors of it are.
    is_processor
        Whether it is the processor: other processes compute on it as well, and what its tensors
        take cannot be capped.
    backend
        By which PyTorch's processes speak with each other about tensors of it.
    is_fed_from_pinned
        Whether batches come faster from memory that the system never moves.
    """

    is_processor: ClassVar[bool]
    backend: ClassVar[str]
    is_fed_from_pinned: ClassVar[bool]

    def __init__(self, key: str, device: torch.device) -> None:
        self.key, self.device = key, device

    # -- what it is -----------------------------------------------------------------------

    @property
    @abstractmethod
    def title(self) -> str:
        """Return its name for people, such as ``"CPU, 2 threads"``."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Return what is written onto cards: the name of its make, and how much there is of it."""

    @property
    @abstractmethod
    def total_bytes(self) -> float:
        """Return all of its memory; infinite where the system does not say."""

    @abstractmethod
    def use(self) -> None:
        """Make it the device that libraries mean where none is named."""

    @property
    def generators(self) -> Sequence[torch.device]:
        """Return the devices that draw random numbers of their own, beside the processor."""
        return ()

    # -- memory ---------------------------------------------------------------------------

    @abstractmethod
    def free_bytes(self) -> float:
        """Return the memory that is free for more; infinite where the system does not say."""

    @abstractmethod
    def cap(self, budget: int) -> None:
        """Let PyTorch allocate no more than so many bytes, if that is possible here.

        Parameters
        ----------
        budget
            At most `total_bytes`.
        """

    @abstractmethod
    def peak_bytes(self) -> int:
        """Return the most memory that was in use since the start or `forget_peak`.

        On a GPU what PyTorch reserved; of the processor the resident memory of this process.
        """

    def tensor_peak_bytes(self) -> int:
        """Return the most that tensors took meanwhile; less than `peak_bytes` where that is known.

        Published figures of memory are of these.
        """
        return self.peak_bytes()

    @abstractmethod
    def forget_peak(self) -> None:
        """Count the peak anew, if that is possible here."""

    @abstractmethod
    def release(self) -> None:
        """Give back what PyTorch keeps of memory that no tensor takes."""

    # -- work -----------------------------------------------------------------------------

    @abstractmethod
    def wait(self) -> None:
        """Return when all that was asked for is computed."""

    @abstractmethod
    def place(self, net: nn.Module) -> None:
        """Move a net here, in the order in memory in which it learns fastest."""

    def send(self, tensor: Tensor) -> Tensor:
        """Return a tensor here; from pinned memory nobody waits for the copy."""
        return tensor.to(self.device, non_blocking=True)

    # -- precision ------------------------------------------------------------------------

    @abstractmethod
    def find_short_type(self) -> torch.dtype | None:
        """Return the 16-bit numbers that it multiplies fast; None where it has none."""

    def mixed(self, precision: torch.dtype | None) -> AbstractContextManager[Any]:
        """Compute in mixed precision until the block ends; None for float32."""
        return nullcontext() if precision is None else torch.autocast(self.device.type, precision)

    def scaler(self, precision: torch.dtype | None) -> torch.amp.GradScaler:
        """Return what keeps gradients from vanishing; does nothing where they do not."""
        return torch.amp.GradScaler(self.device.type, enabled=precision is torch.float16)
