"""Attention maps in the frame of the image, and how they compare with what is there. No torch."""

from umnist_core.attention.compare import DigitMask, MapComparison, compare
from umnist_core.attention.maps import AttentionMap

__all__ = ["AttentionMap", "DigitMask", "MapComparison", "compare"]
