"""``umnist bench data``: that both ways read the same, and the figures fit each other."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from umnist_core.bench import data
from umnist_core.bench.data import SYSTEMS, bench_data
from umnist_core.errors import UmnistError


def test_every_system_is_timed_and_weighed(tmp_path: Path) -> None:
    """No speed is asked for here: machines differ, and this one may be busy."""
    figures = asdict(bench_data(rounds=2, share=0.05, folder=tmp_path))
    for name in SYSTEMS:
        low, high = figures[f"range_{name}"]
        assert 0 < low <= figures[f"ratio_{name}"] <= high
        assert figures[f"per_s_{name}"] > 0
        small, large = figures[f"peak_mib_{name}"]
        assert 50 < small <= large
    small, large = figures["peak_mib_large_scale"]
    assert large - small < 10, "of 15 MB more in the file, little is held"
    assert list(tmp_path.iterdir()) == []


def test_two_ways_that_differ_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that reads something else is no measure."""
    signs = SYSTEMS["signs"]
    other = replace(signs, plain=lambda folder: (batch + 1 for batch in signs.plain(folder)))
    monkeypatch.setattr(data, "SYSTEMS", {"signs": other})
    with pytest.raises(UmnistError, match="the same values of signs"):
        bench_data(rounds=1, share=0.05, folder=tmp_path)
