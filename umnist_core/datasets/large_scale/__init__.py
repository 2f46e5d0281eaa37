"""MNIST Large Scale: single digits at scales from a half to eight, made, written and read."""

from umnist_core.datasets.large_scale.rescaling import (
    LARGE_SCALE_PX,
    TEST_SCALES,
    as_grey,
    rescale_digits,
    rescaling_matrix,
    soft_threshold,
    stretch,
)

__all__ = [
    "LARGE_SCALE_PX",
    "TEST_SCALES",
    "as_grey",
    "rescale_digits",
    "rescaling_matrix",
    "soft_threshold",
    "stretch",
]
