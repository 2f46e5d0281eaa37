"""MetH and MAMe: photographs of art of every shape, with a class, a year or a smaller copy."""

from umnist_core.datasets.meth.layout import FACTORS, find_meth
from umnist_core.datasets.meth.pairs import ResolutionPair, read_pair
from umnist_core.datasets.meth.reader import MethReader, open_meth

__all__ = ["FACTORS", "MethReader", "ResolutionPair", "find_meth", "open_meth", "read_pair"]
