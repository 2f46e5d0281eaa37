"""What an error of PyTorch means: that memory ran out, or that the device is gone."""

from __future__ import annotations

import re

import torch

_NO_MEMORY = re.compile(
    r"can't allocate memory|not enough memory|out of memory|bad_alloc|STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
"""What PyTorch says of the processor's memory, of a driver's, and of a library's of the card."""

_LOST = re.compile(
    r"(?:CUDA|HIP) error: (?:"
    r"unspecified launch failure|unknown error|uncorrectable ECC error|uncorrectable NVLink error"
    r"|an illegal memory access|an illegal instruction|misaligned address|invalid program counter"
    r"|operation not supported on global/shared address space|hardware stack error"
    r"|device-side assert triggered|the launch timed out|context is destroyed"
    r"|driver shutting down|no (?:CUDA|ROCm)-capable device"
    r"|(?:CUDA|HIP)-capable device\(s\) is/are busy or unavailable"
    r")|STATUS_EXECUTION_FAILED",
    re.IGNORECASE,
)
"""Errors after which a process can compute nothing more on the card: the words of CUDA's runtime
(`cudaGetErrorString`) behind PyTorch's, and of cuBLAS and cuDNN, whose own end so as well."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that no memory was left, of the processor or of a GPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return _NO_MEMORY.search(str(error)) is not None


def is_device_lost(error: BaseException) -> bool:
    """Return whether an error means that its process can compute nothing more on a GPU.

    The card was taken away or reset, or a computation on it failed in a way that its driver does
    not undo; another process may go on with it, if it is still there.
    """
    return isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
