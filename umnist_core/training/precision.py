"""Mixed precision: matrices and convolutions in 16 bits, weights and sums in 32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

PRECISIONS = ("float32", "mixed")


def find_precision(name: str, device: torch.device) -> torch.dtype | None:
    """Return the 16-bit kind of numbers that a device computes fast with, if it is asked for.

    On the CPU that is bfloat16 where the processor multiplies it itself (AVX-512 BF16, AMX);
    elsewhere it would be imitated, slower than 32 bits. So the bits of a mixed run follow from
    the processor, too.

    Parameters
    ----------
    name
        One of `PRECISIONS`.
    device
        Where it computes.

    Returns
    -------
    torch.dtype or None
        None for float32.
    """
    if name != "mixed":
        return None
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    # PyTorch before 2.11 cannot say what a processor does.
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None


@contextmanager
def mixed(device: torch.device, precision: torch.dtype | None) -> Iterator[None]:
    """Compute in mixed precision until the block ends, if there is one."""
    if precision is None:
        yield
        return
    with torch.autocast(device.type, precision):
        yield
