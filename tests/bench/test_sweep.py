"""The measurement of the engine of sweeps."""

from __future__ import annotations

from umnist_core.bench.sweep import bench_sweep


def test_figures_are_of_the_runs_that_were_asked_for() -> None:
    """Every cell is run once, and the shares follow from each other."""
    found = bench_sweep(processes=1, rounds=1, cells=4, cell_s=0.01, counts=(2, 4))
    assert (found.cells, found.counts, len(found.per_cell_ms)) == (4, (2, 4), 2)
    assert found.overhead >= 1
    assert abs(found.overhead - found.processes * found.wall_over_sum) < 0.01 * found.overhead
    assert min(found.per_cell_ms) > 0
    assert abs(found.growth - found.per_cell_ms[1] / found.per_cell_ms[0]) < 0.001
