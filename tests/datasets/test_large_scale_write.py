"""Sets of MNIST Large Scale as they are written: names, numbers, README, stops and refusals."""

from __future__ import annotations

import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.datasets.making import hashes, run, umnist, umnist_command
from tests.datasets.test_stops import LIMIT_S, started
from tests.repeated import repeated
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.large_scale import write as writing
from umnist_core.datasets.large_scale.origin import ORIGIN, Origin
from umnist_core.datasets.large_scale.sets import FULL_COUNTS, LargeScaleSet, published_sets
from umnist_core.datasets.large_scale.write import write_large_scale
from umnist_core.datasets.read import open_dataset
from umnist_core.errors import ConflictError, WriteError
from umnist_core.seeds import FOLDER_SPLITS

FEW = {"train": 5, "val": 3, "test": 4}
SOME = {"train": 600, "val": 30, "test": 40}
"""Of which the training images are three batches."""


def test_file_has_the_partitions_shapes_types_and_range_of_the_original(tmp_path: Path) -> None:
    """What the authors' loader prints of theirs."""
    made = LargeScaleSet(2, 2, FEW)
    report = write_large_scale([made], tmp_path)
    assert (report.count, report.drawn) == (12, 12)
    with h5py.File(tmp_path / made.name, "r") as file:
        assert set(file) == {f"{letter}_{split}" for letter in "xy" for split in FOLDER_SPLITS}
        for split, count in FEW.items():
            x, y = file[f"x_{split}"], file[f"y_{split}"]
            assert (x.shape, x.dtype, x.chunks) == ((count, 112, 112, 1), np.float32, None)
            assert (y.shape, y.dtype) == ((count,), np.int32)
            np.testing.assert_array_equal(x[..., 0], made.draw(split, 0, count))
            np.testing.assert_array_equal(y, made.labels(split))
            assert f"[{x[()].min():.2f}, {x[()].max():.2f}]" == "[-0.76, 0.76]"


def test_file_to_test_with_has_one_sample_of_the_others_without_its_first_axis(
    tmp_path: Path,
) -> None:
    """As the original's, and all 17 of them open with the scale that they were made at."""
    sets = published_sets("test", {"test": 3})
    write_large_scale(sets, tmp_path)
    with h5py.File(tmp_path / sets[0].name, "r") as file:
        assert file["x_test"].shape == (3, 112, 112, 1)
        assert [file[f"x_{split}"].shape for split in ("train", "val")] == [(112, 112, 1)] * 2
        assert [file[f"y_{split}"].shape for split in FOLDER_SPLITS] == [(1,), (1,), (3,)]
    for made in sets:
        reader = open_dataset(tmp_path / made.name)
        assert reader.ids == ("0", "1", "2")
        assert reader.known("2").scale == made.low
    found = inspect_dataset(tmp_path)
    assert (found.is_sound, found.counts) == (True, {"test": 51})


def test_mixed_set_says_the_scale_of_each_image(tmp_path: Path) -> None:
    """Whatever digits the machine has that reads it."""
    made = LargeScaleSet(1, 4, FEW, seed=5)
    write_large_scale([made], tmp_path)
    reader = open_dataset(tmp_path)
    scales = [reader.known(name).scale for name in reader.ids]
    assert len(set(scales)) == 12
    for split, front in (("train", ""), ("val", "val/"), ("test", "test/")):
        for number in range(FEW[split]):
            scale = reader.known(f"{front}{number}").scale
            assert scale is not None
            alone = LargeScaleSet(scale, scale, FEW).draw(split, number, number + 1)
            values = reader.read_values([f"{front}{number}"])  # type: ignore[attr-defined]
            np.testing.assert_array_equal(values, alone)


def snippet(readme: str, language: str, place: int) -> str:
    """Return a piece of code from a README."""
    return str(re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)[place])


@pytest.mark.parametrize(("split", "place", "loaded"), [("train", 0, 5), ("test", 0, 4)])
def test_python_of_the_readme_loads_the_set_beside_it(
    tmp_path: Path, split: str, place: int, loaded: int
) -> None:
    """Run as it stands, in a process that knows nothing of umnist."""
    sets = published_sets(split, FEW if split == "train" else {"test": 4})
    write_large_scale(sets, tmp_path)
    code = snippet((tmp_path / "00_ReadMe.txt").read_text(), "python", place)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"({loaded}, 112, 112, 1) ({loaded},)\n"


def test_readme_lists_every_file_and_matlab_asks_for_partitions_that_are_there(
    tmp_path: Path,
) -> None:
    """Its snippet cannot be run here; its names, keys and order of axes can be compared."""
    write_large_scale([*published_sets("train", FEW), LargeScaleSet(8, 8, {"test": 2})], tmp_path)
    readme = (tmp_path / "00_ReadMe.txt").read_text()
    names = {path.name for path in tmp_path.glob("*.h5")}
    assert set(re.findall(r"- `(.*)`", readme)) == names
    assert len(re.findall("```matlab", readme)) == 2
    for place in range(2):
        code = snippet(readme, "matlab", place)
        name = re.findall(r"name = '(.*)';", code)[0]
        with h5py.File(tmp_path / name, "r") as file:
            keys = re.findall(r"h5read\(name, '/(.*?)'\)", code)
            assert set(keys) <= set(file)
            assert all(
                f"permute(h5read(name, '/{k}'), [4 3 2 1])" in code for k in keys if "x" in k
            )


