"""The devices of this machine."""

from __future__ import annotations

import torch

from umnist_core.errors import NotFoundError
from umnist_core.hardware.base import Hardware
from umnist_core.hardware.gpu import Gpu
from umnist_core.hardware.processor import Processor

AUTO = "auto"


class Machine:
    """The processor, and the GPUs that PyTorch can use."""

    def __init__(self) -> None:
        self._known: dict[torch.device, Hardware] = {}

    @property
    def processor(self) -> Hardware:
        """Return the processor."""
        return self.of(torch.device("cpu"))

    def gpus(self) -> tuple[Hardware, ...]:
        """Return the GPUs that PyTorch can use."""
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return tuple(self.of(torch.device("cuda", number)) for number in range(count))

    def of(self, device: torch.device) -> Hardware:
        """Return what follows from a device, each time the same; it need not be here."""
        if device.type == "cuda" and device.index is None:
            number = torch.cuda.current_device() if torch.cuda.is_initialized() else 0
            device = torch.device("cuda", number)
        if device not in self._known:
            is_gpu = device.type == "cuda"
            self._known[device] = Gpu(device.index) if is_gpu else Processor(device)
        return self._known[device]

    def find(self, name: str) -> Hardware:
        """Return a device by its name; see `find_hardware`."""
        known = {one.key: one for one in (self.processor, *self.gpus())}
        if name == AUTO:
            return [*known.values()][min(1, len(known) - 1)]
        if name not in known:
            found = ", ".join(known) if len(known) > 1 else "no GPU that PyTorch can use, only cpu"
            raise NotFoundError(
                f"Expected a device of this machine, got {name[:40]!r}, and here is {found}; "
                "choose one that is here, or auto."
            )
        return known[name]


HERE = Machine()
"""The machine that this process runs on. Everything asks this one, so that a test that puts
another in its place is asked everywhere."""


def hardware_of(device: torch.device) -> Hardware:
    """Return what follows from a device, which need not be here."""
    return HERE.of(device)


def find_gpus() -> tuple[Hardware, ...]:
    """Return the GPUs that PyTorch can use here, in their order."""
    return HERE.gpus()


def find_hardware(name: str) -> Hardware:
    """Return a device of this machine.

    Parameters
    ----------
    name
        ``"auto"`` for the first GPU, else the processor; ``"cpu"``; or ``"cuda:0"`` and the like.

    Raises
    ------
    NotFoundError
        If this machine has none of that name.
    """
    return HERE.find(name)
