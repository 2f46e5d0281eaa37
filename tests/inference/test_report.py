"""A prediction as text, JSON and a row of a table: how sure, and why the answer may be wrong."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.inference.images import SCENE, ask
from tests.training.tiny import Tiny, TinyConfig
from umnist_core.inference.measured import MEASURED
from umnist_core.inference.prediction import Prediction
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.report import (
    prediction_json,
    prediction_lines,
    prediction_row,
    table_text,
)
from umnist_core.models import registry
from umnist_core.models.base import DOUBTS as ALL_DOUBTS
from umnist_core.models.base import IMAGE_DOUBTS, Doubt, ModelOutput
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.reduced import ReducedBatch

ROOT = Path(__file__).resolve().parents[2]

DOUBTS = (
    Doubt("canvas", "Expected 4000 x 4000 px, found 600 x 600 px."),
    Doubt("unsure", "Expected one likely sum, found two."),
)


class Plain(Tiny):
    """Says 17 with a probability of one half, and nothing of how sure it is."""

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return the same logits (B, 28) for every image."""
        logits = torch.full((len(batch.pixels), 28), 0.0)
        logits[:, 17] = torch.tensor(27.0).log()
        return ModelOutput({"sum": logits}, no_attention="It looks everywhere alike.")


class Doubting(Plain):
    """Knows how often it is right, and doubts each image."""

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return them with a confidence and doubts."""
        count = len(batch.pixels)
        return dataclasses.replace(
            super().forward(batch),
            confidence=torch.full((count,), 0.97),
            doubts=(DOUBTS,) * count,
        )


def _predict(model: type[Plain], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prediction:
    monkeypatch.setitem(registry._FILES, "told", "base")
    monkeypatch.setitem(registry._entries, "told", registry.Entry("told", model, TinyConfig))
    path = folder / "told.safetensors"
    save_checkpoint(path, model(TinyConfig()), Card("told"))
    return Predictor("cpu").predict(ask(path, SCENE))


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prediction:
    """Let the first answer."""
    return _predict(Plain, tmp_path, monkeypatch)


@pytest.fixture
def doubted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prediction:
    """Let the second answer."""
    return _predict(Doubting, tmp_path, monkeypatch)


def test_without_calibration_the_confidence_is_the_probability(plain: Prediction) -> None:
    """And it says that it is no more than that."""
    assert plain.confidence == pytest.approx(0.5)
    assert not plain.is_calibrated
    assert plain.doubts == ()
    first, *rest = prediction_lines(plain)
    assert first.startswith("sum: 17 (confidence 0.50, not calibrated), ")
    assert not [line for line in rest if line.startswith("warning")]


def test_text_warns_before_the_answer_and_says_confidence(doubted: Prediction) -> None:
    """A line for each doubt; whoever reads the answer has read them."""
    lines = list(prediction_lines(doubted))
    assert lines[:2] == [f"warning: {doubt.sentence}" for doubt in DOUBTS]
    assert lines[2].startswith("sum: 17 (confidence 0.97, calibrated), ")


def test_json_has_confidence_and_doubts(plain: Prediction, doubted: Prediction) -> None:
    """Kinds for programs, sentences for people, and how each was measured."""
    told = json.loads(json.dumps(prediction_json(doubted), allow_nan=False))
    assert told["confidence"] == pytest.approx(0.97)
    assert told["is_calibrated"] is True
    assert told["doubts"] == [
        {"kind": one.kind, "sentence": one.sentence, "measured": MEASURED[one.kind]}
        for one in DOUBTS
    ]
    assert prediction_json(plain)["doubts"] == []
    assert set(MEASURED) == {*ALL_DOUBTS, *IMAGE_DOUBTS}, "A warning does not say how it is had."


def test_table_has_confidence_and_kinds_of_warnings(plain: Prediction, doubted: Prediction) -> None:
    """Where there are none the column is empty."""
    rows = [prediction_row("a", doubted), prediction_row("b", plain)]
    first, second = csv.DictReader(io.StringIO(table_text(rows)))
    assert (first["confidence"], first["is_calibrated"]) == ("0.970000", "True")
    assert first["warnings"] == "canvas unsure"
    assert (second["is_calibrated"], second["warnings"]) == ("False", "")


@pytest.mark.parametrize("module", ["prediction", "report"])
def test_predictions_are_read_without_torch(module: str) -> None:
    """The server shows what a process with torch has made."""
    code = (
        f"import sys; sys.modules['torch'] = None; import umnist_core.inference.{module} as found; "
        "print(found.__name__)"
    )
    command: Sequence[str] = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