def test_run_that_finds_all_there_draws_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    """And says so."""
    sets = published_sets("train", FEW)
    write_large_scale(sets, tmp_path)
    before = hashes(tmp_path)
    report = write_large_scale(sets, tmp_path)
    assert (report.count, report.drawn) == (48, 0)
    assert hashes(tmp_path) == before


def test_another_set_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    """Other seed, other maker: a sentence, before anything is written."""
    made = LargeScaleSet(1, 4, FEW, seed=1)
    write_large_scale([made], tmp_path)
    before = hashes(tmp_path)
    others = [LargeScaleSet(1, 1, FEW), LargeScaleSet(1, 4, FEW, seed=2)]
    with pytest.raises(ConflictError, match="holds another set"):
        write_large_scale(others, tmp_path)
    assert hashes(tmp_path) == before
    with h5py.File(tmp_path / made.name, "a") as file:
        del file.attrs[ORIGIN]  # as one that was downloaded
    with pytest.raises(ConflictError, match="holds another set"):
        write_large_scale([made], tmp_path)


def half_written(folder: Path, made: LargeScaleSet) -> Path:
    """Stop a run after its first batch; return the file in the making."""
    batches = writing._iter_written(folder, made, is_there=False)
    next(batches)
    del batches  # as a run that is stopped while it draws the second
    return folder / f".unfinished-{made.name}"


def test_stopped_run_goes_on_from_the_batches_that_are_noted(tmp_path: Path) -> None:
    """And ends with the same bytes as a straight one."""
    made = LargeScaleSet(1, 4, SOME)
    write_large_scale([made], tmp_path / "straight")
    (tmp_path / "stopped").mkdir()
    assert half_written(tmp_path / "stopped", made).exists()
    assert not (tmp_path / "stopped" / made.name).exists()
    report = write_large_scale([made], tmp_path / "stopped")
    assert (report.count, report.drawn) == (670, 670 - writing.BATCH)
    assert hashes(tmp_path / "stopped") == hashes(tmp_path / "straight")


@pytest.mark.parametrize("damage", ["image", "note", "notes", "layout", "other"])
def test_what_is_damaged_in_an_unfinished_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    """As a power cut leaves it: pixels lost, notes cut short, another set's file."""
    made = LargeScaleSet(2, 2, SOME)
    write_large_scale([made], tmp_path / "straight")
    folder = tmp_path / "stopped"
    folder.mkdir()
    growing = half_written(folder, made)
    notes = growing.with_name(f"{growing.name}.sha256")
    with growing.open("rb+") as file:
        if damage == "image":
            file.seek(writing.find_places(growing)["train"] + 5000)
            file.write(b"\xff" * 100)
        elif damage == "layout":
            file.truncate(1000)
    if damage == "note":
        notes.write_text(notes.read_text()[:-30])
    elif damage == "notes":
        notes.write_bytes(b"\xff\x00 12 nonsense\n7\n" * 4)
    elif damage == "other":
        other = half_written(folder, LargeScaleSet(1, 4, SOME, seed=9))
        other.replace(growing)
    write_large_scale([made], folder)
    straight = hashes(tmp_path / "straight")
    assert {name: sha for name, sha in hashes(folder).items() if name in straight} == straight


