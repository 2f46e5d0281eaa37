"""Accuracy over scale: measured as an evaluation does, kept in a file, drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from click.testing import CliRunner
from scipy import stats

from tests.models.small import SMALL
from umnist_core.cli.scales import scales_command
from umnist_core.datasets.large_scale import TEST_SCALES
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.training.evaluate import evaluate
from umnist_core.training.scale_curve import (
    CurveTask,
    check_task,
    count_right,
    kinds_of,
    lines_of,
    load_curves,
    measure_curves,
)
from umnist_core.training.scale_figure import curve_figure

TASK = CurveTask(6, 4)

CPU = hardware_of(torch.device("cpu"))


def _quiet(_line: str) -> None:
    """Take a line of a report."""


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return what saves an untrained FovMax of a seed, with a card as a run leaves it."""
    folder = tmp_path_factory.mktemp("runs")

    def made(seed: int) -> Path:
        path = folder / f"{seed}.safetensors"
        if not path.is_file():
            torch.manual_seed(seed)
            data = {"overrides": {"scale": "1"}, "count": 40, "run": {"run": {"seed": seed}}}
            model = create_model("fov-max", {**SMALL["fov-max"], "side_px": 112})
            save_checkpoint(path, model, Card("fov-max", data=data))
        return path

    return made


def test_right_answers_are_those_of_an_evaluation(make: Callable[[int], Path]) -> None:
    """The shorter way counts what `umnist evaluate` counts, at any batch size."""
    model, _ = load_checkpoint(make(1))
    for scale in (0.5, 2.0):
        samples = CurveTask(40).samples(scale)
        rows = evaluate(model, samples, with_attention=False).rows
        expected = sum(row["correct_digit"] for row in rows)
        assert count_right(model, samples, 7) == expected
        assert count_right(model, samples, 100) == expected


def test_file_grows_and_nothing_is_measured_twice(
    make: Callable[[int], Path], tmp_path: Path
) -> None:
    """A checkpoint at a time is kept, with what it learned from; a second call adds the rest."""
    out, told = tmp_path / "curves.json", list[str]()
    measure_curves([make(1)], TASK, CPU, out, told.append)
    first = load_curves(out)
    found = measure_curves([make(1), make(2)], TASK, CPU, out, told.append)
    assert [one["seed"] for one in found["checkpoints"]] == [1, 2]
    assert found["checkpoints"][0] == first["checkpoints"][0]
    assert "measured already" in told[1]
    assert load_curves(out) == json.loads(json.dumps(found))
    (kind,) = found["kinds"]
    assert (kind["model"], kind["scale"], kind["digits"], kind["runs"]) == ("fov-max", "1", 40, 2)
    with pytest.raises(InvalidValueError, match="6 digits"):
        measure_curves([make(2)], CurveTask(8), CPU, out, _quiet)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"data": {"count": 2}, "scales": [1], "checkpoints": [7]}']
)
def test_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    """In a sentence that names it."""
    path = tmp_path / "curves.json"
    path.write_text(text)
    with pytest.raises(DamagedFileError, match=r"curves\.json"):
        load_curves(path)


def test_model_of_sums_is_refused(tmp_path: Path) -> None:
    """It has no answer to what a digit is."""
    with pytest.raises(InvalidValueError, match="sum"):
        check_task(create_model("resnet50", {"side_px": 32}), tmp_path)


def _found(*runs: list[int], count: int = 100) -> dict[str, Any]:
    checkpoints = [
        {"model": "fov-max", "scale": "1", "digits": 40, "right": right} for right in runs
    ]
    data = {"count": count}
    return {"data": data, "scales": list(TEST_SCALES), "checkpoints": checkpoints}


def test_interval_is_students_over_runs() -> None:
    """Mean and 95 % interval at a scale; the mean, the worst and the spread over a range."""
    rises = [[50 + seed + place for place in range(17)] for seed in (0, 3, 9)]
    (kind,) = kinds_of(_found(*rises))
    shares = [(50 + seed) / 100 for seed in (0, 3, 9)]
    reach = stats.t.ppf(0.975, 2) * stdev(shares) / 3**0.5
    row = kind["curve"][0]
    assert row["accuracy"] == pytest.approx(fmean(shares))
    assert (row["low"], row["high"]) == pytest.approx(
        (fmean(shares) - reach, fmean(shares) + reach)
    )
    narrow, whole = kind["ranges"]
    assert (narrow["from"], narrow["to"], whole["to"]) == (0.5, 4, 8)
    assert narrow["mean"]["accuracy"] == pytest.approx(fmean(shares) + 0.06)  # 13 scales
    assert whole["mean"]["accuracy"] == pytest.approx(fmean(shares) + 0.08)
    assert narrow["worst"]["accuracy"] == pytest.approx(fmean(shares))
    assert narrow["spread"]["accuracy"] == pytest.approx(0.12)
    assert narrow["spread_of_mean_curve"] == pytest.approx(0.12)
    assert "12.0 %" in lines_of([kind])[-2]


def test_one_run_has_an_interval_over_images() -> None:
    """Wilson's; and runs at another scale are another kind."""
    found = _found([80] * 17, [60] * 17)
    found["checkpoints"][1]["scale"] = "2"
    first, second = kinds_of(found)
    assert first["interval"] == "Wilson over images"
    assert 0.70 < first["curve"][0]["low"] < 0.72
    assert first["ranges"][0]["mean"]["low"] is None
    assert second["curve"][3]["accuracy"] == 0.6
    assert len(lines_of([first, second])) == 1 + 17 + 4


def test_figure_shows_each_kind_with_its_band() -> None:
    """Well-formed; higher accuracies are higher up, larger scales further right."""
    found = _found([90 - 2 * place for place in range(17)], [30] * 17)
    found["checkpoints"][1]["model"] = "a<b"
    root = ElementTree.fromstring(curve_figure(kinds_of(found)))
    space = "{http://www.w3.org/2000/svg}"
    falling, flat = (
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in root.iter(f"{space}polyline")
    )
    assert len(falling) == 17
    assert [point[0] for point in falling] == sorted(point[0] for point in falling)
    assert [point[1] for point in falling] == sorted(point[1] for point in falling)
    assert len({point[1] for point in flat}) == 1
    assert flat[0][1] > falling[0][1]
    assert len(list(root.iter(f"{space}polygon"))) == 2
    assert "a<b" in [text.text for text in root.iter(f"{space}text")]


def test_command_measures_draws_and_tells(make: Callable[[int], Path], tmp_path: Path) -> None:
    """Checkpoints in, JSON and SVG out; without checkpoints what was measured is drawn again."""
    out, figure = tmp_path / "curves.json", tmp_path / "curves.svg"
    words = ["--count", "4", "--out", str(out), "--device", "cpu"]
    result = CliRunner().invoke(scales_command, [str(make(1)), str(make(2)), *words])
    assert result.exit_code == 0, result.output
    assert "fov-max (2), scales 0.5 to 4: mean" in result.output
    again = CliRunner().invoke(scales_command, [*words, "--figure", str(figure), "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.output)["kinds"][0]["runs"] == 2
    ElementTree.parse(figure)
