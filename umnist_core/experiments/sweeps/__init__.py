"""Sweeps: a TOML file resolved to cells, each run once, its result one small file."""
