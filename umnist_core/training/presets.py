"""Presets of training and evaluation that are no scenes; nothing here needs torch."""

from __future__ import annotations

from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.scenes import Parameter

__all__ = ["LARGE_SCALE", "LARGE_SCALE_PARAMETERS"]

LARGE_SCALE_PARAMETERS = {"scale": Parameter("number", 0.5, 8, "", "scale of the digits")}
"""Its overrides; a range means that each digit has a scale of its own."""
