"""Take a state dict of the original implementation of IPS into `umnist_core.models.ips.model.IPS`.

Bergner, Lippert and Mahendran, ICLR 2023, arXiv 2210.13007, repository benbergner/ips
(architecture/ips_net.py): what its users keep by ``torch.save(net.state_dict(), FILE)``. Only
tensors are read (``weights_only``); nothing of a file is ever executed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.models.base import MEGAPIXEL_TASKS
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patch_encoders import RESNET18_WIDTHS

FROM_STATE_DICT = (
    "channels",
    "encoder",
    "blocks",
    "width",
    "key_width",
    "value_width",
    "inner_width",
    "tasks",
)
"""Settings that the file itself gives."""

_NAMES = (
    ("encoder.0.", "encoder.layers.0."),  # first convolution
    ("encoder.1.", "encoder.layers.1."),  # its norm; 2 and 3 have no weights
    ("encoder.4.", "encoder.layers.4."),
    ("encoder.5.", "encoder.layers.5."),
    ("encoder.6.", "encoder.layers.6."),
    ("encoder.7.", "encoder.layers.7."),
    ("transf.crs_attn.q_w.", "attention.to_query."),
    ("transf.crs_attn.k_w.", "attention.to_key."),
    ("transf.crs_attn.v_w.", "attention.to_value."),
    ("transf.crs_attn.fc.", "attention.join."),
    ("transf.crs_attn.layer_norm.", "attention.join_norm."),
    ("transf.crs_attn.q", "attention.queries"),
    ("transf.mlp.w_1.", "attention.inner."),
    ("transf.mlp.w_2.", "attention.outer."),
    ("transf.mlp.layer_norm.", "attention.outer_norm."),
)
"""Start of a name there -> start of the name here; the first that fits counts."""

_MUST_HAVE = ("encoder.0.weight", "transf.crs_attn.q", "transf.crs_attn.q_w.weight")


def import_ips(path: Path, **settings: Any) -> IPS:
    """Make the model that a state dict of the original holds, in evaluation mode.

    Parameters
    ----------
    path
        File of `torch.save`, with a state dict alone.
    settings
        Fields of `IPSConfig` that weights do not show: ``heads``, ``memory``, ``iteration``,
        ``patch_px``, ``stride_px``, ``positions``, ``shuffle``, dropouts, ``mean`` and
        ``deviation``. By default those of Megapixel MNIST. Edges are dropped, as there.
        ``tasks`` may name those of the file anew, in its order.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError
        If it is no state dict of the original, or holds more than tensors.
    InvalidValueError
        If a setting does not fit the weights.
    """
    state = read_state_dict(path)
    config = _read_config(path, state, settings)
    renamed = {_rename(name): tensor for name, tensor in state.items()}
    model = IPS(config)
    wanted = model.state_dict()
    if wrong := sorted(set(renamed) ^ set(wanted)):
        raise DamagedFileError(
            f"{path} is no state dict of the original IPS with ResNet-18: {wrong[0][:80]!r} is "
            f"{'missing' if wrong[0] in wanted else 'unknown'}."
        )
    for name, tensor in renamed.items():
        if tensor.shape != wanted[name].shape:
            raise DamagedFileError(
                f"{path} does not fit the original IPS: expected {name} of shape "
                f"{tuple(wanted[name].shape)}, found {tuple(tensor.shape)}."
            )
    model.load_state_dict(renamed)
    return model.eval()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file of `torch.save`, without executing anything.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError
        If it holds anything but named tensors.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a state dict at {path}, found no file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats; what they hold is checked below
            found = torch.load(path, map_location="cpu", weights_only=True)
    # Damaged archives raise errors of many kinds, and none of them is of use to a person.
    except Exception as error:
        raise DamagedFileError(
            f"{path} is damaged, or holds more than tensors and is not loaded; expected a file "
            "of torch.save(net.state_dict(), FILE)."
        ) from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise DamagedFileError(
            f"{path} holds no state dict, that is tensors by name; expected a file of "
            "torch.save(net.state_dict(), FILE)."
        )
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def _read_config(path: Path, state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> IPSConfig:
    """Return the settings that weights show, with those that are given."""
    if missing := [name for name in _MUST_HAVE if name not in state]:
        raise DamagedFileError(
            f"{path} is no state dict of the original IPS on images: {missing[0]!r} is missing."
        )
    width = state["transf.crs_attn.q"].shape[-1]
    blocks = [count for count, wide in RESNET18_WIDTHS.items() if wide == width]
    shown = {"encoder.4.0.conv1.weight", "transf.crs_attn.v_w.weight", "transf.mlp.w_1.weight"}
    if not blocks or "encoder.4.0.conv3.weight" in state or not shown <= set(state):
        raise DamagedFileError(
            f"{path} has no encoder that can be taken; expected ResNet-18 with 2 or 4 blocks."
        )
    if named := sorted(set(settings) & set(FROM_STATE_DICT) - {"tasks"}):
        raise InvalidValueError(f"{named[0]} follows from the file; leave it out.")
    heads = int(settings.get("heads", IPSConfig().heads))
    keys = state["transf.crs_attn.q_w.weight"].shape[0]
    values = state["transf.crs_attn.v_w.weight"].shape[0]
    if heads < 1 or keys % heads or values % heads:
        raise InvalidValueError(f"Expected heads that divide {keys} and {values}; got {heads}.")
    given: dict[str, Any] = {"edges": "drop", "tasks": _read_tasks(state)} | dict(settings)
    return IPSConfig(
        **given,
        channels=state["encoder.0.weight"].shape[1],
        blocks=blocks[0],
        width=width,
        key_width=keys // heads,
        value_width=values // heads,
        inner_width=state["transf.mlp.w_1.weight"].shape[0],
    )


def _read_tasks(state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the tasks in the order of the file, which is that of the queries."""
    known = {task.name: task.classes for task in MEGAPIXEL_TASKS}
    tasks = []
    for name, tensor in state.items():
        if found := re.fullmatch(r"output_layers\.(\w+)\.0\.weight", name):
            task, classes = found[1], tensor.shape[0]
            tasks.append(task if known.get(task) == classes else f"{task}:{classes}")
    return tuple(tasks)


def _rename(name: str) -> str:
    for start, ours in _NAMES:
        if name.startswith(start):
            return ours + name[len(start) :]
    if found := re.fullmatch(r"output_layers\.(\w+)\.0\.(weight|bias)", name):
        return f"answers.{found[1]}.{found[2]}"
    return name
