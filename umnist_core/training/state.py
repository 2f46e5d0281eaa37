"""Where a run stands, in one file: weights, the optimiser's averages, counters.

Tensors and text, as in a checkpoint; nothing is pickled. One file replaces the other whole, so
a kill at any moment leaves a state that was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.files import write_whole
from umnist_core.models.tensor_file import dump_tensors, load_tensors
from umnist_core.parsing import parse_json
from umnist_core.training.config import DataPart, OptimizerPart, RunPart, SchedulePart

PHASE = "state"
"""Name of the one phase of most runs."""

STATE_FILE = f"{PHASE}.safetensors"
FORMAT = "1"

_MAY_DIFFER = {
    *(("data", "workers"), ("run", "save_minutes"), ("run", "device")),
    *((name, one) for name in ("recipe", "training") for one in ("workers", "save_minutes")),
}
"""Settings that a resumed run may have changed: its results do not follow from them."""


_UNTOLD = {"data": DataPart, "optimizer": OptimizerPart, "schedule": SchedulePart, "run": RunPart}
"""Sections whose runs were as by default in what nobody could set when they began."""

Settings = Mapping[str, Mapping[str, Any]]
"""Section -> setting -> value: what a state follows from."""


@dataclass
class PhaseProgress:
    """How far a phase is.

    Attributes
    ----------
    epoch
        Epochs that are done.
    step
        Steps of the optimiser that are done in the running epoch.
    loss_sum, seen
        Loss times images, and images, of the running epoch on this process.
    rows
        The metrics of the epochs that are done.
    best
        Figure of the best epoch; None before the first.
    waited
        Epochs since then.
    plateau
        Fields of `umnist_core.training.schedule.Plateau`.
    seconds
        Time spent, over all resumptions.
    batch_size
        Images of a step, as searched for or set.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    waited: int = 0
    plateau: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    batch_size: int = 0


def save_state(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    scaler: dict[str, Any],
    progress: PhaseProgress,
    settings: Settings,
) -> None:
    """Write where a run stands.

    Raises
    ------
    WriteError
        If the file cannot be written; the one before is unchanged.
    """
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    numbers: dict[str, Any] = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value
            else:
                numbers[f"{index}/{name}"] = value
    text = {"progress": vars(progress), "numbers": numbers, "scaler": scaler, "config": settings}
    write_whole(path, dump_tensors(tensors, {"umnist-state": FORMAT, "text": json.dumps(text)}))


def load_state(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    settings: Settings,
) -> tuple[PhaseProgress, dict[str, Any]]:
    """Put a model and an optimiser where a run stood.

    Returns
    -------
    PhaseProgress
        Of the run.
    dict
        State of the gradient scaler; empty without mixed precision.

    Raises
    ------
    DamagedFileError
        If the file is no state of this model.
    InvalidValueError
        If the run had other settings.
    """
    tensors, text = _read(path)
    check_settings(path, text["config"], settings)
    own = {key[6:]: value for key, value in tensors.items() if key.startswith("model/")}
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer/"):
            _, index, name = key.split("/", 2)
            state.setdefault(int(index), {})[name] = value
    for key, value in text["numbers"].items():
        index, name = key.split("/", 1)
        state.setdefault(int(index), {})[name] = value
    try:
        model.load_state_dict(own)
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        _lay_out(optimizer)
        return text["progress"], text["scaler"]
    except (RuntimeError, ValueError, TypeError) as error:
        raise _damaged(path, str(error).splitlines()[0][:120]) from error


def find_progress(path: Path) -> PhaseProgress | None:
    """Return how far the run of a state is; None where there is no file."""
    return _read(path)[1]["progress"] if path.is_file() else None


def check_settings(path: Path, found: Settings, expected: Settings) -> None:
    """Refuse to go on with a run of a file if one of its settings is another than expected.

    Raises
    ------
    InvalidValueError
        Unless results do not follow from it.
    """
    for section, values in expected.items():
        untold = dataclasses.asdict(_UNTOLD[section]()) if section in _UNTOLD else {}
        for name, value in values.items():
            was = found.get(section, {}).get(name, untold.get(name))
            # As both are once they are written: tuples are lists.
            is_same = json.loads(json.dumps(was)) == json.loads(json.dumps(value))
            if (section, name) not in _MAY_DIFFER and not is_same:
                raise InvalidValueError(
                    f"The run in {path.parent} has {section}.{name} = {was!r:.80}, got "
                    f"{value!r:.80}; continue it with its own configuration, or choose another "
                    "folder."
                )


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Put averages in the order in memory that their weights have, so that sums round alike."""
    for weight, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                values[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        tensors, metadata = load_tensors(path.read_bytes())
        if metadata["umnist-state"] != FORMAT:
            raise ValueError(f"format {metadata['umnist-state']}")
        text: dict[str, Any] = parse_json(metadata["text"])
        text["progress"] = PhaseProgress(**text["progress"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error).splitlines()[0][:120]) from error
    return tensors, text


def _damaged(path: Path, reason: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: expected where a run of this model stood, found something else ({reason}); "
        "remove it to begin again."
    )
