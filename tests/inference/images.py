"""Small scenes, files and checkpoints to predict with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from umnist_core.inference.requests import FileImage, PredictRequest, SceneImage
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.scenes import SceneRef

OVERRIDES = (("canvas", "600"), ("factor", "1..4"))
SCENE = SceneImage(SceneRef("released", 7, "train", 3, OVERRIDES))
MEGAPIXEL = SceneImage(
    SceneRef("megapixel", 7, "train", 3, (("canvas", "300"), ("noise_count", "4")))
)

IPS = {"patch_px": 25, "stride_px": 25, "memory": 10, "iteration": 20}
"""Of 600 px a side: 576 patches, so 29 rounds."""


def ask(checkpoint: Path | str, image: SceneImage | FileImage = SCENE) -> PredictRequest:
    """Return a request."""
    return PredictRequest(str(checkpoint), "auto", image)


def save_small(folder: Path, name: str, **settings: object) -> Path:
    """Write a checkpoint with fresh weights and return its path."""
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_checkpoint(path, create_model(name, settings).eval(), Card(name))
    return path


def save_photo(path: Path, height: int = 480, width: int = 640) -> FileImage:
    """Write an image in many colours."""
    coarse = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(coarse, (width, height)))
    return FileImage(str(path))
