"""``umnist bench generate``: that the figures are there and fit each other."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from umnist_core.bench.generate import bench_generate


def test_figures_are_positive_and_every_median_lies_in_its_range(tmp_path: Path) -> None:
    """No speed is asked for here: machines differ, and this one may be busy."""
    figures = asdict(bench_generate(count=2, rounds=2, peak_counts=(4, 40), folder=tmp_path))
    assert json.loads(json.dumps(figures))["peak_counts"] == [4, 40]
    for name in ("per_s_1", "per_s_2", "over_encode", "efficiency_2"):
        low, high = figures[f"{name}_range"]
        assert 0 < low <= figures[name] <= high
    assert min(figures["peak_mib"]) > 20
    assert list(tmp_path.iterdir()) == []
