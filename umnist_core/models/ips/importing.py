"""Take weights of the original implementation of IPS into `umnist_core.models.ips.model.IPS`.

Bergner, Lippert and Mahendran, ICLR 2023, arXiv 2210.13007, repository benbergner/ips
(architecture/ips_net.py), and Riffi-Aslett and Fell, arXiv 2412.11237, whose files have one weight
more: the projection of heads to answers of their own, which they train with. How files are
read, `umnist_core.models.ips.saved` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.models.base import CLASS, MEGAPIXEL_TASKS
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patch_encoders import RESNET18_WIDTHS
from umnist_core.models.ips.saved import QUERIES, read_state_dict

FROM_STATE_DICT = (
    "channels",
    "encoder",
    "blocks",
    "width",
    "key_width",
    "value_width",
    "inner_width",
    "tasks",
    "head_answers",
)
"""Settings that the file itself gives."""

OF_COLOUR: Mapping[str, Any] = {
    "resized_px": (1200, 1600),
    "means": (0.485, 0.456, 0.406),
    "deviations": (0.229, 0.224, 0.225),
}
"""What the original does with photographs in colour, its traffic signs: ImageNet's statistics."""

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
    ("transf.crs_attn.fb.", "attention.project_head."),
    ("transf.crs_attn.layer_norm.", "attention.join_norm."),
    (QUERIES, "attention.queries"),
    ("transf.mlp.w_1.", "attention.inner."),
    ("transf.mlp.w_2.", "attention.outer."),
    ("transf.mlp.layer_norm.", "attention.outer_norm."),
)
"""Start of a name there -> start of the name here; the first that fits counts."""

_MUST_HAVE = ("encoder.0.weight", "transf.crs_attn.q_w.weight")
_PROJECTION = "transf.crs_attn.fb.weight"


def import_ips(path: Path, **settings: Any) -> IPS:
    """Make the model that a file of the original holds, in evaluation mode.

    Parameters
    ----------
    path
        As of `read_state_dict`.
    settings
        Fields of `IPSConfig` that weights do not show: ``heads``, ``memory``, ``iteration``,
        ``patch_px``, ``stride_px``, ``positions``, ``shuffle``, dropouts, and those of pixels. By
        default those of Megapixel MNIST, and of weights for colour `OF_COLOUR` and one task of
        their own as ``"class"``, which data sets of photographs have. Edges are dropped, as there.
        ``tasks`` may name those of the file anew, in its order.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError
        If it is none of the original, or holds more than tensors.
    InvalidValueError
        If a setting does not fit the weights.
    """
    state = read_state_dict(path)
    config = _read_config(path, state, settings)
    tasks = dict(zip(_find_tasks(state), config.parsed_tasks(), strict=True))
    names = {name: task.name for name, task in tasks.items()}
    renamed = {_rename(name, names): tensor for name, tensor in state.items()}
    model = IPS(config)
    wanted = model.state_dict()
    if wrong := sorted(set(renamed) ^ set(wanted)):
        raise DamagedFileError(
            f"{path} is no state dict of the original IPS with ResNet-18: {wrong[0][:80]!r} is "
            f"{'missing' if wrong[0] in wanted else 'unknown'}; save net.state_dict() whole."
        )
    for name, tensor in renamed.items():
        if tensor.shape != wanted[name].shape:
            raise DamagedFileError(
                f"{path} does not fit the original IPS: expected {name} of shape "
                f"{tuple(wanted[name].shape)}, found {tuple(tensor.shape)}."
            )
    model.load_state_dict(renamed)
    return model.eval()


def import_notes(model: IPS) -> tuple[str, ...]:
    """Return what is to be known of a model that was imported, a sentence each."""
    notes = []
    if model.config.head_answers:
        notes.append(
            "The file has a projection of each head for a loss of its own; it is kept for training "
            "on with head_loss, and no answer comes from it."
        )
    if model.config.resized_px:
        height, width = model.config.resized_px
        notes.append(
            f"Of weights for colour, images are resized to {width} x {height} px and normalised as "
            "ImageNet's, as the original does with its traffic signs."
        )
    return tuple(notes)


