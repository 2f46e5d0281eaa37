"""Mixed precision: where it is used, and that a run with it learns, resumes and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.tiny import stopping_before, tiny_config
from umnist_core.hardware import hardware_of
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.loop import train
from umnist_core.training.precision import find_precision

CPU = hardware_of(torch.device("cpu"))


def _set_processor(patch: pytest.MonkeyPatch, **able: bool) -> None:
    patch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)


def test_cpu_is_asked_what_it_multiplies_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imitated bfloat16 is slower than float32, and PyTorch of old cannot say which it is."""
    for able in ({"avx512_bf16": True}, {"amx_bf16": True}):
        _set_processor(monkeypatch, **able)
        assert find_precision("mixed", CPU) is torch.bfloat16
        assert find_precision("float32", CPU) is None
    _set_processor(monkeypatch, avx2=True, avx512_bf16=False)
    assert find_precision("mixed", CPU) is None
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert find_precision("mixed", CPU) is None


def test_block_computes_in_the_precision_and_no_longer() -> None:
    """Products are in 16 bits inside, in 32 after it and where there is no precision."""
    one = torch.ones(2, 2)
    with CPU.mixed(torch.bfloat16):
        assert (one @ one).dtype is torch.bfloat16
    assert (one @ one).dtype is torch.float32
    with CPU.mixed(None):
        assert (one @ one).dtype is torch.float32


def test_mixed_run_on_the_cpu_learns_and_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights stay in 32 bits; they are others than without; a stop changes nothing."""
    _set_processor(monkeypatch, avx512_bf16=True)
    config = tiny_config({"dropout": 0.0}, epochs=6, precision="mixed")
    whole = train(config, tmp_path / "whole")
    assert whole.rows[-1]["train_loss"] < whole.rows[0]["train_loss"] - 0.05
    assert json.loads((tmp_path / "whole/run.json").read_text())["precision"] == "torch.bfloat16"
    weights = load_checkpoint(whole.last)[0].state_dict()
    assert {one.dtype for one in weights.values() if one.is_floating_point()} == {torch.float32}

    plain = train(tiny_config({"dropout": 0.0}, epochs=6), tmp_path / "plain")
    others = load_checkpoint(plain.last)[0].state_dict()
    assert any(not torch.equal(weights[name], others[name]) for name in weights)

    slow = tiny_config({"dropout": 0.0}, epochs=6, precision="mixed", save_minutes=0.0)
    with stopping_before(4), pytest.raises(KeyboardInterrupt):
        train(slow, tmp_path / "stopped")
    resumed = load_checkpoint(train(config, tmp_path / "stopped").last)[0].state_dict()
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)


def test_run_without_the_processor_for_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as a run in float32, and its card tells."""
    _set_processor(monkeypatch)
    asked = train(tiny_config(epochs=1, precision="mixed"), tmp_path / "asked")
    plain = train(tiny_config(epochs=1), tmp_path / "plain")
    model, card = load_checkpoint(asked.last)
    other = load_checkpoint(plain.last)[0].state_dict()
    assert all(torch.equal(one, other[name]) for name, one in model.state_dict().items())
    assert "Mixed precision was asked for; this processor has none: it was float32." in card.notes
