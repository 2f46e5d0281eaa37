"""One thread: several would only get into each other's way on sums this small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.training.tiny import register_tiny


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread, and know the tiny model."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    register_tiny()
    yield
    torch.set_num_threads(before)
