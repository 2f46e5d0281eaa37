"""A GPU that PyTorch reaches by CUDA, or by ROCm, which it calls CUDA as well."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import nn

from umnist_core.hardware.base import Hardware


class Gpu(Hardware):
    """One card.

    Parameters
    ----------
    number
        Its place among those that PyTorch can use, from 0.
    cuda
        What speaks to the driver: the module ``torch.cuda``, or what answers as it does.
    """

    is_processor: ClassVar[bool] = False
    backend: ClassVar[str] = "nccl"
    is_fed_from_pinned: ClassVar[bool] = True

    def __init__(self, number: int, cuda: Any = torch.cuda) -> None:
        super().__init__(f"cuda:{number}", torch.device("cuda", number))
        self.number, self._cuda = number, cuda
        self._cap: int | None = None

    @cached_property
    def _properties(self) -> Any:
        # Kept, since a card that is lost has still a name to be said.
        return self._cuda.get_device_properties(self.number)

    @property
    def title(self) -> str:
        """Return name and memory of the card, if it ever said them."""
        try:
            return f"{self._properties.name}, {self._properties.total_memory / 2**30:.0f} GiB"
        except RuntimeError:  # another one may well answer
            return "unknown GPU"

    @property
    def description(self) -> str:
        """Return the same."""
        return self.title

    @property
    def total_bytes(self) -> float:
        """Return the card's memory."""
        return float(self._properties.total_memory)

    def use(self) -> None:
        """Make it the current device; else a second card costs memory on the first as well."""
        _ = self.title  # asked while it answers
        self._cuda.set_device(self.number)

    @property
    def generators(self) -> Sequence[torch.device]:
        """Return the card."""
        return (self.device,)

    def free_bytes(self) -> float:
        """Return what the card has free, or what is left of the cap."""
        free = float(self._cuda.mem_get_info(self.number)[0])
        if self._cap is None:
            return free
        return min(free, float(self._cap - self._cuda.memory_allocated(self.number)))

    def cap(self, budget: int) -> None:
        """Let PyTorch's allocator fail beyond the budget, as on a card of that size."""
        self._cuda.set_per_process_memory_fraction(budget / self.total_bytes, self.number)
        self._cap = budget

    def peak_bytes(self) -> int:
        """Return the most that PyTorch reserved."""
        return int(self._cuda.max_memory_reserved(self.number))

    def tensor_peak_bytes(self) -> int:
        """Return the most that PyTorch gave to tensors of what it reserved."""
        return int(self._cuda.max_memory_allocated(self.number))

    def forget_peak(self) -> None:
        """Count the peak anew."""
        self._cuda.reset_peak_memory_stats(self.number)

    def release(self) -> None:
        """Give back what PyTorch keeps for tensors to come."""
        self._cuda.empty_cache()

    def wait(self) -> None:
        """Return when the card is done."""
        self._cuda.synchronize(self.number)

    def place(self, net: nn.Module) -> None:
        """Move a net here as it is."""
        net.to(self.device)

    def find_short_type(self) -> torch.dtype | None:
        """Return bfloat16 where the card in `use` multiplies it itself, else float16.

        Without that argument PyTorch says yes to cards that imitate it, such as those of Turing,
        which multiply float16 fast.
        """
        is_its_own = self._cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if is_its_own else torch.float16
