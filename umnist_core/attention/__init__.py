"""Attention maps in the frame of the image, and how they compare with what is there. No torch."""

from umnist_core.attention.chosen import ChosenPlaces, sort_chosen
from umnist_core.attention.compare import (
    AttentionShare,
    Comparer,
    DigitMask,
    MapComparison,
    compare,
    effective_places,
)
from umnist_core.attention.maps import AttentionMap

__all__ = [
    "AttentionMap",
    "AttentionShare",
    "ChosenPlaces",
    "Comparer",
    "DigitMask",
    "MapComparison",
    "compare",
    "effective_places",
    "sort_chosen",
]
