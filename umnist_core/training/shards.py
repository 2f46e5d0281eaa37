"""Tensors that take long to work out, kept in files for a run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from umnist_core.errors import DamagedFileError
from umnist_core.files import write_whole
from umnist_core.training.data import one_thread_worker

Shard = tuple[Path, Callable[[], dict[str, Tensor]]]
"""The file that keeps tensors, and what makes them if there is none."""


def iter_kept(shards: Sequence[Shard], workers: int = 0) -> Iterator[dict[str, Tensor]]:
    """Yield what the files keep, in order; what is missing is made, and kept.

    Parameters
    ----------
    shards
        Where there are workers, what makes tensors must be picklable.
    workers
        Processes; 0 to work in this one. What they make is the same.

    Raises
    ------
    DamagedFileError
        If a file is none of tensors.
    WriteError
        If one cannot be written.
    """
    loader: DataLoader[dict[str, Tensor]] = DataLoader(
        _Shards(shards),
        batch_size=None,
        num_workers=min(workers, len(shards)),
        worker_init_fn=one_thread_worker,
        generator=torch.Generator().manual_seed(0),
    )
    yield from loader


class _Shards(Dataset[dict[str, Tensor]]):
    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return len(self._shards)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return kept_tensors(*self._shards[place])


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
