"""The scripts that go into every export, and what they compute figures with."""

from __future__ import annotations

from importlib import resources


def sources() -> dict[str, bytes]:
    """Return the scripts that recompute figures, and what they compute them with."""
    scoring = {
        f"scoring/{one.name}": one.read_bytes()
        for one in sorted(
            resources.files("umnist_core.scoring").iterdir(), key=lambda one: one.name
        )
        if one.name.endswith(".py")
    }
    scripts = {
        name: resources.files("umnist_core.labeling").joinpath(name).read_bytes()
        for name in ("recompute.py", "mixed_model.R")
    }
    return {**scripts, **scoring}
