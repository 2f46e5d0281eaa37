"""Predictions: right answers to the right image, progress, and a sentence where it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.inference.images import IPS, MEGAPIXEL, OVERRIDES, SCENE, ask, save_photo, save_small
from tests.megapixel import megapixel_tasks
from umnist_core.digits import load_glyphs
from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    TooLargeError,
    UmnistError,
)
from umnist_core.inference import predictor as module
from umnist_core.inference.open_image import open_image
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.report import prediction_json, prediction_lines, prediction_row
from umnist_core.inference.requests import LOAD, RUN, FileImage, PredictRequest, SceneImage, Seen
from umnist_core.models.cards import card_path, get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.scenes import SceneRef, plan_scene

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small_ips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an IPS with fresh weights."""
    return save_small(tmp_path_factory.mktemp("ips"), "ips", **IPS)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """One for the CPU."""
    return Predictor("cpu")


# -- answers --------------------------------------------------------------------------


def test_scene_that_takes_too_long_to_draw_is_refused_here_as_in_the_viewer() -> None:
    """Other requests wait for the same process, and a prediction that draws cannot be cancelled."""
    noise = (("canvas", "8000"), ("noise_count", "10000"), ("noise_size", "2600"))
    with pytest.raises(TooLargeError, match="`umnist render`"):
        open_image(SceneImage(SceneRef("megapixel", overrides=noise)))


def test_answer_is_the_models_own_with_the_truth_of_the_scene(predictor: Predictor) -> None:
    """Probabilities are those of the model itself, the truth that of the scene as planned."""
    found = predictor.predict(ask("digit-finder"))
    model, _ = load_checkpoint(get_checkpoint("digit-finder"))
    source, _ = open_image(SCENE)
    with torch.no_grad():
        logits = model.attend(model.collate([model.prepare(source)])).logits["sum"][0]
    scene = plan_scene("released", 7, "train", 3, glyphs=load_glyphs(), overrides=dict(OVERRIDES))
    (task,) = found.tasks
    assert np.allclose(task.probabilities, logits.softmax(dim=0).numpy(), atol=1e-6)
    assert task.answer == (int(logits.argmax()),)
    assert task.truth == (scene.label,)
    assert task.is_right is (task.answer == task.truth)
    assert (found.height, found.width) == (600, 600)
    assert found.device == f"CPU, {torch.get_num_threads()} threads".replace(
        "1 threads", "1 thread"
    )


def test_attention_is_compared_with_the_scenes_ink(predictor: Predictor) -> None:
    """Chance is the ink's share of the image, and a finder of digits does better than it."""
    found = predictor.predict(ask("digit-finder"))
    assert found.looked is not None
    # Digits invert the ground: where the two differ is ink.
    ground = open_image(SceneImage(SCENE.ref, "background"))[0]
    is_ink = open_image(SCENE)[0].read_whole() != ground.read_whole()
    assert found.looked["sum"].chance == pytest.approx(is_ink.mean())
    assert found.looked["sum"].mass > 3 * found.looked["sum"].chance
    assert found.looked["sum"].pointing is True


def test_wrong_answer_to_a_scene_comes_with_why(predictor: Predictor, tmp_path: Path) -> None:
    """With pictures for a page; without them in text and JSON for programs."""
    checkpoint = save_small(tmp_path, "resnet50", side_px=32)
    refs = (SceneRef("released", 7, "train", index, OVERRIDES) for index in range(9))
    answers = (predictor.predict(ask(checkpoint, SceneImage(ref))) for ref in refs)
    found = next(one for one in answers if one.tasks[0].is_right is False)
    assert found.why is not None
    assert found.why.reason == "unknown"
    (told,) = [line for line in prediction_lines(found) if line.startswith("why: ")]
    assert told == f"why: {found.why.sentence} (unknown)"
    how = found.to_dict()["why"]["digits"][0]["how"]
    assert how["seen"].startswith("data:image/png;base64,")
    assert "data:" not in json.dumps(prediction_json(found))
    assert prediction_row("a", found)["why"] == found.why.sentence


