"""Measurements of this machine; speed is told in ratios taken in one run."""
