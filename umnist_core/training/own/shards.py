"""Tensors that take long to work out, kept in files for a run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from umnist_core.errors import DamagedFileError
from umnist_core.files import write_whole
from umnist_core.models.tensor_file import dump_tensors, load_tensors
from umnist_core.training.data import one_thread_worker

Make = Callable[[range], dict[str, Tensor]]
"""Works out the tensors of some scenes, which are given by their indices."""


def iter_kept(
    out: Path, name: str, make: Make, *, count: int, at_once: int, workers: int = 0
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield tensors of many scenes, some at once, in order; what no file keeps is made and kept.

    Parameters
    ----------
    out, name
        Folder of the files, and what their names begin with.
    make
        Where there are workers, picklable.
    count, at_once
        Scenes in all, and of a file.
    workers
        Processes; 0 to work in this one. What they make is the same.

    Yields
    ------
    tuple
        How many scenes are done, and the tensors of the last of them.

    Raises
    ------
    DamagedFileError
        If a file is none of tensors.
    WriteError
        If one cannot be written.
    """
    ranges = [range(first, min(first + at_once, count)) for first in range(0, count, at_once)]
    loader: DataLoader[dict[str, Tensor]] = DataLoader(
        _Shards(out, name, make, ranges),
        batch_size=None,
        num_workers=min(workers, len(ranges)),
        worker_init_fn=one_thread_worker,
        generator=torch.Generator().manual_seed(0),
    )
    for indices, tensors in zip(ranges, loader, strict=True):
        yield indices.stop, tensors


class _Shards(Dataset[dict[str, Tensor]]):
    def __init__(self, out: Path, name: str, make: Make, ranges: Sequence[range]) -> None:
        self._out, self._name, self._make, self._ranges = out, name, make, ranges

    def __len__(self) -> int:
        return len(self._ranges)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        own = self._ranges[place]
        path = self._out / f"{self._name}-{own.start}-{own.stop}.safetensors"
        return kept_tensors(path, partial(self._make, own))


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
            return load_tensors(path.read_bytes())[0]
        except (OSError, DamagedFileError) as error:
            raise DamagedFileError(
                f"{path} holds no tensors of this run; remove it to work them out again."
            ) from error
    made = make()
    write_whole(path, dump_tensors(made, {}))
    return made
