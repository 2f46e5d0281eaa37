"""Experiments with noise: settings that are kept and shared, and what they do to an image."""

from umnist_core.experiments.noise_figures import (
    ImageFigures,
    NoiseFigures,
    measure_image,
    pool_figures,
)
from umnist_core.experiments.settings import (
    NAMED_SETTINGS,
    NamedSetting,
    find_setting,
    generate_command,
    python_code,
    render_command,
    setting_from_yaml,
    setting_to_yaml,
)

__all__ = [
    "NAMED_SETTINGS",
    "ImageFigures",
    "NamedSetting",
    "NoiseFigures",
    "find_setting",
    "generate_command",
    "measure_image",
    "pool_figures",
    "python_code",
    "render_command",
    "setting_from_yaml",
    "setting_to_yaml",
]
