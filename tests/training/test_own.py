"""Courses of our own models: one command, the same end after a stop, settings checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.repeated import repeated
from umnist_core.cli.train import train_command
from umnist_core.digits import GLYPH_PX, GlyphSet, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.models.cards import load_card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.own.finder import DigitFinder, DigitFinderConfig
from umnist_core.models.own.finder_nets import NOTHING
from umnist_core.models.own.finder_search import Candidate
from umnist_core.models.own.pyramid import ReadPatches
from umnist_core.models.own.spots import Spot
from umnist_core.models.own.staircase import Reading
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import plan_scene
from umnist_core.training.bars import Bars
from umnist_core.training.config import TrainConfig, config_from, load_config
from umnist_core.training.distributed import Group
from umnist_core.training.own import courses, finder
from umnist_core.training.own.courses import parse_course
from umnist_core.training.own.finder_candidates import (
    UNSURE,
    Candidates,
    candidate_label,
    hardest_glyphs,
    tuning_batches,
)
from umnist_core.training.own.pyramid import bend_patches
from umnist_core.training.own.shards import kept_tensors
from umnist_core.training.state import PhaseProgress

EASY = {"canvas": "600", "factor": "3..6", "digits": "3", "label": "free"}

TINY_FINDER = [
    "model.settings.spot_width=4",
    "model.settings.glyph_width=4",
    "recipe.scenes=1",
    "recipe.spot_steps=2",
    "recipe.spot_batch=4",
    "recipe.glyph_steps=2",
    "recipe.glyph_batch=8",
    "recipe.tuning_scenes=9",
    "recipe.tuning_steps=3",
    "recipe.judge_scenes=2",
    "recipe.workers=0",
    "recipe.save_minutes=0",
    "recipe.check_images=1",
]
TINY_LESSONS = (
    'recipe.lessons=[{images = 3, steps = 3, fewest = 1, most = 1, overrides = {canvas = "300", '
    'factor = "3..5", digits = "1", label = "free"}}, {images = 2, steps = 3, overrides = '
    '{canvas = "500", factor = "2..4"}}]'
)
TINY_ADDITIVE = [
    "model.settings.width=4",
    TINY_LESSONS,
    "recipe.workers=0",
    "recipe.batch=2",
    "recipe.save_minutes=0",
    "recipe.check_images=1",
]
TINY_PLAIN = [
    "model.settings.side_px=64",
    "model.settings.width=4",
    "recipe.lessons=[{side_px = 64, steps = 3, batch = 2, fewest = 1, most = 1, overrides = "
    '{canvas = "300", factor = "3..5", digits = "1", label = "free"}}, {side_px = 64, steps = 3, '
    'batch = 2, earlier = 0.5, overrides = {canvas = "500", factor = "2..4"}}]',
    "recipe.workers=0",
    "recipe.save_minutes=0",
    "recipe.check_images=1",
    "recipe.curve_images=2",
    "recipe.curve_steps=2",
]
TINY = {
    "digit-finder": TINY_FINDER,
    "additive-pyramid": TINY_ADDITIVE,
    "plain-cnn": TINY_PLAIN,
}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compute on one thread, and draw easy scenes for candidates."""
    monkeypatch.setattr(finder, "TUNING", (EASY,))
    monkeypatch.setattr(finder, "JUDGING", (EASY,))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny(name: str) -> TrainConfig:
    """Return the shipped configuration of a model, made small."""
    return load_config(Path(name), TINY[name])


class Stopped(Exception):  # noqa: N818
    """Stands for a kill."""


def stopping_at(step: int) -> Callable[..., None]:
    """Return what a bar shows with until it has been told so often, and then is killed."""
    told = 0

    def show(*_: Any) -> None:
        nonlocal told
        told += 1
        if told > step:
            raise Stopped

    return show


