"""Published weights of backbones: from a local file, or from torchvision where a network is.

They are for the backbone alone; the head always begins fresh. What was loaded is returned as a
sentence, so that no training is called pretrained that was not.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.models.tensor_file import load_tensors

NONE, IMAGENET = "none", "imagenet"
SCRATCH = "trained from scratch"


def load_backbone(model: nn.Module, pretrained: str) -> str:
    """Fill the backbone of a model and return where its weights are from.

    Parameters
    ----------
    model
        One with ``backbone``, ``backbone_weights`` and ``head_prefixes``, as `ConvNet` has.
    pretrained
        ``"none"``; ``"imagenet"``, torchvision's, which are fetched once; or the path of a
        ``.safetensors`` or ``.pth`` file of the same, read without running code.

    Returns
    -------
    str
        For cards and logs. Where ``"imagenet"`` cannot be fetched the backbone stays as it
        was, and the sentence says so.

    Raises
    ------
    InvalidValueError
        If there are no published weights for the model.
    MissingFileError, DamagedFileError
        If the file is not there or is not of this backbone.
    """
    if pretrained == NONE:
        return SCRATCH
    weights: WeightsEnum | None = getattr(model, "backbone_weights", None)
    if weights is None:
        raise InvalidValueError(
            f"There are no published weights for this model; set pretrained to {NONE!r}, got "
            f"{pretrained!r}."
        )
    if pretrained != IMAGENET:
        path = Path(pretrained)
        _fill(model, _read(path), str(path))
        return f"backbone from {path.name} (sha256 {_digest(path)[:12]})"
    try:
        # check_hash: the file's name holds the beginning of its sha256.
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:120]
        return f"{SCRATCH}: {weights} could not be fetched ({reason})"
    _fill(model, state, str(weights))
    return f"backbone from torchvision's {weights}"


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise MissingFileError(
            f"Expected weights of a backbone in {path}, found no file; check the path, or train "
            f"with pretrained set to {NONE!r}."
        )
    try:
        if path.suffix == ".safetensors":
            return load_tensors(path.read_bytes())[0]
        state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (DamagedFileError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise DamagedFileError(
            f"{path}: expected weights as torchvision publishes them, found something else "
            f"({reason}); fetch the file again."
        ) from error
    return state


def _fill(model: nn.Module, state: Mapping[str, Any], name: str) -> None:
    backbone: nn.Module = model.backbone  # type: ignore[assignment]
    prefixes: tuple[str, ...] = model.head_prefixes  # type: ignore[assignment]
    expected = {
        key: value.shape for key, value in backbone.state_dict().items() if _is_body(key, prefixes)
    }
    found = {
        key: value
        for key, value in state.items()
        if isinstance(value, Tensor) and _is_body(key, prefixes)
    }
    # Old files have no counters of batches.
    wrong = [
        key
        for key, shape in expected.items()
        if not key.endswith("num_batches_tracked")
        and (key not in found or found[key].shape != shape)
    ]
    if wrong or found.keys() - expected.keys():
        first = [*wrong, *sorted(found.keys() - expected.keys())][0]
        raise DamagedFileError(
            f"{name}: expected the weights of this model's backbone, found others (at {first}); "
            "choose the file of the same backbone."
        )
    backbone.load_state_dict(found, strict=False)


def _is_body(key: str, head_prefixes: tuple[str, ...]) -> bool:
    return not key.startswith(head_prefixes)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
