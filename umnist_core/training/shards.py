"""Tensors that take long to work out, kept in files for a run that goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from umnist_core.errors import DamagedFileError
from umnist_core.files import write_whole


def kept_tensors(path: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors that a file keeps; where there is none they are made, and kept.

    Parameters
    ----------
    path
        Ends in ``.safetensors``; its folder must exist.
    make
        Called if there is no file.

    Raises
    ------
    DamagedFileError
        If the file is none of tensors.
    WriteError
        If it cannot be written.
    """
    if path.is_file():
        try:
            return safetensors.torch.load(path.read_bytes())
        except (OSError, safetensors.SafetensorError) as error:
            raise DamagedFileError(
                f"{path} holds no tensors of this run; remove it to work them out again."
            ) from error
    made = {name: one.contiguous() for name, one in make().items()}
    write_whole(path, safetensors.torch.save(made))
    return made
