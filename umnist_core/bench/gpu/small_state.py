"""Where a recipe stands, in a file of at most 16 MiB: weights, the optimiser's averages, counters.

A state of EfficientNet-B0 in 32 bits has 50 MB. So what is kept is chosen by what fits, in this
order, and what is lost goes along in words:

``whole``
    Everything as it is; going on gives the same numbers as not having stopped.
``half``
    Weights and averages in 16 bits.
``least``
    Weights in 16 bits, the averages of squares in 8 (powers of the fourth root of two, which is
    within 9 %), and no averages of gradients: these begin at 0, and are of ten steps or so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from umnist_core.errors import DamagedFileError, TooLargeError
from umnist_core.files import write_whole
from umnist_core.models.checkpoints import shortened
from umnist_core.models.tensor_file import dump_tensors, load_tensors
from umnist_core.parsing import parse_json
from umnist_core.training.state import PhaseProgress, Settings, check_settings

FORMAT = "1"

LOST = {
    "whole": "nothing",
    "half": "all but 16 bits of weights and averages",
    "least": "all but 16 bits of weights and 8 of the averages of squares; averages of gradients",
}
"""Way in which a state is kept -> what is lost."""

SQUARES, GRADIENTS = "exp_avg_sq", "exp_avg"
"""What Adam calls its averages."""

_PER_OCTAVE, _LEAST_OCTAVE = 4, -56


@dataclass(frozen=True)
class SmallState:
    """A state as it was read.

    Attributes
    ----------
    recipe
        Name of the recipe.
    way
        One of `LOST`.
    progress, settings
        How far it is, and what it follows from.
    weights
        Of the net, in 32 bits.
    averages
        Of the optimiser: number of the weight -> name -> tensor.
    """

    recipe: str
    way: str
    progress: PhaseProgress
    settings: Settings
    weights: dict[str, Tensor]
    averages: dict[int, dict[str, Tensor]]


def save_small_state(
    path: Path,
    recipe: str,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    progress: PhaseProgress,
    settings: Settings,
    most_bytes: int,
) -> tuple[str, int]:
    """Write a state in the way that loses least of those that fit.

    Returns
    -------
    tuple
        The way, and the bytes of the file.

    Raises
    ------
    TooLargeError
        If not even the last way fits.
    WriteError
        If it cannot be written; the one before is unchanged.
    """
    size = 0
    for way in LOST:
        text = {"recipe": recipe, "way": way, "progress": vars(progress), "config": settings}
        data = dump_tensors(
            _kept(net, optimizer, way), {"umnist-small-state": FORMAT, "text": json.dumps(text)}
        )
        size = len(data)
        if size <= most_bytes:
            write_whole(path, data)
            return way, size
    raise TooLargeError(
        f"Expected a state of {recipe} of at most {most_bytes} bytes, found {size} in the smallest "
        "way that there is; train that recipe with `umnist train`."
    )


def _kept(net: nn.Module, optimizer: torch.optim.Optimizer, way: str) -> dict[str, Tensor]:
    as_it_is: Callable[[Tensor], Tensor] = lambda one: one  # noqa: E731
    shorten = as_it_is if way == "whole" else shortened
    tensors = {f"model/{name}": shorten(one) for name, one in net.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            tensor = torch.as_tensor(value)
            if way == "least" and name == GRADIENTS:
                continue
            if way == "half" and tensor.ndim > 0:
                tensor = tensor.bfloat16()  # squares go below what float16 has
            elif way == "least" and name == SQUARES:
                tensor = to_codes(tensor)
            tensors[f"optimizer/{index}/{name}"] = tensor
    return tensors


def to_codes(squares: Tensor) -> Tensor:
    """Return averages of squares, 0 or more, as uint8: 0 for 0, else their logarithm."""
    octaves = squares.clamp_min(1e-30).log2() - _LEAST_OCTAVE
    codes = (octaves * _PER_OCTAVE).round().clamp(0, 254) + 1
    return torch.where(squares > 0, codes, 0).to(torch.uint8)


def from_codes(codes: Tensor) -> Tensor:
    """Return the averages of squares that codes stand for, float32."""
    squares = torch.exp2((codes.float() - 1) / _PER_OCTAVE + _LEAST_OCTAVE)
    return torch.where(codes > 0, squares, 0.0)


def load_small_state(path: Path) -> SmallState:
    """Read a state.

    Raises
    ------
    DamagedFileError
        If the file is none.
    """
    try:
        tensors, metadata = load_tensors(path.read_bytes())
        if metadata["umnist-small-state"] != FORMAT:
            raise ValueError(f"format {metadata['umnist-small-state']}")
        text = parse_json(metadata["text"])
        averages: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            kind, _, rest = key.partition("/")
            if kind == "optimizer":
                index, name = rest.split("/", 1)
                averages.setdefault(int(index), {})[name] = _widened(value)
        return SmallState(
            recipe=str(text["recipe"]),
            way=str(text["way"]),
            progress=PhaseProgress(**text["progress"]),
            settings=text["config"],
            weights={k[6:]: _widened(v) for k, v in tensors.items() if k.startswith("model/")},
            averages=averages,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"Expected a state of gpu-check in {path}, found something else "
            f"({str(error).splitlines()[0][:120]}); give another, or none to begin anew."
        ) from error


def _widened(tensor: Tensor) -> Tensor:
    if tensor.dtype == torch.uint8:
        return from_codes(tensor)
    return tensor.float() if tensor.is_floating_point() else tensor


def go_on_from(
    state: SmallState, path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, now: Settings
) -> None:
    """Put a net and its optimiser where a state was.

    Raises
    ------
    InvalidValueError
        If the recipe has other settings now.
    DamagedFileError
        If the state is of another net.
    """
    check_settings(path, state.settings, now)
    try:
        net.load_state_dict(state.weights)
    except RuntimeError as error:
        raise DamagedFileError(
            f"Expected a state of {state.recipe} in {path}, found one of another net; give that of "
            "the recipe."
        ) from error
    own = optimizer.state_dict()
    shapes = [tuple(one.shape) for group in optimizer.param_groups for one in group["params"]]
    averages: Mapping[int, dict[str, Any]] = {
        index: {GRADIENTS: torch.zeros(shapes[index]), **values}
        for index, values in state.averages.items()
    }
    optimizer.load_state_dict({"state": averages, "param_groups": own["param_groups"]})