@pytest.mark.parametrize("name", list(TINY))
def test_one_command_leaves_a_checkpoint_that_answers(name: str, tmp_path: Path) -> None:
    """By the shipped configuration; its card says settings, digits, figures and the command."""
    changes = [word for change in TINY[name] for word in ("--set", change)]
    words = [name, "--out", str(tmp_path / "run"), *changes]
    result = CliRunner().invoke(train_command, words)
    assert result.exit_code == 0, result.output
    checkpoint = tmp_path / "run" / "best.safetensors"
    model, card = load_checkpoint(checkpoint)
    assert card.command.startswith(f"umnist train {name} --out")
    assert card.data["recipe"]["seed"] == load_config(Path(name)).recipe["seed"]
    assert card.figures["tasks"]["sum"]["accuracy"]["images"] == 1
    assert card.notes[0].startswith("Weights at the start: ")
    scene = plan_scene("released", 3, "test", 0, glyphs=load_glyphs("test"), overrides=EASY)
    with torch.no_grad():
        prepared = model.prepare(HeldScene(scene, load_glyphs("test")))
        assert model(model.collate([prepared])).logits["sum"].shape == (1, 28)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, torch.Tensor]]:
    """Return from a model's name to the weights of a tiny run that was not stopped."""
    found: dict[str, dict[str, torch.Tensor]] = {}

    def weights(name: str) -> dict[str, torch.Tensor]:
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            found[name] = load_checkpoint(courses.train_course(tiny(name), out))[0].state_dict()
        return found[name]

    return weights


_STOPS = [
    *(("digit-finder", 5), ("additive-pyramid", 4), ("digit-finder", 7), ("additive-pyramid", 9)),
    *(("plain-cnn", 6),),
    *(("digit-finder", 2), ("additive-pyramid", 2), ("digit-finder", 10), ("additive-pyramid", 7)),
]


