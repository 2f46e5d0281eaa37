"""How many weights a file of them holds, read from its header; nothing here needs torch."""

from __future__ import annotations

import math
from pathlib import Path

from umnist_core.models.card_values import as_mapping
from umnist_core.parsing import parse_json

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 10_000_000

_NOT_LEARNED = ("running_mean", "running_var", "num_batches_tracked")
"""How tensors end that a normalisation counts by itself."""


def count_weights(path: Path) -> int:
    """Return how many weights a file has; 0 of a file that cannot be read.

    Parameters
    ----------
    path
        As safetensors lays tensors out: eight bytes say how long the header is, which is JSON.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            header = parse_json(file.read(length)) if length <= _MOST_HEADER_BYTES else {}
        tensors = (as_mapping(one) for name, one in as_mapping(header).items() if _is_learned(name))
        return sum(math.prod(int(side) for side in one["shape"]) for one in tensors)
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _is_learned(name: str) -> bool:
    return not name.startswith("__") and not name.endswith(_NOT_LEARNED)
