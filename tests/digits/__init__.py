"""Tests of where glyphs come from."""
