"""The runs that come with umnist, by the model that they train; nothing here needs torch."""

from __future__ import annotations

import tomllib
from pathlib import Path

_CONFIGS = Path(__file__).resolve().parent / "configs"


def find_configs() -> dict[str, Path]:
    """Return the configurations that come with umnist, a room for each family, by their names."""
    return {path.stem: path for path in sorted(_CONFIGS.glob("*/*.toml"))}


def find_runs() -> dict[str, tuple[str, ...]]:
    """Return the names of the runs of each model, sorted: what `umnist train` takes."""
    runs: dict[str, list[str]] = {}
    for name, path in find_configs().items():
        model = tomllib.loads(path.read_text(encoding="utf-8"))["model"]["name"]
        runs.setdefault(model, []).append(name)
    return {model: tuple(sorted(names)) for model, names in sorted(runs.items())}
