"""``scripts/gpu-check --rehearse``: every part, in a Python as a bare image of PyTorch has it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench.gpu.bare import make_bare_python, write_digits
from umnist_core.bench.gpu.figures import FIGURES, STATE_MAX_BYTES
from umnist_core.bench.gpu.parts import DONE, PARTS

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "gpu-check"

ABSENT = (
    *("captum", "click", "httpx", "pandas", "platformdirs", "pooch", "pyarrow", "pyvips"),
    *("safetensors", "scipy", "sklearn", "starlette", "tqdm", "yaml"),
)
"""Packages that umnist is otherwise installed with."""

MAY_LACK = {
    "worker.cancel_ms": "every prediction was done before it could be cancelled",
}
"""What is not measured where the machine is too fast for it."""


@dataclass(frozen=True)
class Call:
    """How a call ended, and where it wrote."""

    out: Path
    status: int
    stdout: str
    stderr: str

    def report(self) -> dict[str, Any]:
        """Return what it wrote."""
        found: dict[str, Any] = json.loads((self.out / "gpu-check.json").read_text())
        return found


def _environment(programs: Path, home: Path) -> dict[str, str]:
    """Return a new machine's: nothing of this project is set."""
    home.mkdir(exist_ok=True)
    path = f"{programs}:/usr/bin:/bin"
    threads = os.environ.get("OMP_NUM_THREADS", "2")
    return {"PATH": path, "HOME": str(home), "OMP_NUM_THREADS": threads}


def _call(programs: Path, out: Path, *options: str) -> Call:
    result = subprocess.run(
        [str(SCRIPT), str(out), *options],
        cwd=out.parent,
        env=_environment(programs, out.parent / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    return Call(out, result.returncode, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a bare Python."""
    return make_bare_python(tmp_path_factory.mktemp("bare") / "python")


@pytest.fixture(scope="module")
def rehearsal(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Rehearse all parts, once."""
    folder = tmp_path_factory.mktemp("rehearsal")
    digits = write_digits(folder / "digits")
    # The time is no limit: parts end when they are done.
    return _call(programs, folder / "out", "--rehearse", "--digits", str(digits), "--minutes", "60")


def test_python_is_bare(programs: Path) -> None:
    """Nothing of what umnist is installed with is there, beside what such images have."""
    code = f"""
import importlib.util, torch, torchvision, cv2, numpy
print([one for one in {ABSENT!r} if importlib.util.find_spec(one)])
"""
    result = subprocess.run(
        [programs / "python3", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_every_part_is_done(rehearsal: Call) -> None:
    """None fails, is skipped or has to be ended."""
    assert rehearsal.status == 0, rehearsal.stderr
    parts = rehearsal.report()["parts"]
    told = {name: (how["status"], how["why"], how.get("traceback")) for name, how in parts.items()}
    assert told == {part.name: (DONE, "", None) for part in PARTS}


def test_every_figure_is_measured_of_everything(rehearsal: Call) -> None:
    """The report is complete: no figure lacks, and none has no number."""
    report = rehearsal.report()
    assert report["is_complete"] is True
    found = {name: set(figure["values"]) for name, figure in report["figures"].items()}
    assert found == {figure.name: set(figure.keys) for figure in FIGURES}
    missing = {
        f"{name} {key}": value["why"]
        for name, figure in report["figures"].items()
        for key, value in figure["values"].items()
        if value["value"] is None and value["why"] != MAY_LACK.get(name)
    }
    assert missing == {}


def test_models_agree_with_themselves(rehearsal: Call) -> None:
    """Where both devices are the processor, float32 and what it selects are the same."""
    figures = rehearsal.report()["figures"]
    apart = {
        f"{name} {key}": value
        for name in ("agree.logits", "agree.attention", "agree.selection")
        for key, value in figures[name]["values"].items()
        if not key.endswith("/mixed") and not value.get("is_met", True)
    }
    assert apart == {}
    drawn = figures["scenes.different_px"]["values"]
    assert {value["value"] for value in drawn.values()} == {0}
    assert figures["worker.answers"]["values"]["digit-finder"]["value"] == 1


def test_head_says_what_figures_depend_on(rehearsal: Call) -> None:
    """The device, versions, digits and seed, and that this is one run."""
    head = rehearsal.report()["head"]
    assert head["is_rehearsal"] is True
    for name in ("card", "memory_gib", "driver", "torch", "torchvision", "cuda", "commit", "seed"):
        assert head[name] != "", name
    assert head["digits"] == "mnist-train"
    assert len(head["digits_sha256"]) == 64
    assert "safetensors" not in head
    assert "one run" in head["note"]


def test_table_has_every_figure(rehearsal: Call) -> None:
    """It is printed, and written beside the JSON."""
    table = (rehearsal.out / "table.txt").read_text()
    assert table in rehearsal.stdout
    assert rehearsal.stdout.endswith(f"{rehearsal.out / 'gpu-check.json'}\n")
    for figure in FIGURES:
        assert table.count(f"  {figure.name} ") == len(figure.keys), figure.name


def test_states_are_small_and_recipes_say_what_they_need(rehearsal: Call) -> None:
    """A state may travel where 16 MiB may; minutes are of a card with a name."""
    figures = rehearsal.report()["figures"]
    for name, value in figures["recipes.state_mib"]["values"].items():
        state = rehearsal.out / "states" / value["file"]
        assert state.name == f"{name}.safetensors"
        assert state.stat().st_size == pytest.approx(value["value"] * 2**20)
        assert state.stat().st_size <= STATE_MAX_BYTES
        assert value["lost"]
    for value in figures["recipes.minutes"]["values"].values():
        assert value["card"].startswith("CPU")
        assert value["steps"] > 0
    assert any("minutes of CPU" in line for line in rehearsal.report()["said"])


def test_nothing_is_written_beside_the_folder(rehearsal: Call) -> None:
    """Not into the home of whoever calls, and no more into the folder than can be carried off."""
    assert [*(rehearsal.out.parent / "home").iterdir()] == []
    files = [path for path in rehearsal.out.rglob("*") if path.is_file()]
    assert len(files) <= 8
    assert sum(path.stat().st_size for path in files) <= 64 * 2**20


def test_without_a_gpu_one_sentence_says_so(programs: Path, tmp_path: Path) -> None:
    """And how to rehearse; the report says it of every part."""
    digits = write_digits(tmp_path / "digits", 100)
    call = _call(programs, tmp_path / "out", "--digits", str(digits), "--device", "cuda:7")
    assert call.status == 1
    assert "cuda:7" in call.stderr
    assert "--rehearse" in call.stderr
    assert call.stderr.count("\n") == 1
    report = call.report()
    assert report["is_complete"] is False
    assert all("cuda:7" in how["why"] for how in report["parts"].values())


def test_without_digits_one_sentence_says_so(programs: Path, tmp_path: Path) -> None:
    """The stand-in needs a package that bare images lack."""
    call = _call(programs, tmp_path / "out", "--rehearse")
    assert call.status == 1
    assert "--digits" in call.stderr
    assert call.stderr.count("\n") == 1


def test_unknown_part_is_refused(programs: Path, tmp_path: Path) -> None:
    """Before anything is done."""
    call = _call(programs, tmp_path / "out", "--rehearse", "--parts", "agree,leave")
    assert call.status == 2
    assert "'leave'" in call.stderr
    assert not call.out.exists()
