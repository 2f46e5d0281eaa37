"""Needle MNIST in its original layout: one compressed NumPy file for each image, and tables."""

from umnist_core.datasets.needle.reader import NeedleReader, find_needle, open_needle
from umnist_core.datasets.needle.write import NeedleReport, write_needle

__all__ = ["NeedleReader", "NeedleReport", "find_needle", "open_needle", "write_needle"]
