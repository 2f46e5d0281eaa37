"""The Swedish traffic signs: annotations, filters, subsets, and the reader of all their layouts."""

from umnist_core.datasets.signs.filters import CLASS_NAMES, SIGN_FILTERS, SUBSETS
from umnist_core.datasets.signs.reader import SignsReader, find_signs, open_signs

__all__ = ["CLASS_NAMES", "SIGN_FILTERS", "SUBSETS", "SignsReader", "find_signs", "open_signs"]
