"""Training runs where there is little more than PyTorch, as on rented GPU machines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.small import SMALL, small_scene, small_source
from umnist_core.models.registry import create_model

ROOT = Path(__file__).resolve().parents[2]

NOT_NEEDED: tuple[str, ...] = (
    "captum",
    "click",
    "joblib",
    "pandas",
    "plotly",
    "pooch",
    "pyarrow",
    "pyvips",
)
NOT_NEEDED += ("scipy", "sklearn", "sqlalchemy", "starlette", "streamlit", "tensorboard")


def test_training_loads_little_more_than_torch() -> None:
    """Neither the loop nor a baseline loads what the usual PyTorch image lacks."""
    code = (
        "import sys, umnist_core.training.loop, umnist_core.training.evaluate\n"
        "from umnist_core.models.registry import create_model\n"
        "create_model('mobilenet-v3-resizer', {'variant': 'small'})\n"
        f"print([name for name in {NOT_NEEDED} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def test_without_captum_a_baseline_says_why_there_is_no_attention(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It still answers."""
    name = "mobilenet-v3-resizer"
    model = create_model(name, SMALL[name]).eval()
    monkeypatch.setattr("umnist_core.models.papers.grad_cam.find_spec", lambda _name: None)
    output = model.attend(model.collate([model.prepare(small_source(small_scene(0)))]))
    assert output.logits["sum"].shape == (1, 28)
    assert output.attention is None
    assert "needs captum" in output.no_attention
