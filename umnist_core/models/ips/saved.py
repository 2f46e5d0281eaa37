"""Weights of IPS in files as people save them: alone, in a dictionary of a run, under prefixes.

Only tensors are read (``weights_only``), and nothing of a file is ever executed. What is found in
the wild: ``torch.save(net.state_dict(), FILE)``, as the original and Riffi-Aslett and Fell do;
dictionaries that have it under a name (``state_dict``, ``model_state``, ``model``, …) beside an
epoch and an optimiser; ``module.`` of `DataParallel`, ``_orig_mod.`` of `torch.compile` and names
of wrappers before every weight; safetensors; whole modules, which are pickles and are refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.models.cards import WEIGHTS_SUFFIX
from umnist_core.models.tensor_file import load_tensors

QUERIES = "transf.crs_attn.q"
"""A weight that every IPS has; what stands before it stands before all."""

_SAVE_THERE = "save it there with torch.save(net.state_dict(), FILE)"
_DEEPEST = 3
_CLASS = re.compile(r"GLOBAL (\S+) was not an allowed global")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the weights of an IPS, without executing anything.

    Returns
    -------
    dict
        Tensors by the names of the original, without what stood before all of them.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError
        If it is damaged, holds what could be code, or no weights of IPS, or those of several.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a state dict at {path}, found no file; check the path.")
    found = _load(path)
    if not isinstance(found, Mapping):
        raise DamagedFileError(
            f"{path} holds no state dict, that is tensors by name, but a {type(found).__name__}; "
            f"{_SAVE_THERE}."
        )
    states = dict(_iter_states(found, "", _DEEPEST))
    if len(states) > 1:
        raise DamagedFileError(
            f"{path} holds the weights of {len(states)} models ({', '.join(states)}); expected "
            "one; save that which you want alone."
        )
    if not states:
        raise DamagedFileError(
            f"{path} is no state dict of the original IPS: expected {QUERIES!r} among its names, "
            f"found {_shown(found)}; {_SAVE_THERE}."
        )
    return _unprefixed(path, next(iter(states.values())))


def _load(path: Path) -> Any:
    try:
        if path.suffix == WEIGHTS_SUFFIX:
            return load_tensors(path.read_bytes())[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats; what they hold is checked below
            return torch.load(path, map_location="cpu", weights_only=True)
    # Damaged archives raise errors of many kinds, and none of them is of use to a person.
    except Exception as error:
        if named := _CLASS.search(str(error)):
            raise DamagedFileError(
                f"{path} holds more than tensors, an object of {named[1]:.80}, and is not loaded, "
                f"since that could run code; expected tensors by name; {_SAVE_THERE}."
            ) from error
        if "TorchScript" in str(error):
            raise DamagedFileError(
                f"{path} holds more than tensors, a TorchScript program, and is not loaded; "
                f"expected tensors by name; {_SAVE_THERE}."
            ) from error
        raise DamagedFileError(
            f"{path} is damaged, or holds more than tensors and is not loaded; expected a file "
            "of torch.save(net.state_dict(), FILE); fetch it again, or save it so."
        ) from error


def _iter_states(found: Mapping[Any, Any], name: str, deep: int) -> Iterator[tuple[str, Any]]:
    """Yield each mapping that has the weights of an IPS, with the names that lead to it."""
    if any(isinstance(key, str) and _is_queries(key) for key in found):
        yield name or "itself", found
        return
    for key, value in found.items() if deep else ():
        if isinstance(value, Mapping):
            yield from _iter_states(value, f"{name}.{key}" if name else str(key), deep - 1)


def _is_queries(key: str) -> bool:
    return key == QUERIES or key.endswith(f".{QUERIES}")


def _unprefixed(path: Path, state: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Return the tensors without what stands before the name of the queries."""
    before = next(key for key in state if _is_queries(str(key))).removesuffix(QUERIES)
    tensors: dict[str, Tensor] = {}
    for key, value in state.items():
        if not isinstance(value, Tensor) or not str(key).startswith(before):
            what = f"named {before}…" if isinstance(value, Tensor) else "alone"
            raise DamagedFileError(
                f"{path} holds more than the weights of an IPS: expected tensors {what}, found "
                f"{str(key)[:80]!r} of the kind {type(value).__name__}; {_SAVE_THERE}."
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise DamagedFileError(
                f"{path}: expected finite weights, found {str(key)[:80]!r} with others; use a "
                "checkpoint from before the run diverged."
            )
        tensors[str(key).removeprefix(before)] = value
    return tensors


def _shown(found: Mapping[Any, Any]) -> str:
    names = [str(key)[:40] for key in found]
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "") or "nothing"
