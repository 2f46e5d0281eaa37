"""The measurements of studies: load on both stores, and what is left when servers are killed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.labeling.making import small_spec
from umnist_core.bench.durability import bench_durability
from umnist_core.bench.study import bench_study, study_spec
from umnist_core.cli.bench import bench_group
from umnist_core.errors import MissingFileError


def test_bench_study_measures_real_people_on_both_stores() -> None:
    """Every figure is there and nothing is lost; how fast it is depends on the machine."""
    spec = small_spec(images_per_annotator=2)
    figures = bench_study(annotators=4, think_s=0.05, spec=spec)
    assert set(figures.stores) == {"sqlite", "postgresql"}
    assert (figures.annotators, figures.answers) == (4, 16)
    assert (figures.errors, figures.lost) == (0, 0)
    for one in figures.stores.values():
        assert one.answers == 8
        assert one.tiles > 0
        assert 0 < one.answer_p50_ms <= one.answer_p95_ms <= figures.answer_p95_ms
        assert 0 < one.tile_p50_ms <= one.tile_p95_ms <= figures.tile_p95_ms
        assert (one.errors, one.lost, one.doubled, one.faults) == (0, 0, 0, ())


def test_load_shows_every_image_to_one_person_of_either_pool() -> None:
    """So that half of the tiles are made for somebody, as in a study with one label."""
    spec = study_spec(50, 6)
    assert len(spec.pools) * spec.target_per_pool == 50 * 6
    assert study_spec(1, 6).stimuli >= 6


def test_bench_durability_prints_what_was_killed_and_what_is_left() -> None:
    """As one JSON object in the last line."""
    arguments = ["durability", "--kills", "3", "--annotators", "3", "--json"]
    result = CliRunner().invoke(bench_group, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    figures = json.loads(result.output.splitlines()[-1])
    assert figures["kills"] == 3
    assert figures["acknowledged"] > 0
    assert (figures["lost"], figures["doubled"], figures["unclaimed"]) == (0, 0, 0)
    assert figures["faults"] == []


def test_missing_postgresql_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install, before anything is measured on it."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(MissingFileError, match="apt-get install postgresql"):
        bench_durability(kills=1, store="postgresql")