@pytest.mark.parametrize(("name", "step"), repeated(_STOPS, usual=5))
def test_run_that_was_stopped_ends_with_the_same_weights(
    name: str,
    step: int,
    tmp_path: Path,
    whole: Callable[[str], dict[str, torch.Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within a phase, between two, or while scenes are read; by however many processes."""
    with monkeypatch.context() as patch:
        show = stopping_at(step)
        patch.setattr(Bars, "show", lambda self, *told: show(*told))
        with pytest.raises(Stopped):
            courses.train_course(tiny(name), tmp_path)
    assert not (tmp_path / "best.safetensors").exists()
    more_workers = load_config(Path(name), [*TINY[name], "recipe.workers=2"])
    model, _ = load_checkpoint(courses.train_course(more_workers, tmp_path))
    for key, value in whole(name).items():
        assert torch.equal(model.state_dict()[key], value), key


def test_device_is_set_as_for_all_runs_and_several_processes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By run.device, the only setting of its section; each process would do all of it."""
    config = load_config(Path("digit-finder"), [*TINY_FINDER, "run.device=cpu"])
    assert parse_course(config) == parse_course(tiny("digit-finder"))
    two = Group(0, 2, torch.device("cpu"))
    monkeypatch.setattr(courses, "joined_group", lambda device: nullcontext(two))
    with pytest.raises(InvalidValueError, match="for one process, found 2"):
        courses.train_course(config, tmp_path)


def test_what_is_drawn_follows_the_net_to_its_device(tmp_path: Path) -> None:
    """On the device ``meta``, which has shapes and no values, and mixes with no other."""
    model = DigitFinder(DigitFinderConfig(spot_width=4, glyph_width=4))
    settings = finder.FinderTraining(scenes=1, spot_batch=4, glyph_batch=8)
    glyphs = load_glyphs("train")
    phases = finder.finder_phases(model, settings, glyphs, tmp_path, lambda *told: None)
    for phase in islice(phases, 2):
        phase.net.to("meta")
        loss = phase.loss_of(phase.net, *phase.draw(PhaseProgress(), 0))
        loss.backward()  # type: ignore[no-untyped-call]
        assert loss.device.type == "meta"


def test_finished_run_is_left_as_it_is_and_another_refused(tmp_path: Path) -> None:
    """The same command does nothing more; other settings ask for another folder."""
    config = tiny("additive-pyramid")
    checkpoint = courses.train_course(config, tmp_path)
    before = checkpoint.stat().st_mtime_ns
    assert courses.train_course(config, tmp_path).stat().st_mtime_ns == before
    other = load_config(Path("additive-pyramid"), [*TINY_ADDITIVE, "recipe.seed=5"])
    with pytest.raises(InvalidValueError, match=r"has recipe\.seed = 701, got 5"):
        courses.train_course(other, tmp_path)


def test_run_begins_with_the_weights_of_an_earlier_one(tmp_path: Path) -> None:
    """Phases of no steps keep them, and the card says where they are from."""
    first = courses.train_course(tiny("digit-finder"), tmp_path / "first")
    changes = [*TINY_FINDER, f'model.initial="{first}"', "recipe.spot_steps=0"]
    config = load_config(Path("digit-finder"), [*changes, "recipe.glyph_steps=0"])
    model, card = load_checkpoint(courses.train_course(config, tmp_path / "second"))
    before = load_checkpoint(first)[0].state_dict()
    assert load_card(first).sha256[:12] in card.notes[0]
    for name, value in model.state_dict().items():
        if name.startswith("spots."):
            assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("digit-finder", "recipe.spot_step=3", r"no setting recipe\.spot_step"),
        ("digit-finder", "recipe.spot_steps=-1", "spot_steps is 0 or more"),
        ("digit-finder", "recipe.spot_batch=0", "spot_batch is 1 or more"),
        ("digit-finder", "recipe.learning_rate=0", "learning_rate above 0"),
        ("digit-finder", "recipe.check_images=0", "check_images is 1 or more"),
        ("digit-finder", "recipe.workers=-1", "workers 0 or more"),
        ("digit-finder", "recipe.precision=half", "precision is one of float32, mixed"),
        ("digit-finder", "run.epochs=3", r"no section run, but for run\.device"),
        ("digit-finder", "model.pretrained=imagenet", "no pretrained backbone"),
        ("digit-finder", "model.name=resnet50", "have a recipe of their own"),
        ("additive-pyramid", "recipe.lessons=3", r"recipe\.lessons is a list"),
        ("additive-pyramid", "recipe.lessons=[{image=3}]", r"no setting recipe\.lessons\[0\]"),
        ("additive-pyramid", "recipe.lessons=[]", "at least one lesson"),
        ("additive-pyramid", "recipe.lessons=[{images=3, steps=0, overrides={}}]", "1 or more"),
        ("plain-cnn", "recipe.lessons=[]", "at least one lesson"),
        ("plain-cnn", "recipe.curve_images=0", "one image for the curve"),
    ],
)
def test_setting_that_is_not_allowed_is_refused(name: str, change: str, sentence: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(InvalidValueError, match=sentence):
        parse_course(load_config(Path(name), [change]))


@pytest.mark.parametrize("name", list(TINY))
def test_shipped_course_is_the_default(name: str) -> None:
    """What the file says and what the code does without it are one recipe."""
    settings = type(parse_course(load_config(Path(name))))
    # One setting, so that there is a recipe at all.
    seed = load_config(Path(name)).recipe["seed"]
    bare = {"model": {"name": name}, "recipe": {"seed": seed}}
    assert parse_course(load_config(Path(name))) == parse_course(config_from(bare))
    assert settings is courses.COURSES[name][0]


def _candidate(factor: float, row: float, col: float) -> Candidate:
    blank = np.zeros((28, 28), np.uint8)
    return Candidate(
        Spot(0.5, row, col, 28 * factor), Reading(factor, row, col, 1, 0, blank, blank)
    )


def test_candidates_are_told_what_they_read() -> None:
    """A digit on its own grid, nothing elsewhere, and neither where the grid is another."""
    scene = plan_scene("released", 3, "train", 0, glyphs=load_glyphs("train"), overrides=EASY)
    digit = scene.digits[0]
    factor = digit.side_px / 28
    assert candidate_label(_candidate(factor, digit.row, digit.col), scene) == digit.label
    moved = _candidate(factor, digit.row + 2 * factor, digit.col)
    assert candidate_label(moved, scene) == digit.label
    assert candidate_label(_candidate(factor, digit.row + 3 * factor, digit.col), scene) == UNSURE
    assert candidate_label(_candidate(factor, digit.row + 19 * factor, digit.col), scene) == UNSURE
    assert candidate_label(_candidate(factor, digit.row + 21 * factor, digit.col), scene) == NOTHING
    assert candidate_label(_candidate(factor + 1, digit.row, digit.col), scene) == UNSURE
    assert candidate_label(_candidate(1, digit.row, digit.col), scene) == NOTHING


def test_patches_are_bent_in_both_pictures_alike() -> None:
    """Ink and pixels of a patch stay together, in black and white; boxes stay."""
    rng = np.random.default_rng(0)
    ink = (rng.random((40, 28, 28)) < 0.3).astype(np.uint8)
    ink[:, :6] = ink[:, -6:] = ink[:, :, :6] = ink[:, :, -6:] = 0  # nothing moves out
    boxes = rng.random((40, 4), np.float32)
    bent = bend_patches(ReadPatches(np.stack([ink, ink], axis=1), boxes, 400, 300), rng)
    assert bent.glyphs.dtype == np.uint8
    assert set(np.unique(bent.glyphs)) == {0, 1}
    assert np.array_equal(bent.glyphs[:, 0], bent.glyphs[:, 1])
    assert np.array_equal(bent.boxes, boxes)
    changed = (bent.glyphs[:, 0] != ink).any(axis=(1, 2))
    assert changed.sum() > 10  # some are bent, others at most moved
    assert any(one.sum() == own.sum() for one, own in zip(bent.glyphs[:, 0], ink, strict=True))


def test_tuning_asks_for_nothing_that_is_not_sure() -> None:
    """Half drawn glyphs, a quarter digits of scenes, a quarter none; the unsure never."""
    labels = torch.tensor([UNSURE] * 50 + [7] + [NOTHING] * 2)
    blank = torch.zeros(53, 2, 28, 28, dtype=torch.uint8)
    candidates = Candidates(blank, torch.zeros(53, 6), labels)
    glyphs, hard = load_glyphs("train"), np.arange(5)
    seen, told = tuning_batches(candidates, glyphs, hard, 32)(0, np.random.default_rng(0))
    assert seen.shape == (32, 2, 28, 28)
    assert told[16:].tolist() == [7] * 8 + [NOTHING] * 8
    none = Candidates(blank[:50], torch.zeros(50, 6), labels[:50])
    seen, told = tuning_batches(none, glyphs, hard, 32)(0, np.random.default_rng(0))
    assert len(seen) == len(told) == 16


def test_tuning_shows_the_hardest_glyphs_more_often() -> None:
    """They are those of the largest loss, and half of the glyphs drawn."""
    images = np.zeros((200, GLYPH_PX, GLYPH_PX), np.uint8)
    images[3, 4:24, 4:24] = 255
    glyphs = GlyphSet("one square", images, np.arange(200, dtype=np.uint8) % 10)

    class Net(torch.nn.Module):
        """Sees anything but ink as a four."""

        def forward(self, seen: torch.Tensor) -> torch.Tensor:
            """Say four, the surer the less ink there is."""
            logits = torch.zeros(len(seen), 11)
            logits[:, 4] = 2 - seen[:, 0].mean(dim=(1, 2))
            return logits

    hard = hardest_glyphs(Net(), glyphs, 180)
    assert set(glyphs.labels[hard]) == set(range(10)) - {4}
    assert hard[-1] == 3  # it alone has ink, so a three is a little less of a surprise
    assert set(hardest_glyphs(Net(), glyphs, 999)) == set(range(200))
    none = Candidates(torch.zeros(0, 2, 28, 28), torch.zeros(0, 6), torch.zeros(0).long())
    seen, _ = tuning_batches(none, glyphs, hard[-1:], 128)(0, np.random.default_rng(0))
    inked = (seen[:, 0].mean(dim=(1, 2)) > 0.3).sum()
    assert 20 <= inked <= 33  # 32, less those that are spoilt, and one by chance


def test_kept_tensors_are_made_once_and_damaged_ones_refused(tmp_path: Path) -> None:
    """The second time they come from the file."""
    path = tmp_path / "some.safetensors"
    made = []

    def make() -> dict[str, torch.Tensor]:
        made.append(1)
        return {"one": torch.arange(3)}

    assert [kept_tensors(path, make)["one"].tolist() for _ in range(2)] == [[0, 1, 2]] * 2
    assert len(made) == 1
    path.write_bytes(b"no tensors")
    with pytest.raises(DamagedFileError, match="remove it"):
        kept_tensors(path, make)
