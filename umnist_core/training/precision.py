"""Mixed precision: matrices and convolutions in 16 bits, weights and sums in 32."""

from __future__ import annotations

import torch

from umnist_core.hardware import Hardware

PRECISIONS = ("float32", "mixed")


def find_precision(name: str, hardware: Hardware) -> torch.dtype | None:
    """Return the 16-bit kind of numbers that a device computes fast with, if it is asked for.

    Parameters
    ----------
    name
        One of `PRECISIONS`.
    hardware
        What computes.

    Returns
    -------
    torch.dtype or None
        None for float32.
    """
    return hardware.find_short_type() if name == "mixed" else None
