"""Tests of attention maps."""
