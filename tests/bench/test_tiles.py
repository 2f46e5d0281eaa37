"""The measurement of the tile server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from umnist_core.bench.tiles import bench_tiles


def test_bench_measures_a_real_server() -> None:
    """Every figure is there and in its place; how large it is depends on the machine."""
    # In a thread of its own: tests that drove a browser leave an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        figures = pool.submit(bench_tiles, rounds=2, round_s=0.05, cold_scenes=4).result()
    assert all(value > 0 for value in asdict(figures).values())
    assert figures.tiles_over_static_low <= figures.tiles_over_static
    assert figures.tiles_over_static <= figures.tiles_over_static_high
    assert figures.connections == 16
