"""Where glyphs come from: MNIST's own files, a download of them, or a bundled stand-in."""

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.digits.sources import DigitsStatus, find_digits, load_glyphs

__all__ = ["GLYPH_PX", "DigitsStatus", "GlyphSet", "find_digits", "load_glyphs"]
