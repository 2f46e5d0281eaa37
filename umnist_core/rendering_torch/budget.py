"""How much is drawn at once: what a core's cache holds, or what keeps a GPU's cores at work."""

from __future__ import annotations

from typing import NamedTuple

import torch

from umnist_core.hardware import hardware_of


class Budget(NamedTuple):
    """What is held at once while something is drawn.

    Attributes
    ----------
    band_px
        Pixels of a band, each of some 4 bytes on the way.
    fill_px
        Pixels of it that are filled at once.
    pasted_px
        Pixels of a band of pasted squares, and of squares that are pasted together, each of some
        30 bytes on the way.
    crossings
        Crossings of which means are made at once, about, each of some 150 bytes on the way.
    digits
        Digits whose blocks are coded at once, each of some 2 MB on the way.
    """

    band_px: int
    fill_px: int
    pasted_px: int
    crossings: int
    digits: int


PROCESSOR = Budget(1 << 22, 1 << 18, 1 << 20, 1 << 18, 4)
GPU = Budget(1 << 26, 1 << 26, 1 << 24, 1 << 22, 256)


def budget_of(device: torch.device) -> Budget:
    """Return what is held at once on a device."""
    return PROCESSOR if hardware_of(device).is_processor else GPU
