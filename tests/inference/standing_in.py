"""What stands where a process of models does, and answers as a test has it."""

from __future__ import annotations


class StandInProcess:
    """Does as `umnist_core.inference.process.ModelProcess` does, but for `run`, which tests add."""

    pid = 1
    start_s = 0.0
    loaded: tuple[str, ...] = ()

    def __init__(self, *_: object) -> None:
        self._cancelled: set[int] = set()

    def start(self) -> None:
        """Do nothing: it runs already."""

    def load(self, checkpoint: str) -> None:
        """Do nothing: it holds whatever is asked for."""

    def stop(self) -> None:
        """Nothing is held."""

    def cancel(self, number: int) -> None:
        """Stop a request."""
        self._cancelled.add(number)
