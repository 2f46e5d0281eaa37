"""The measurement of predictions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from umnist_core.bench.inference import bench_inference


def test_bench_measures_a_real_server() -> None:
    """Every figure is there and in its place; how large it is depends on the machine."""
    said: list[str] = []
    # In a thread of its own: tests that drove a browser leave an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        figures = pool.submit(
            bench_inference,
            rounds=1,
            first_rounds=1,
            round_s=0.05,
            checkpoints=["additive-pyramid"],
            progress=said.append,
        ).result()
    assert figures.device.startswith("CPU, ")
    assert set(figures.first_ms) == set(figures.warm_ms) == {"additive-pyramid"}
    for times in (figures.first_ms, figures.warm_ms):
        assert 0 < times["additive-pyramid"].low <= times["additive-pyramid"].high
    assert figures.follow_p95_ms["additive-pyramid"] > 0
    for spread in (figures.cancel_ms, figures.tile_ratio):
        assert 0 < spread.low <= spread.median <= spread.high
    for value in (figures.tile_p95_idle_ms, figures.tile_p95_ms, figures.made_p95_ms):
        assert value > 0
    assert said
    json.dumps(asdict(figures))
