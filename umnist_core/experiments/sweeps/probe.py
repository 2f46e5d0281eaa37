"""Cells that do almost nothing: what the engine itself costs is measured with them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.sweeps.plan import Resolved, Settings
from umnist_core.experiments.sweeps.running import CellOutcome

PROBE = "probe"


@dataclass(frozen=True)
class ProbeSettings:
    """What a probe does.

    Attributes
    ----------
    value
        What its answer follows from.
    seconds
        For so long it computes, 0 or more.
    fails
        Whether it then fails.
    """

    value: float = 0.0
    seconds: float = 0.0
    fails: bool = False


class ProbeKind:
    """See `umnist_core.experiments.sweeps.plan.CellKind`."""

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        """Return a probe's settings."""
        known = asdict(ProbeSettings())
        for name, value in settings.items():
            if name not in known or isinstance(value, bool) != isinstance(known[name], bool):
                raise InvalidValueError(
                    f"A probe has {', '.join(known)}; got {name} = {value!r:.60}; correct it."
                )
            if not isinstance(value, int | float) or value < 0:
                raise InvalidValueError(f"{name} is a number of 0 or more; got {value!r:.60}.")
        rooms = ("experiments/sweeps/probe.py",)
        return Resolved({**known, **settings, "seed": seed}, {}, rooms)


def run_probe(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do a probe; `umnist_core.experiments.sweeps.running.Work`."""
    ends = time.perf_counter() + config["seconds"]
    turns = 0
    while time.perf_counter() < ends:
        turns += 1
    if config["fails"]:
        raise InvalidValueError(
            f"Expected a probe with fails = false, found {config['value']:g} fails; change it."
        )
    return CellOutcome({"answer": config["value"] + config["seed"]})
