"""How far a sweep is, from its folder alone, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.experiments.published.beside import SweepFolder
from umnist_core.experiments.sweeps.leases import is_taken


@dataclass(frozen=True)
class SweepProgress:
    """Where the cells of a sweep stand.

    Attributes
    ----------
    total, done, failed, running
        Cells.
    seconds
        That the finished ones took, together.
    failures
        Name and sentence of each cell that failed.
    """

    total: int
    done: int
    failed: int
    running: int
    seconds: float
    failures: tuple[tuple[str, str], ...]

    @property
    def share(self) -> float:
        """Of the cells that are over, 0 to 1."""
        return (self.done + self.failed) / self.total if self.total else 1.0

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self.running and self.done + self.failed >= self.total

    @property
    def sentence(self) -> str:
        """It in words, with an estimate of the time that is left."""
        told = [f"{self.done:,} of {self.total:,} cells done"]
        told += [f"{self.failed:,} failed"] if self.failed else []
        told += [f"{self.running:,} running"] if self.running else []
        left = self.total - self.done - self.failed
        if self.done and left:
            seconds = self.seconds / self.done * left / max(1, self.running)
            told.append(f"about {_duration(seconds)} left")
        cost = f"; {_duration(self.seconds)} of computing so far" if self.seconds else ""
        return ", ".join(told) + cost + "."


def progress_of(sweep: SweepFolder) -> SweepProgress:
    """Return how far a sweep is."""
    names = [str(cell["name"]) for cell in sweep.plan["cells"]]
    found = [sweep.results[name] for name in names if name in sweep.results]
    failed = [one for one in found if not one.is_done]
    seconds = sum(float(one.cost.get("seconds", 0.0)) for one in found if one.is_done)
    return SweepProgress(
        len(names),
        len(found) - len(failed),
        len(failed),
        sum(is_taken(sweep.folder, name) for name in names if name not in sweep.results),
        seconds,
        tuple((one.name, one.error) for one in failed),
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
