"""The app's viewer, sliders and models in a notebook.

Records show themselves without anything of this room being imported; the widgets need
anywidget, which ``pip install 'umnist[notebook]'`` brings, and are loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from umnist_core.errors import MissingFileError

if TYPE_CHECKING:
    from umnist_core.notebook.deep_zoom import DeepZoom
    from umnist_core.notebook.noise_lab import NoiseLab
    from umnist_core.notebook.watch import Watch

__all__ = ["DeepZoom", "NoiseLab", "Watch"]

_HOMES = {"DeepZoom": "deep_zoom", "NoiseLab": "noise_lab", "Watch": "watch"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("anywidget") is None:
        raise MissingFileError(
            "Expected anywidget, which widgets in notebooks need, found none; install it with "
            "`pip install 'umnist[notebook]'`, or in a clone `pip install -e '.[notebook]'`."
        )
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