def test_megapixel_scene_has_four_truths(predictor: Predictor, small_ips: Path) -> None:
    """Each task has its own, and several classes may be right at once."""
    found = predictor.predict(ask(small_ips, MEGAPIXEL))
    _, scene = open_image(MEGAPIXEL)
    assert scene is not None
    truths = {task.name: task.truth for task in found.tasks}
    tasks = megapixel_tasks(scene)
    assert truths == {
        "majority": (tasks.majority,),
        "max": (tasks.max,),
        "top": (tasks.top,),
        "multi": tuple(tasks.multi),
    }
    multi = found.tasks[3]
    assert multi.answer == tuple(np.flatnonzero(np.array(multi.probabilities) > 0.5))


def test_scene_of_ultramnist_has_no_truth_of_megapixels_tasks(
    predictor: Predictor, small_ips: Path
) -> None:
    """What cannot be known is not judged."""
    found = predictor.predict(ask(small_ips))
    assert {task.truth for task in found.tasks} == {None}
    assert {task.is_right for task in found.tasks} == {None}


def test_layer_without_digits_has_no_truth(predictor: Predictor) -> None:
    """The ground alone holds no sum, and no ink to compare with."""
    image = SceneImage(SCENE.ref, "background")
    found = predictor.predict(ask("digit-finder", image))
    assert found.tasks[0].truth is None
    assert found.looked is None


def test_prediction_is_told_as_json_with_boxes_of_browsers(predictor: Predictor) -> None:
    """All of it passes through JSON; boxes are x, y, width, height inside the image."""
    found = predictor.predict(ask("digit-finder"))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["image"] == {"width": 600, "height": 600}
    assert told["attention"]["places"] == len(found.attention.boxes if found.attention else ())
    assert told["found"]
    for one, box in zip(told["found"], found.found or (), strict=True):
        row0, col0, row1, col1 = box.box
        assert one["box"] == [col0, row0, col1 - col0, row1 - row0]
    assert sum(told["tasks"][0]["probabilities"]) == pytest.approx(1)
    assert set(told["seconds"]) == {"load", "read", "run"}
    assert told["peak_bytes"] > 2**20


def test_request_comes_back_from_json() -> None:
    """Scenes and files alike; what is no request is refused in a sentence."""
    for image in (SCENE, FileImage("a.png")):
        request = PredictRequest("digit-finder", "cpu", image)
        assert PredictRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request
    with pytest.raises(InvalidValueError, match="checkpoint, device and image"):
        PredictRequest.from_dict({"checkpoint": "a"})


