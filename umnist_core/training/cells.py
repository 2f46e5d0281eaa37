"""What the cells of sweeps do: the kinds that there are, and what other processes call.

The engine (`umnist_core.experiments.sweeps`) knows no torch and is handed these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from umnist_core.experiments.sweeps.plan import CellKind, Resolved, Settings
from umnist_core.experiments.sweeps.probe import PROBE, ProbeKind, run_probe
from umnist_core.experiments.sweeps.running import CellOutcome

_NO_MEMORY = "free some there, use fewer --workers, or set device to cpu"

EVALUATE, TRAIN, ATTEND = "evaluate", "train", "attend"


def find_kinds() -> dict[str, CellKind]:
    """Return the kinds of cells, by their names."""
    late = {EVALUATE: _evaluate_kind, TRAIN: _train_kind, ATTEND: _attend_kind}
    return {name: _Late(load) for name, load in late.items()} | {PROBE: ProbeKind()}


class _Late:
    """A kind that is imported with its first cell: what computes takes seconds to import."""

    def __init__(self, load: Callable[[], CellKind]) -> None:
        self._load = load

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        return self._load().resolve(settings, seed)


def _evaluate_kind() -> CellKind:
    from umnist_core.training.cell_evaluation import EvaluateKind

    return EvaluateKind()


def _train_kind() -> CellKind:
    from umnist_core.training.cell_training import TrainKind

    return TrainKind()


def _attend_kind() -> CellKind:
    from umnist_core.training.cell_attention import AttendKind

    return AttendKind()


def _answering(kind: str) -> Callable[[Mapping[str, Any]], CellOutcome]:
    if kind == EVALUATE:
        from umnist_core.training.cell_evaluation import run_evaluate_cell

        return run_evaluate_cell
    from umnist_core.training.cell_attention import run_attend_cell

    return run_attend_cell


def run_kind(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do a cell of any kind; `umnist_core.experiments.sweeps.running.Work`."""
    if kind in (EVALUATE, ATTEND):
        from umnist_core.hardware import find_hardware
        from umnist_core.training.failures import failures_said

        run = _answering(kind)
        with failures_said(find_hardware(config["device"]), "An image", _NO_MEMORY):
            return run(config)
    if kind == TRAIN:
        from umnist_core.training.cell_training import run_train_cell

        return run_train_cell(config, folder)
    return run_probe(kind, config, folder)
