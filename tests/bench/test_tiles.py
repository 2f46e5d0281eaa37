"""The measurement of the tile server."""

from __future__ import annotations

from dataclasses import asdict

from umnist_core.bench.tiles import bench_tiles


def test_bench_measures_a_real_server() -> None:
    """Every figure is there and in its place; how large it is depends on the machine."""
    figures = bench_tiles(rounds=2, round_s=0.05, cold_scenes=4)
    assert all(value > 0 for value in asdict(figures).values())
    assert figures.tiles_over_static_low <= figures.tiles_over_static
    assert figures.tiles_over_static <= figures.tiles_over_static_high
    assert figures.connections == 16
