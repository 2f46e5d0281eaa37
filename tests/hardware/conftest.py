"""One thread, and the tiny model known, as in the tests of training."""

from tests.training.conftest import one_thread

__all__ = ["one_thread"]
