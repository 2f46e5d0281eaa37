"""The measurement of the Noise lab's sliders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from umnist_core.bench.interaction import SLIDERS, bench_interaction


def test_bench_measures_a_real_browser() -> None:
    """Every change is measured, and the figures are in order; how large depends on the machine."""
    # In a thread of its own: tests that drove a browser leave an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        figures = pool.submit(bench_interaction, changes=12).result()
    assert figures.changes == 12 == 3 * len(SLIDERS)
    assert 0 < figures.p50_ms_low <= figures.p50_ms <= figures.p50_ms_high
    assert figures.p50_ms <= figures.p95_ms
