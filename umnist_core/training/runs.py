"""The runs that come with umnist, by the model that they train; nothing here needs torch."""

from __future__ import annotations

import tomllib
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent / "configs"


def find_runs() -> dict[str, tuple[str, ...]]:
    """Return the names of the runs of each model, sorted: what `umnist train` takes."""
    runs: dict[str, list[str]] = {}
    for path in sorted(CONFIGS.glob("*.toml")):
        model = tomllib.loads(path.read_text(encoding="utf-8"))["model"]["name"]
        runs.setdefault(model, []).append(path.stem)
    return {model: tuple(names) for model, names in sorted(runs.items())}
