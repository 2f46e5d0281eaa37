"""What shows itself in a notebook: records here say that they do, and a room above draws them.

A scene knows nothing of pixels and a map nothing of PNG, so neither can draw itself: imports
point down. What draws them is found by its name when a notebook asks, and not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PICTURES = "umnist_core.notebook.pictures"
"""The module that draws; its ``bundle_of`` takes a record."""


class ShowsItself:
    """Something that a notebook shows as a picture."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return what IPython shows, by media type."""
        bundle: dict[str, Any] = import_module(PICTURES).bundle_of(self)
        return bundle
