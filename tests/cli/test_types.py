"""Whatever value an option or an argument gets: one sentence, at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.datasets.making import run

LONG = "9" * 5000
SMALL = ["--set", "canvas=300", "--set", "factor=0.5..2"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with a lab of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    return tmp_path


def _refusal(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> str:
    """Return what is said of a command that cannot be done."""
    code = run(arguments, monkeypatch)
    said = capfd.readouterr().err
    assert code in (1, 2), said
    assert "Traceback" not in said
    assert "did not expect" not in said
    return said


@pytest.mark.parametrize("path", ["", "a" * 300, "a/" * 3000])
@pytest.mark.parametrize(
    "command",
    [
        ["render", *SMALL],
        ["generate", "--count", "1", *SMALL],
        ["datasets", "inspect"],
        ["tiles", "export", *SMALL],
        ["validate", "released", "--against"],
        ["study", "create", "S", "--folder"],
        ["study", "create", "--spec"],
        ["study", "import"],
        ["train"],
        ["models", "show"],
        ["predict", "--model"],
    ],
)
def test_path_that_cannot_be_is_refused(
    command: list[str],
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Empty, or longer than any file system takes."""
    _refusal([*command, path], monkeypatch, capfd)


@pytest.mark.parametrize(
    "command",
    [
        ["datasets", "inspect"],
        ["tiles", "export", "out", "--file"],
        ["study", "create", "S", "--folder"],
        ["study", "create", "--spec"],
        ["study", "create", "S", "--consent"],
        ["study", "restore"],
        ["study", "import"],
        ["train"],
        ["models", "show"],
        ["models", "import-ips"],
    ],
)
def test_pipe_or_device_is_refused_without_waiting(
    command: list[str],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Reading one would never end."""
    os.mkfifo(here / "pipe.toml")
    # By a link, so that whatever might be written hits the link and not the machine's device.
    (here / "zero").symlink_to("/dev/zero")
    for path in ("pipe.toml", "zero"):
        _refusal([*command, path], monkeypatch, capfd)


def test_pipes_beside_images_are_left_alone_or_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a folder with an image, one called as another image, annotations or a table."""
    folder = here / "a"
    folder.mkdir()
    assert run(["render", *SMALL, "a/b.png"], monkeypatch) == 0
    for name in ("c.png", "instances.json", "train.csv", "d.tar", "dataset.json", "val.csv"):
        os.mkfifo(folder / name)
        assert run(["datasets", "inspect", "a", "--jobs", "1"], monkeypatch) in (0, 1)
        assert "did not expect" not in capfd.readouterr().err
        (folder / name).unlink()


@pytest.mark.parametrize("number", [LONG, f"-{LONG}", "1" + 400 * "0", "1e400", "nan", "²"])
@pytest.mark.parametrize(
    "option",
    [
        ["render", "o.png", "--seed"],
        ["render", "o.png", "--index"],
        ["generate", "g", "--count"],
        ["generate", "g", "--count", "1", "--jobs"],
        ["validate", "released", "--against", ".", "--ours"],
        ["predict", "--model", "digit-finder", "--digits"],
        ["evaluate", "digit-finder", "--batch-size"],
        ["tiles", "export", "o", "--page"],
        ["study", "create", "S", "--print-spec", "--stimuli"],
        ["study", "show", "S", "--watch"],
        ["study", "invite", "S", "--days"],
        ["study", "simulate", "S", "--accuracy"],
    ],
)
def test_number_that_is_none_or_too_long_is_refused(
    option: list[str],
    number: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """More digits than Python reads, more than a float holds, and what is in no range."""
    _refusal([*option[:-1], f"{option[-1]}={number}"], monkeypatch, capfd)


@pytest.mark.parametrize(
    "text",
    [
        f"name: x\nstimuli: {LONG}",
        "name: x\nstimuli: 1" + 400 * "0",
        "name: x\nstimuli: 0x" + 5000 * "f",
        "name: " + 3000 * "[",
        "name: 2024-99-99",
        "name: x\nlease_minutes: .inf",
        "name: x\nrepeats: .nan",
        "name: [1]\npools: 3",
        "a: &a [x]\nname: *a",
        "- 1",
    ],
)
def test_settings_of_a_study_that_are_none_are_refused(
    text: str, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Numbers without end, deep nesting, anchors, and values of other kinds."""
    (here / "spec.yaml").write_text(text)
    command = ["study", "create", "--spec", "spec.yaml", "--print-spec"]
    assert len(_refusal(command, monkeypatch, capfd)) < 1500


@pytest.mark.parametrize(
    "text",
    [
        f"[run]\nepochs = {LONG}",
        "[model]\nname = 'ips'\n[run]\nlearning_rate = 1" + 400 * "0",
        "a = " + 3000 * "[",
        "model = 3",
    ],
)
def test_configuration_of_a_run_that_is_none_is_refused(
    text: str, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the file, and as a change of one."""
    (here / "run.toml").write_text(text)
    assert len(_refusal(["train", "run.toml"], monkeypatch, capfd)) < 1500
    change = text.splitlines()[-1].replace("a =", "run.epochs =").replace(" ", "")
    command = ["train", "resnet50-1024-11gb", "--set", change]
    assert len(_refusal(command, monkeypatch, capfd)) < 1500


def test_source_of_pixels_anew_is_no_pipe(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of `umnist study remake`, whose second argument is written to."""
    os.mkfifo(here / "pipe.zip")
    assert "a pipe and no file" in _refusal(
        ["study", "remake", "pipe.zip", "o"], monkeypatch, capfd
    )


def test_device_is_never_replaced_by_a_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor a pipe: what is written would take its name."""
    os.mkfifo(here / "pipe.png")
    said = _refusal(["render", *SMALL, "pipe.png"], monkeypatch, capfd)
    assert "a pipe and no file" in said
    assert (here / "pipe.png").is_fifo()


def test_names_that_are_no_text_are_read_and_written(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images, folders and tiles may be called by any bytes."""
    (here / "\udcff").mkdir()
    for command in (
        ["render", *SMALL, "\udcff/a\udcfe.png"],
        ["datasets", "inspect", "\udcff"],
        ["tiles", "export", "\udcff/t\udcfd", "--file", "\udcff/a\udcfe.png"],
        ["generate", "g\udcff", "--count", "1", "--jobs", "1", *SMALL],
        ["datasets", "inspect", "g\udcff"],
    ):
        assert run(command, monkeypatch) == 0, command
    assert (here / "\udcff" / "t\udcfd_files").is_dir()