def _read_config(path: Path, state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> IPSConfig:
    """Return the settings that weights show, with those that are given."""
    width, blocks = _read_encoder(path, state)
    if named := sorted(set(settings) & set(FROM_STATE_DICT) - {"tasks"}):
        raise InvalidValueError(f"{named[0]} follows from the file; leave it out.")
    found = _find_tasks(state)
    channels = state["encoder.0.weight"].shape[1]
    tasks = tuple(settings.get("tasks", found.values()))
    if "tasks" not in settings and channels == 3 and len(tasks) == 1:
        tasks = (CLASS + tasks[0][tasks[0].find(":") :] if ":" in tasks[0] else tasks[0],)
    if len(tasks) != len(found):
        raise InvalidValueError(
            f"Expected a name for each of the {len(found)} tasks of the file ({', '.join(found)}); "
            f"got {len(tasks)}."
        )
    given: dict[str, Any] = {"edges": "drop"} | (dict(OF_COLOUR) if channels == 3 else {})
    return IPSConfig(
        **(given | dict(settings) | {"tasks": tasks}),
        channels=channels,
        blocks=blocks,
        width=width,
        inner_width=state["transf.mlp.w_1.weight"].shape[0],
        **_read_heads(path, state, int(settings.get("heads", IPSConfig().heads))),
    )


def _read_encoder(path: Path, state: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return the width of embeddings, and the stages of ResNet-18."""
    if "encoder.0.weight" not in state and "encoder.1.weight" in state:
        raise DamagedFileError(
            f"{path} is an IPS on features that another network found, not on images: expected a "
            "first convolution 'encoder.0.weight', found none; use one that was trained on images."
        )
    if missing := [name for name in _MUST_HAVE if name not in state]:
        raise DamagedFileError(
            f"{path} is no state dict of the original IPS on images: {missing[0]!r} is missing."
        )
    width = state[QUERIES].shape[-1]
    blocks = [count for count, wide in RESNET18_WIDTHS.items() if wide == width]
    is_bottleneck = "encoder.4.0.conv3.weight" in state
    shown = {"encoder.4.0.conv1.weight", "transf.crs_attn.v_w.weight", "transf.mlp.w_1.weight"}
    if not blocks or is_bottleneck or not shown <= set(state):
        found = "ResNet-50" if is_bottleneck else f"another with embeddings of {width} numbers"
        raise DamagedFileError(
            f"{path} has no encoder that can be taken: expected ResNet-18 with 2 or 4 blocks, "
            f"found {found}; train that encoder anew here, or use a checkpoint of ResNet-18."
        )
    return width, blocks[0]


def _read_heads(path: Path, state: Mapping[str, Tensor], heads: int) -> dict[str, Any]:
    """Return the widths of heads, and whether they have a projection of their own."""
    keys = state["transf.crs_attn.q_w.weight"].shape[0]
    values = state["transf.crs_attn.v_w.weight"].shape[0]
    if heads < 1 or keys % heads or values % heads:
        raise InvalidValueError(f"Expected heads that divide {keys} and {values}; got {heads}.")
    projection = state.get(_PROJECTION)
    of_one = values // heads
    if projection is not None and projection.ndim == 2 and projection.shape[1] != of_one:
        raise InvalidValueError(
            f"{path} has a projection of heads of {projection.shape[1]} values, which makes "
            f"{values / projection.shape[1]:g} heads; got {heads}; say how many with heads."
        )
    return {
        "key_width": keys // heads,
        "value_width": of_one,
        "head_answers": projection is not None,
    }


def _find_tasks(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the tasks in the order of the file, which is that of the queries, as settings."""
    known = {task.name: task.classes for task in MEGAPIXEL_TASKS}
    tasks = {}
    for name, tensor in state.items():
        if found := re.fullmatch(r"output_layers\.(\w+)\.0\.weight", name):
            task, classes = found[1], tensor.shape[0]
            tasks[task] = task if known.get(task) == classes else f"{task}:{classes}"
    return tasks


def _rename(name: str, tasks: Mapping[str, str]) -> str:
    for start, ours in _NAMES:
        if name.startswith(start):
            return ours + name[len(start) :]
    if found := re.fullmatch(r"output_layers\.(\w+)\.0\.(weight|bias)", name):
        return f"answers.{tasks.get(found[1], found[1])}.{found[2]}"
    return name
