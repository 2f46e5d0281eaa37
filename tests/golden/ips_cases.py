"""Weights and images by rule, so that the original IPS and ours can be given the same ones.

Numbers are the raw 64-bit outputs of PCG64, which NumPy promises never to change, taken to
[0, 1); so the golden file holds what came out, and neither weights nor images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GOLDEN_FILE = Path(__file__).parent / "ips_original.safetensors"


@dataclass(frozen=True)
class IPSCase:
    """A setting of IPS, with the number of images that it is run on."""

    height: int
    width: int
    channels: int = 1
    patch_px: int = 24
    stride_px: int = 24
    blocks: int = 2
    embedding: int = 128
    memory: int = 10
    iteration: int = 8
    tasks: tuple[str, ...] = ("majority", "max", "top", "multi")
    classes: int = 10
    positions: bool = True
    images: int = 3
    has_blank: bool = True


CASES = {
    # 48 patches: 10, then four rounds of 8, then one of 6
    "partial-last-round": IPSCase(height=144, width=192),
    "all-fit": IPSCase(height=72, width=96, memory=12),
    "overlap-two-stages": IPSCase(height=150, width=100, patch_px=20, stride_px=10, memory=7),
    "four-stages-rgb": IPSCase(
        height=160,
        width=160,
        channels=3,
        patch_px=32,
        stride_px=32,
        blocks=4,
        embedding=512,
        memory=5,
        iteration=6,
        tasks=("sign",),
        classes=4,
        positions=False,
        images=2,
        has_blank=False,  # without positions blank patches tie, and the original takes any
    ),
}


def uniforms(seed: int, count: int) -> NDArray[np.float64]:
    """Return numbers of [0, 1)."""
    raw = np.random.PCG64(seed).random_raw(count)
    return np.asarray(raw >> np.uint64(11), np.float64) / 2**53


def make_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return weights for the names and shapes of a state dict, in its order."""
    return {
        name: torch.from_numpy(_make_weight(name, shape, seed))
        for seed, (name, shape) in enumerate(shapes.items())
    }


def _make_weight(name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.generic]:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    signed = uniforms(seed, math.prod(shape)).reshape(shape) * 2 - 1
    if name.endswith("running_var"):
        values = 1 + 0.5 * signed
    elif len(shape) == 1:
        values = 0.1 * signed + (1.0 if name.endswith("weight") else 0.0)
    else:
        gain = 3.0 if name.endswith(("q_w.weight", "k_w.weight")) else 1.0
        values = signed * gain * math.sqrt(3 / math.prod(shape[1:]))
    return values.astype(np.float32)


def make_images(case: IPSCase) -> list[NDArray[np.uint8]]:
    """Return images (H, W) or (H, W, 3), black or dim noise with boxes of noise."""
    images = []
    for number in range(case.images):
        shape = (case.height, case.width, case.channels)
        image = np.zeros(shape, np.uint8)
        if not case.has_blank:
            image[:] = uniforms(number + 1, math.prod(shape)).reshape(shape) * 64
        for box in range(12):
            seed = 1000 * (number + 1) + 10 * box
            down, right = uniforms(seed, 2)
            row, col = int(down * (case.height - 16)), int(right * (case.width - 16))
            noise = uniforms(seed + 1, 16 * 16 * case.channels).reshape(16, 16, -1)
            image[row : row + 16, col : col + 16] = noise * 256
        images.append(image[:, :, 0] if case.channels == 1 else image)
    return images
