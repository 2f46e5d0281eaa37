"""Iterative patch selection: the model, how it selects, and weights of the original."""
