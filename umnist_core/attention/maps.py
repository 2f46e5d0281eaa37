"""Where a model looked: weights of places, with the boxes of the places in image px.

A map never travels without its frame, so it can be laid over the image at any zoom,
compared with the true digits, and read under the pointer, whatever grid it came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.shown import ShowsItself


@dataclass(frozen=True)
class AttentionMap(ShowsItself):
    """How much weight each place of an image has, for each task and head.

    Attributes
    ----------
    weights
        float32 (tasks, heads, places), 0 or more; over the places of a task and head they sum
        to 1, or to 0 where nothing was looked at.
    boxes
        float32 (places, 4): row0, col0, row1, col1 in image px, half-open; they may overlap.
    height, width
        Of the image, px.
    tasks
        Names of the tasks, in the order of ``weights``; ``("sum",)`` for a single one.
    kind
        What the weights are, in a few words for people, such as ``"cross-attention"``.
    """

    weights: NDArray[np.float32]
    boxes: NDArray[np.float32]
    height: int
    width: int
    tasks: tuple[str, ...]
    kind: str

    def __post_init__(self) -> None:
        shape = self.weights.shape
        if len(shape) != 3 or shape[0] != len(self.tasks) or self.boxes.shape != (shape[2], 4):
            raise InvalidValueError(
                f"Expected weights ({len(self.tasks)} tasks, heads, places) and boxes (places, 4); "
                f"got {shape} and {self.boxes.shape}."
            )
        if not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise InvalidValueError("Weights of attention are finite and 0 or more; got others.")

    @property
    def heads(self) -> int:
        """Heads of each task."""
        return int(self.weights.shape[1])

    def place_weights(
        self, task: str | None = None, head: int | None = None
    ) -> NDArray[np.float32]:
        """Return the weights of the places, float32 (places,): of a task and head, or their mean.

        Raises
        ------
        InvalidValueError
            If there is no such task or head.
        """
        if task is not None and task not in self.tasks:
            raise InvalidValueError(f"The tasks are {', '.join(self.tasks)}; got {task!r}.")
        if head is not None and not 0 <= head < self.heads:
            raise InvalidValueError(f"The heads are 0 to {self.heads - 1}; got {head}.")
        chosen = self.weights if task is None else self.weights[[self.tasks.index(task)]]
        chosen = chosen if head is None else chosen[:, [head]]
        mean: NDArray[np.float32] = chosen.mean(axis=(0, 1), dtype=np.float32)
        return mean
