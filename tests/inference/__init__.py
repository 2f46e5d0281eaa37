"""Tests of predictions, and of the processes that make them."""
