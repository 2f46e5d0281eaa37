"""Trained models on disk: weights in safetensors, and a card beside them (`models.cards`).

Nothing here unpickles: a file is tensors and text, or it is refused with a sentence.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    UmnistError,
)
from umnist_core.files import write_whole
from umnist_core.models.base import Model
from umnist_core.models.cards import WEIGHTS_SUFFIX, Card, card_path, card_text, load_card
from umnist_core.models.registry import create_model, get_entry
from umnist_core.models.tensor_file import dump_tensors, load_tensors
from umnist_core.paths import read_file

FORMAT = "1"
"""Raised when a file is laid out in another way; written into the file."""

_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""Zip archives of `torch.save`, and plain pickles."""


def save_checkpoint(path: Path, model: Model, card: Card, *, half: bool = False) -> Card:
    """Write the weights of a model and its card.

    Parameters
    ----------
    path
        Ends in ``.safetensors``; the card goes beside it. What is there is replaced.
    model
        What to keep: parameters and buffers, from any device.
    card
        Its ``config`` and ``sha256`` are replaced by those of ``model`` and of the file.
    half
        Whether matrices and kernels are kept in 16 bits. Vectors (biases, norms, running
        statistics) and whatever would overflow stay as they are.

    Returns
    -------
    Card
        As written.

    Raises
    ------
    InvalidValueError
        If the name is wrong, or the card is that of another model.
    WriteError
        If the files cannot be written.
    """
    if path.suffix != WEIGHTS_SUFFIX:
        raise InvalidValueError(
            f"Expected a checkpoint's name to end in {WEIGHTS_SUFFIX}; got {path.name!r}."
        )
    if not isinstance(model, get_entry(card.model).model):
        raise InvalidValueError(
            f"Expected a card of the model that is saved; the card says {card.model!r} and the "
            f"model is a {type(model).__name__}."
        )
    tensors = model.state_dict()
    if half:
        tensors = {name: shortened(tensor) for name, tensor in tensors.items()}
    data = dump_tensors(tensors, {"umnist": FORMAT, "model": card.model})
    written = dataclasses.replace(
        card,
        config=dataclasses.asdict(model.config),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    write_whole(path, data)
    write_whole(card_path(path), card_text(written).encode())
    return written


def shortened(tensor: Tensor) -> Tensor:
    """Return a matrix or kernel in 16 bits; vectors, and what would overflow, as they are."""
    if tensor.ndim < 2 or tensor.dtype != torch.float32:
        return tensor
    small = tensor.half()
    return small if bool(torch.isfinite(small).all()) else tensor


def load_checkpoint(path: Path) -> tuple[Model, Card]:
    """Make the model that a checkpoint holds, on the CPU, in evaluation mode, 32-bit floats.

    Parameters
    ----------
    path
        The weights file; its card lies beside it.

    Raises
    ------
    MissingFileError
        If the weights or the card are not there.
    DamagedFileError
        If a file is damaged, pickled, foreign, of another model, or not that of the card.
    TooLargeError
        If the card is larger than a card can be.
    """
    if not path.is_file():
        raise MissingFileError(
            f"Expected a checkpoint at {path}, found none; `umnist models list` names those that "
            "come with umnist."
        )
    try:
        data = read_file(path)
    except OSError as error:
        raise MissingFileError(
            f"Expected a checkpoint that can be read at {path}, found {error.strerror or error}; "
            "correct its permissions."
        ) from error
    tensors, metadata = _read_tensors(path, data)
    card = load_card(path)
    if metadata["model"] != card.model:
        raise DamagedFileError(
            f"{path} holds weights of {metadata['model'][:60]!r} and its card is that of "
            f"{card.model[:60]!r}; put the right card beside it."
        )
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise DamagedFileError(
            f"{path} is not the file that its card describes (other SHA-256); get both again."
        )
    model = _make_model(path, card)
    _check_tensors(path, tensors, model)
    model.load_state_dict(tensors)
    return model.eval(), card


def _read_tensors(path: Path, data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a weights file of ours."""
    if data.startswith(_PICKLE_STARTS):
        raise DamagedFileError(
            f"{path} holds pickled objects, which umnist never loads; expected safetensors "
            "(`umnist models import-ips` takes state dicts of the original IPS)."
        )
    try:
        tensors, metadata = load_tensors(data)
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{path} is damaged or no safetensors file; get it again."
        ) from error
    if metadata.get("umnist") != FORMAT or "model" not in metadata:
        raise DamagedFileError(
            f"{path} was not written by this version of umnist; expected a checkpoint of "
            f"`umnist train` (format {FORMAT})."
        )
    return tensors, metadata


def _make_model(path: Path, card: Card) -> Model:
    try:
        return create_model(card.model, card.config)
    except (UmnistError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "unknown"
        raise DamagedFileError(
            f"The card of {path} describes no model of this version ({reason}); get both files "
            "again."
        ) from error


def _check_tensors(path: Path, tensors: Mapping[str, Tensor], model: Model) -> None:
    wanted = model.state_dict()
    if wrong := sorted(set(tensors) ^ set(wanted)):
        where = "lacks" if wrong[0] in wanted else "has beyond its model"
        raise DamagedFileError(
            f"{path} holds weights of another model: it {where} {wrong[0][:80]!r}."
        )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise DamagedFileError(
                f"{path} holds weights of another model: expected {name} of shape "
                f"{tuple(wanted[name].shape)}, found {tuple(tensor.shape)}."
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DamagedFileError(f"{path} is damaged: {name} has values that are not finite.")
