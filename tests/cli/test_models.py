"""``umnist models``: what it lists, shows and imports, as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.test_render import umnist
from tests.golden.ips_cases import CASES
from tests.inference.images import save_small
from tests.models.test_ips_import import _golden, _save
from umnist_core.models.checkpoints import load_checkpoint


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return umnist("models", *arguments, cwd=cwd)


def _names() -> list[str]:
    """Return the registry's names as a fresh interpreter has them: tests add models to theirs."""
    code = "import json, umnist_core.models.registry as r; print(json.dumps(r.model_names()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def test_list_names_every_model_with_what_it_sees_and_its_paper(tmp_path: Path) -> None:
    """Each line of the list, and of its JSON, is a model of the registry."""
    done = _run("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    names = _names()
    for name in names:
        assert f"  {name} " in done.stdout
    listed = json.loads(_run("list", "--json", cwd=tmp_path).stdout)
    assert sorted(listed["models"]) == names
    assert listed["models"]["ips"]["sees"] == "labels-only"


def test_list_has_ones_own_checkpoints_and_says_which_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run's folder has the name of the folder; what is damaged hides nothing."""
    monkeypatch.setenv("UMNIST_CHECKPOINTS", str(tmp_path))
    (tmp_path / "my-run").mkdir()
    best = save_small(tmp_path / "my-run", "mobilenet-v3-resizer", variant="small")
    for path in (best, best.with_suffix(".json")):
        path.rename(path.with_stem("best"))
    (tmp_path / "broken.safetensors").write_bytes(b"")
    done = _run("list", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(r"^  my-run +mobilenet-v3-resizer$", done.stdout, re.MULTILINE)
    assert "  digit-finder " in done.stdout
    assert "broken.json" in done.stderr
    assert done.stderr.count("\n") == 1


def test_imported_weights_become_a_checkpoint_that_is_shown_and_loads(tmp_path: Path) -> None:
    """A state dict of the original is written with a card; what is there is not replaced."""
    _save(tmp_path / "net.pth", "partial-last-round")
    case = CASES["partial-last-round"]
    sizes = ["--patch", str(case.patch_px), "--stride", str(case.stride_px), "--memory", "10"]
    done = _run("import-ips", "net.pth", *sizes, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "net.safetensors: ips, resnet18, tasks majority, max, top, multi" in done.stdout
    model, card = load_checkpoint(tmp_path / "net.safetensors")
    assert (model.config.patch_px, model.config.memory) == (24, 10)
    assert card.data["imported_from"] == "net.pth"
    weight = model.state_dict()["attention.to_key.weight"]
    assert weight.shape == _golden("partial-last-round")[1]["transf.crs_attn.k_w.weight"]
    shown = _run("show", "net.safetensors", cwd=tmp_path)
    assert "not trained by umnist" in " ".join(shown.stdout.split())
    again = _run("import-ips", "net.pth", cwd=tmp_path)
    assert again.returncode == 1
    assert "--force" in again.stderr


def test_show_gives_settings_of_a_model_and_refuses_what_is_neither(tmp_path: Path) -> None:
    """A model's defaults are shown; an unknown name exits 1 with a sentence."""
    shown = json.loads(_run("show", "ips", "--json", cwd=tmp_path).stdout)
    assert shown["settings"]["memory"] == 100
    done = _run("show", "nothing-like-it", cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing-like-it" in done.stderr


def test_file_with_more_than_tensors_is_refused_in_one_line(tmp_path: Path) -> None:
    """The command says in a sentence that such a file is not loaded, and writes nothing."""
    torch.save({"object": Path("x")}, tmp_path / "net.pth")
    done = _run("import-ips", "net.pth", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "more than tensors" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["net.pth"]
