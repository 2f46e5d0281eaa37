"""Arrays that go to the device together, in one copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Host = dict[str, NDArray[Any]]
Device = dict[str, Tensor]

_ALIGNED_BYTES = 8


def send(groups: Mapping[str, Host], device: torch.device) -> dict[str, Device]:
    """Copy arrays to a device, all in one piece of memory.

    Parameters
    ----------
    groups
        Arrays by name in groups by name, of any types that torch has.

    Returns
    -------
    dict
        The same as tensors on the device, which share that memory.
    """
    pieces: list[NDArray[np.uint8]] = []
    for group in groups.values():
        for array in group.values():
            piece = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            pieces += [piece, np.zeros(-len(piece) % _ALIGNED_BYTES, np.uint8)]
    if not pieces:
        return {name: {} for name in groups}
    memory = torch.from_numpy(np.concatenate(pieces)).to(device, non_blocking=True)
    sent: dict[str, Device] = {}
    place = 0
    for name, group in groups.items():
        sent[name] = {}
        for key, array in group.items():
            kind = torch.from_numpy(np.empty(0, array.dtype)).dtype
            there = memory[place : place + array.nbytes].view(kind)
            sent[name][key] = there.reshape(array.shape)
            place += array.nbytes + -array.nbytes % _ALIGNED_BYTES
    return sent
