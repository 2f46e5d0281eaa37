"""Presets of training and evaluation that are no scenes; nothing here needs torch."""

from __future__ import annotations

from umnist_core.scenes import Parameter

LARGE_SCALE = "large-scale"
"""Preset of the images of MNIST Large Scale: one digit each, in the order of MNIST."""

LARGE_SCALE_PARAMETERS = {"scale": Parameter("number", 0.5, 8, "", "scale of the digits")}
"""Its overrides; a range means that each digit has a scale of its own."""