def wait_for_notes(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until as many batches are noted, or the process is over."""
    end = time.monotonic() + LIMIT_S
    while process.poll() is None and time.monotonic() < end:
        noted = sum(path.read_text().count("\n") for path in folder.glob(".*.sha256"))
        if noted >= count:
            return
        time.sleep(0.001)
    assert process.poll() is not None, f"no {count} batches within {LIMIT_S} s"


@pytest.mark.parametrize("kills", repeated([2, 8], 1))
def test_run_that_is_killed_again_and_again_ends_byte_identical_to_a_straight_one(
    tmp_path: Path, kills: int
) -> None:
    """Nothing has its name before it is whole; no batch that is noted is drawn again."""
    options = ["--preset", "large-scale", "--count", "1400", "--set", "scale=1..4"]
    options += ["--set", "val=30", "--set", "test=40"]
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    assert umnist("generate", str(straight), *options, cwd=tmp_path).returncode == 0
    killed = 0
    for number in range(kills):
        with started("generate", str(stopped), *options) as process:
            wait_for_notes(stopped, 1 + number * 5 // kills, process)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        assert not list(stopped.glob("mnist*"))
        assert not list(stopped.glob("00_ReadMe*"))
    assert killed == kills
    done = umnist("generate", str(stopped), *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(re.findall(r"(\d+) of them were there already", done.stdout)[0]) >= writing.BATCH
    assert hashes(stopped) == hashes(straight)


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    """Writing and reading hold a batch, whether a file has 300 images or 1,400."""
    peaks = {}
    for count in (300, 1400):
        made = LargeScaleSet(1, 1, {"train": count, "val": 1, "test": 1})
        made.draw("train", 0, 1)  # digits and matrices are loaded
        tracemalloc.start()
        write_large_scale([made], tmp_path)
        reader = open_dataset(tmp_path / made.name)
        for name in reader.ids:
            reader.read_image(name)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    image = 4 * 112**2
    assert peaks[1400] < peaks[300] + 20 * image
    assert peaks[1400] < 1.5 * writing.BATCH * image


def test_full_disc_is_said_in_a_sentence_and_the_run_goes_on_later(tmp_path: Path) -> None:
    """The system refuses a write in the middle of the images."""
    made = LargeScaleSet(1, 1, SOME)
    command, environment = umnist_command(
        *("generate", str(tmp_path / "full"), "--preset", "large-scale", "--count", "600"),
        *("--set", "scale=1", "--set", "val=30", "--set", "test=40"),
    )
    (tmp_path / "full").mkdir()
    writing._lay_out(tmp_path / "full" / f".unfinished-{made.name}", made)  # room is not taken

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))

    done = subprocess.run(
        command, env=environment, preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"umnist: .*could not be written \(File too large\); .*\.\n", done.stderr)
    report = write_large_scale([made], tmp_path / "full")
    assert report.drawn == 670 - writing.BATCH


def test_too_little_room_is_said_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how much is needed and how much there is."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_200_000))
    with pytest.raises(WriteError, match=r"Expected 0\.0 GB of room .*, found 0\.0 GB"):
        write_large_scale([LargeScaleSet(1, 1, SOME)], tmp_path)
    assert not hashes(tmp_path)


def test_command_writes_published_sets_and_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four to learn from, 17 to test with, or the one that is named; 2.828 means 2 to the 3/2."""
    monkeypatch.chdir(tmp_path)
    options = ["--preset", "large-scale", "--count", "4"]
    assert run(["generate", "a", *options], monkeypatch) == 0
    assert re.fullmatch(r"a: 48 images in 4 files in [\d.]+ s\n", capsys.readouterr().out)
    assert run(["generate", "b", *options, "--split", "test"], monkeypatch) == 0
    assert "68 images in 17 files" in capsys.readouterr().out
    options += ["--set", "scale=2.828", "--set", "val=2"]
    assert run(["generate", "c", *options], monkeypatch) == 0
    assert "10 images in 1 file " in capsys.readouterr().out
    assert open_dataset(tmp_path / "c").known("0").scale == 2**1.5
    assert [path.name for path in (tmp_path / "c").glob("*.h5")] == [
        "mnist_large_scale_tr4_vl2_te4_outsize112-112_sctr2p828_scte2p828.h5"
    ]


@pytest.mark.parametrize(
    "made", [LargeScaleSet(1, 4, FEW, 7), LargeScaleSet(0.7, 0.7, {"test": 2})]
)
def test_command_in_a_file_makes_the_same_bytes(
    tmp_path: Path, made: LargeScaleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds the file can make it again."""
    write_large_scale([made], tmp_path / "a")
    with h5py.File(tmp_path / "a" / made.name, "r") as file:
        words = shlex.split(Origin.from_json(file.attrs[ORIGIN], "").command)
    words[words.index("OUT")] = str(tmp_path / "b")
    assert run(words[1:], monkeypatch) == 0
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Say how many images with --count"),
        (["--count", "9000000"], "choose fewer"),
        (["--count", "2", "--set", "scale=9"], "scale is a number from 0.5 to 8"),
        (["--count", "2", "--set", "side=9"], "There is no parameter 'side'"),
        (["--count", "2", "--set", "val=0"], "val is a whole number from 1 to 10000"),
        (["--count", "2", "--split", "test", "--set", "val=1"], "--set val is of --split train"),
        (["--count", "2", "--jobs", "2"], "--jobs is of scenes"),
        (["--count", "2", "--image", "jpeg"], "--image is of scenes"),
        (["--count", "2", "--format", "coco"], "--format is of scenes"),
    ],
)
def test_command_refuses_what_there_is_not_in_a_sentence(
    tmp_path: Path,
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before a folder is made."""
    folder = tmp_path / "a"
    assert run(["generate", str(folder), "--preset", "large-scale", *options], monkeypatch) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not folder.exists()


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    """As with every data set."""
    (tmp_path / "a").write_text("mine")
    with pytest.raises(ConflictError, match="found the file"):
        write_large_scale([LargeScaleSet(1, 1, FEW)], tmp_path / "a")


def test_h5py_is_loaded_only_where_a_file_is_opened() -> None:
    """Commands, pages and the opening of other data sets start without it."""
    code = (
        "import sys, umnist_core.cli.generate, umnist_core.cli.datasets, umnist_core.datasets\n"
        "import umnist_core.datasets.large_scale.write, umnist_core.datasets.large_scale.reader\n"
        "assert not {'h5py', 'scipy.ndimage'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_full_size_is_what_the_description_says() -> None:
    """7.0 GB in the original, of 8 bytes a number; ours has 4."""
    images = sum(FULL_COUNTS.values())
    assert f"{images * 112**2 * 8 / 1e9:.1f}" == "7.0"