# -- progress, keeping ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["digit-finder", "additive-pyramid", "ips"])
def test_progress_counts_up_to_its_end(predictor: Predictor, small_ips: Path, name: str) -> None:
    """After loading no step is told after a later one, and the last one says that all are done."""
    told: list[tuple[str, int, int | None]] = []
    places: list[tuple[int, int, int, int]] = []

    def tell(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
        told.append((stage, done, total))
        places.extend(seen)

    predictor.predict(ask(small_ips if name == "ips" else name), tell)
    assert told[:2] == [(LOAD, 0, None), (RUN, 0, None)]
    total = told[-1][2]
    assert told[-1] == (RUN, total, total)
    assert {(stage, of) for stage, _, of in told[2:]} == {(RUN, total)}
    steps = [done for _, done, _ in told[2:]]
    assert steps == sorted(steps)
    assert len(steps) > (20 if name == "ips" else 4)
    assert places


def test_error_of_the_watcher_ends_the_work_and_the_next_one_runs(predictor: Predictor) -> None:
    """So a request is cancelled; nothing of it is left behind."""

    class StopError(Exception):
        pass

    def stop(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
        if stage == RUN and done >= 2:
            raise StopError

    whole = predictor.predict(ask("digit-finder"))
    with pytest.raises(StopError):
        predictor.predict(ask("digit-finder"), stop)
    again = predictor.predict(ask("digit-finder"))
    assert again.tasks == whole.tasks
    assert again.found == whole.found


def test_models_are_loaded_once_and_the_oldest_is_dropped(
    small_ips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to so many are kept; one that was replaced on disk is loaded again."""
    predictor = Predictor("cpu")
    monkeypatch.setattr(module, "MODELS_MAX", 2)
    predictor.load("digit-finder")
    predictor.load("additive-pyramid")
    predictor.load("digit-finder")
    assert predictor.loaded == ("additive-pyramid", "digit-finder")
    predictor.load(str(small_ips))
    assert predictor.loaded == ("digit-finder", str(small_ips))
    copy = save_small(tmp_path, "ips", **IPS)
    before = predictor.predict(ask(copy, MEGAPIXEL))
    save_small(tmp_path, "ips", **IPS, heads=4)
    after = predictor.predict(ask(copy, MEGAPIXEL))
    assert before.attention is not None
    assert after.attention is not None
    assert (before.attention.heads, after.attention.heads) == (8, 4)


def test_where_memory_is_short_only_the_model_in_use_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Short is less than a limit, here more than any machine has."""
    predictor = Predictor("cpu")
    monkeypatch.setattr(module, "LITTLE_BYTES", 2**60)
    predictor.load("digit-finder")
    predictor.load("additive-pyramid")
    assert predictor.loaded == ("additive-pyramid",)


# -- unusual images -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digit-finder", "additive-pyramid", "ips", "resnet50"])
def test_colour_photograph_gets_an_answer(
    predictor: Predictor, small_ips: Path, tmp_path: Path, name: str
) -> None:
    """Models see its grey; there is no truth, and attention lies in the image."""
    checkpoint = {
        "ips": lambda: str(small_ips),
        "resnet50": lambda: str(save_small(tmp_path, "resnet50", side_px=32)),
    }.get(name, lambda: name)()
    found = predictor.predict(ask(checkpoint, save_photo(tmp_path / "photo.jpg")))
    assert all(np.isfinite(task.probabilities).all() for task in found.tasks)
    assert all(task.truth is None for task in found.tasks)
    assert found.looked is None
    assert found.attention is not None
    assert (found.attention.height, found.attention.width) == (480, 640)


def test_image_of_one_pixel_is_refused_by_name_of_its_size(
    predictor: Predictor, tmp_path: Path
) -> None:
    """The sentence says what the model takes and what it got."""
    image = save_photo(tmp_path / "one.png", 1, 1)
    with pytest.raises(InvalidValueError, match="28 px and more a side; got 1 x 1 px"):
        predictor.predict(ask("digit-finder", image))
    reduced = save_small(tmp_path, "mobilenet-v3-resizer", variant="small")
    with pytest.raises(InvalidValueError, match="longer side of 1280 px or more, got 1 x 1 px"):
        predictor.predict(ask(reduced, image))


def test_image_of_one_pixel_is_one_patch_to_ips(
    predictor: Predictor, small_ips: Path, tmp_path: Path
) -> None:
    """Patches are padded, so there is an answer, and one place to look at."""
    found = predictor.predict(ask(small_ips, save_photo(tmp_path / "one.png", 1, 1)))
    assert found.attention is not None
    assert found.attention.boxes.tolist() == [[0, 0, 1, 1]]


def test_scene_of_100000_px_a_side_is_read_piece_by_piece(
    predictor: Predictor, tmp_path: Path
) -> None:
    """A model of a reduced image answers; one that reads all of it says how far it is."""
    image = SceneImage(SceneRef("released", 7, "train", 3, (("canvas", "100000"),)))
    reduced = save_small(
        tmp_path, "mobilenet-v3-resizer", variant="small", side_px=64, backbone_px=64
    )
    found = predictor.predict(ask(reduced, image))
    assert (found.height, found.tasks[0].truth is not None) == (100_000, True)
    told: list[tuple[int, int | None]] = []

    def stop(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
        told.append((done, total))
        if done >= 50:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        predictor.predict(ask("digit-finder", image), stop)
    assert told[-1][1] == 75_057
    assert found.peak_bytes < 8 * 2**30  # the image alone would take 10 GB


# -- failures -------------------------------------------------------------------------


def test_unknown_checkpoint_device_and_file_are_named(predictor: Predictor) -> None:
    """Each sentence says what was asked for, and what there is."""
    with pytest.raises(NotFoundError, match=r"digit-finder.*nothing-like-it"):
        predictor.predict(ask("nothing-like-it"))
    with pytest.raises(NotFoundError, match=r"'cuda:99'.*choose"):
        Predictor("cuda:99")
    with pytest.raises(MissingFileError, match="nowhere"):
        predictor.predict(ask("digit-finder", FileImage("nowhere.png")))


def test_damaged_checkpoint_is_refused_and_the_predictor_goes_on(
    predictor: Predictor, tmp_path: Path
) -> None:
    """Truncated weights give a sentence."""
    whole = get_checkpoint("digit-finder")
    damaged = tmp_path / "half.safetensors"
    damaged.write_bytes(whole.read_bytes()[:5000])
    card_path(damaged).write_bytes(card_path(whole).read_bytes())
    with pytest.raises(DamagedFileError, match="half"):
        predictor.predict(ask(damaged))
    assert predictor.predict(ask("digit-finder")).tasks


_SHORT_OF_MEMORY = """
import resource, sys
import cv2, torch
cv2.setNumThreads(1); torch.set_num_threads(1)
from umnist_core.digits import load_glyphs
from umnist_core.errors import OutOfMemoryError
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.scenes import SceneRef

def scene(canvas):
    return PredictRequest(sys.argv[1], "cpu", SceneImage(SceneRef("released", 7, "train", 3,
        (("canvas", str(canvas)), ("factor", "1..4")))))

predictor = Predictor("cpu")
predictor.load(sys.argv[1])
load_glyphs().checksum  # made when it is first asked for
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024
_, hard = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, (used + 40 * 2**20, hard))
try:
    predictor.predict(scene(sys.argv[2]))
except OutOfMemoryError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
print(predictor.predict(scene(sys.argv[3])).height)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's limits")
@pytest.mark.parametrize(
    ("name", "canvas", "later"),
    [("additive-pyramid", "7900", "300"), ("mobilenet-v3-resizer", "1300", "1300")],
    ids=["reading", "running"],
)
def test_too_little_memory_is_said_in_a_sentence_and_the_process_goes_on(
    name: str, canvas: str, later: str, tmp_path: Path
) -> None:
    """A real limit on a process of its own: what it was needed for, and what to do."""
    checkpoint = name
    if name != "additive-pyramid":
        checkpoint = str(save_small(tmp_path, name, variant="small"))
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_MEMORY, checkpoint, canvas, later],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sentence, height = done.stdout.splitlines()
    assert f"Expected enough memory for {'reading' if canvas == '7900' else 'running'}" in sentence
    assert "choose a smaller image or model" in sentence
    assert height == later


_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from umnist_core.inference import open_image, prediction, report, requests
from umnist_core.models.cards import find_checkpoints, load_card
print(sorted(load_card(path).model for path in find_checkpoints().values()))
sys.argv = ["umnist", "predict", "--model", "digit-finder"]
from umnist_core.cli import main
main()
"""


def test_without_torch_cards_are_read_and_predicting_says_what_is_missing() -> None:
    """The command exits with 1 and one sentence that says how to get it."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "digit-finder" in done.stdout
    assert done.stderr == (
        "umnist: Models need torch, which this installation lacks; in the clone, run "
        ".venv/bin/pip install -e '.[models]'.\n"
    )


def test_errors_are_sentences_of_umnist() -> None:
    """What the page shows is written for people, also where a scene cannot be planned."""
    crowded = (("canvas", "100"), ("digits", "5"), ("factor", "3"))
    image = SceneImage(SceneRef("released", overrides=crowded))
    with pytest.raises(UmnistError, match="canvas=100"):
        Predictor("cpu").predict(ask("digit-finder", image))
    with pytest.raises(InvalidValueError, match="layer is one of full"):
        SceneImage(SceneRef(), "x-ray")
