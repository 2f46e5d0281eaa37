"""``umnist bench ips``: that the figures are there and fit each other."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from umnist_core.bench.ips import bench_ips
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.registry import create_model

QUICK = IPSConfig(encoder="compact", width=16, memory=20, iteration=100, inner_width=16)


def test_figures_fit_each_other_and_predictions_are_the_same() -> None:
    """No speed is asked for here: machines differ, and this one may be busy."""
    figures = asdict(bench_ips(load_glyphs(), rounds=2, images=2, threads=1, config=QUICK))
    assert json.loads(json.dumps(figures))["weights"] == "fresh"
    for strokes in (50, 800):
        low, high = figures[f"speedup_{strokes}_range"]
        assert 0 < low <= figures[f"speedup_{strokes}"] <= high
        assert figures[f"plain_ms_{strokes}"] > 0
        assert figures[f"fast_ms_{strokes}"] > 0
    assert figures["distinct_50"] < 0.2 < figures["distinct_800"] <= 1
    assert figures["same_predictions"] is True
    assert figures["largest_difference"] <= 1e-5


def test_checkpoint_of_ips_is_measured_and_another_is_refused(tmp_path: Path) -> None:
    """The weights may be those of a file, if it is one of IPS."""
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, IPS(QUICK), Card("ips"))
    found = bench_ips(load_glyphs(), rounds=1, images=1, threads=1, checkpoint=path)
    assert found.weights == "mine"
    other = create_model("efficientnet-b0", {"side_px": 64})
    save_checkpoint(path, other, Card("efficientnet-b0"))
    with pytest.raises(InvalidValueError, match=r"checkpoint of ips; .* is of efficientnet-b0"):
        bench_ips(load_glyphs(), rounds=1, images=1, threads=1, checkpoint=path)
