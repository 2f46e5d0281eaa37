"""Why an answer is wrong: the digits it has to do with, in the words that people's answers have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from tests.inference.images import MEGAPIXEL, OVERRIDES, SCENE
from umnist_core.attention import AttentionMap
from umnist_core.inference.open_image import open_image
from umnist_core.inference.prediction import TaskAnswer
from umnist_core.inference.requests import SceneImage
from umnist_core.inference.sight import SeenImage
from umnist_core.inference.why import crop_png, judge, match_digits, reason_of
from umnist_core.inference.wrong import REASONS, Why, without_pictures
from umnist_core.models.base import FoundDigit, Model, ModelOutput
from umnist_core.models.registry import create_model
from umnist_core.scenes import Digit, Scene, SceneRef
from umnist_core.scoring import REASONS as PEOPLES_REASONS
from umnist_core.scoring import classify
from umnist_core.training.found import digits_right


def _scene(image: SceneImage = SCENE) -> Scene:
    scene = open_image(image)[1]
    assert scene is not None
    return scene


def _found(
    digit: Digit, label: int | None = None, shift: float = 0, score: float = 1
) -> FoundDigit:
    """Return a digit of a scene as a model may say it is there."""
    side = digit.side_px
    row, col = digit.row + shift * side, digit.col + shift * side
    return FoundDigit(digit.label if label is None else label, score, row, col, side, side)


def _wrong(scene: Scene, name: str = "sum", **more: Any) -> TaskAnswer:
    truth = (scene.label,) if name == "sum" else (1,)
    told = {"classes": 28, "is_multi": False, "probabilities": ()}
    return TaskAnswer(**{**told, "name": name, "answer": (0,), "truth": truth, **more})


def _judged(
    answers: Sequence[TaskAnswer],
    *,
    image: SceneImage = SCENE,
    model: str = "digit-finder",
    settings: dict[str, Any] | None = None,
    **output: Any,
) -> Why | None:
    source, scene = open_image(image)
    net: Model = create_model(model, settings or {}).eval()
    batch = net.collate([net.prepare(source)])
    given = {"logits": {"sum": torch.zeros(1, 28)}, "no_attention": "None.", **output}
    return judge(SeenImage(net, batch, source, scene, image), ModelOutput(**given), answers).why


def _decoded(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


FIVE = SceneImage(SceneRef("released", 7, "train", 3, (*OVERRIDES, ("digits", "5"))))


# -- reasons --------------------------------------------------------------------------


def test_reasons_are_those_of_peoples_answers() -> None:
    """The names, and for each kind of answer the one that a study's report gives it."""
    assert tuple(REASONS) == PEOPLES_REASONS
    true = [3, 7, 7]
    reports: tuple[list[int] | None, ...] = (None, [3, 7, 7], [7, 3, 7], [3, 7], [3, 7, 1], [])
    for reported, traced, unseen in itertools.product(reports, (True, False), (True, False)):
        label: dict[str, Any] = {
            "stimulus": "a",
            "annotator": "x",
            "pool": "guided",
            "kind": "label",
        }
        label |= {"correct": False, "digits_reported": reported}
        dwell = np.nan if not traced else 0.0 if unseen else 900.0
        digits = pd.DataFrame(
            {
                **{name: label[name] for name in ("stimulus", "annotator")},
                "digit_class": one,
                "dwell_ms": dwell,
            }
            for one in true
        )
        people = classify(pd.DataFrame([label]), digits).iloc[0]
        assert reason_of(reported, true, is_traced=traced, is_unseen=unseen) == people


# -- models that name digits ------------------------------------------------------------


def test_right_answer_is_not_explained() -> None:
    """Nothing is said of digits."""
    scene = _scene()
    right = _wrong(scene, answer=(scene.label,))
    assert _judged([right], found=(tuple(map(_found, scene.digits)),)) is None


def test_missed_misread_and_invented_digits_are_told_apart() -> None:
    """Each with its place; the sentence names them in the order of what weighs most."""
    scene = _scene()
    first, second, *rest = scene.digits
    other = (second.label + 1) % 10
    noise = FoundDigit(8, 0.7, 590, 590, 10, 10)
    part = FoundDigit(4, 0.7, rest[0].row, rest[0].col, rest[0].side_px / 3, rest[0].side_px / 3)
    found = (_found(second, other, shift=0.1), *map(_found, rest), noise, part)
    why = _judged([_wrong(scene)], found=(found,))
    assert why is not None
    assert why.reason == "not_looked_at"
    assert [(one.kind, one.label, one.read) for one in why.digits] == [
        ("unseen", first.label, None),
        ("misread", second.label, other),
        ("noise", None, 8),
        ("part", rest[0].label, 4),
    ]
    assert why.sentence.startswith(f"It missed the {first.label} of {first.side_px} px, read the ")
    assert "took noise for an 8 and took a part of the" in why.sentence
    box = first.box
    assert why.digits[0].box == (box.row0, box.col0, box.row1, box.col1)


def test_digits_read_right_and_another_sum_are_misadded() -> None:
    """As of people who name all digits."""
    scene = _scene()
    why = _judged([_wrong(scene)], found=(tuple(map(_found, scene.digits)),))
    assert why is not None
    assert (why.reason, why.digits) == ("misadded", ())
    assert why.sentence == (
        f"It read all {len(scene.digits)} digits right and answered 0, not their sum of "
        f"{scene.label}."
    )


def test_many_digits_are_counted_in_the_sentence() -> None:
    """Three are named, and the others are as many as they are."""
    scene = _scene(FIVE)
    why = _judged([_wrong(scene)], image=FIVE, found=((),))
    assert why is not None
    assert why.sentence.count("missed") == 3
    assert why.sentence.endswith("and 2 more.")
    assert len(why.digits) == 5


def test_matching_agrees_with_what_counts_as_read_in_evaluation() -> None:
    """A digit that evaluation counts as right is matched to one of its class, and no other is."""
    scene, rng = _scene(), np.random.default_rng(0)
    for _ in range(200):
        found = [
            _found(
                scene.digits[rng.integers(len(scene.digits))],
                int(rng.integers(10)) if rng.random() < 0.5 else None,
                float(rng.normal(0, 0.15)),
                float(rng.random()),
            )
            for _ in range(rng.integers(0, 6))
        ]
        matched = match_digits(scene.digits, found)
        assert len(set(matched.values())) == len(matched)
        right = [
            place in matched and found[matched[place]].label == digit.label
            for place, digit in enumerate(scene.digits)
        ]
        assert right == digits_right(scene.digits, found)


# -- models that choose places ----------------------------------------------------------

TASK = {"classes": 10, "truth": (1,), "answer": (0,)}
PATCHES = {"patch_px": 50, "stride_px": 50, "memory": 4, "tasks": ("majority", "multi")}


def _chosen(scene: Scene, digits: Sequence[Digit], **more: Any) -> Why | None:
    """Return why an answer is wrong of a model whose patches hold the middles of some digits."""
    boxes = [
        (one.row, one.col, one.row + one.side_px, one.col + one.side_px) for one in digits
    ] or [(0, 0, 1, 1)]
    weights = np.full((2, 1, len(boxes)), 1 / len(boxes), np.float32)
    seen = AttentionMap(
        weights, np.array(boxes, np.float32), scene.height, scene.width, ("majority", "multi"), "x"
    )
    answers = more.pop("answers", [_wrong(scene, "majority", **TASK)])
    given = {"attention": (seen,), "rounds": ((seen,),), "no_attention": ""}
    return _judged(answers, image=MEGAPIXEL, model="ips", settings=PATCHES, **given)


def test_digit_that_no_chosen_patch_lies_on_is_unseen() -> None:
    """It alone is listed, with the patch that the model did not choose."""
    scene = _scene(MEGAPIXEL)
    why = _chosen(scene, scene.digits[1:])
    assert why is not None
    (one,) = why.digits
    assert (why.reason, one.kind, one.label) == ("not_looked_at", "unseen", scene.digits[0].label)
    assert why.sentence == (
        f"None of the {len(scene.digits) - 1} patches that it chose lies on the "
        f"{scene.digits[0].label} of 28 px."
    )
    assert one.how is not None
    assert one.how.input_px == 28
    grid = open_image(MEGAPIXEL)[0].read_whole()
    patch = _decoded(one.how.seen)
    row, col = (int(middle // 50 * 50) for middle in (one.box[0] + 14, one.box[1] + 14))
    assert np.array_equal(patch, grid[row : row + 50, col : col + 50])


def test_where_all_are_seen_it_misread_or_misjudged() -> None:
    """Unless a task asks which digits there are: then it is known what it misread."""
    scene = _scene(MEGAPIXEL)
    why = _chosen(scene, scene.digits)
    assert why is not None
    assert (why.reason, why.title) == ("misread_or_misadded", "Misread or misjudged")
    assert why.sentence == (
        "Patches that it chose lie on all 5 digits, so it misread one or answered wrongly from "
        "them."
    )
    assert all("100 % of its ink" in one.words for one in why.digits)
    true = sorted({digit.label for digit in scene.digits})
    absent = next(one for one in range(10) if one not in true)
    multi = _wrong(scene, "multi", classes=10, is_multi=True, truth=tuple(true))
    named = TaskAnswer(**{**vars(multi), "answer": (absent, *true[1:])})
    why = _chosen(scene, scene.digits, answers=[_wrong(scene, "majority", **TASK), named])
    assert why is not None
    assert why.reason == "misread"
    assert why.sentence.endswith(
        f"there is {'an' if absent == 8 else 'a'} {absent} and no {true[0]}."
    )
    assert why.digits[0].label == true[0]


# -- models of which no more is known ---------------------------------------------------


def test_model_that_names_nothing_is_told_by_what_it_got() -> None:
    """The size at its input is the digit's, and the picture is cut from what it read."""
    why = _judged([_wrong(_scene())], model="resnet50", settings={"side_px": 64})
    assert why is not None
    smallest = min(_scene().digits, key=lambda digit: digit.side_px)
    px = smallest.side_px * 64 / 600
    assert why.reason == "unknown"
    assert why.sentence == (
        "It names no digits, so which one it misread is not known; the smallest, the "
        f"{smallest.label} of {smallest.side_px} px, is {px:.1f} px at its input."
    )
    assert [one.kind for one in why.digits] == ["there"] * len(_scene().digits)
    how = why.digits[0].how
    assert how is not None
    assert how.input_px == pytest.approx(px)
    whole = open_image(SCENE)[0].read_whole()
    small = cv2.resize(whole, (512, 512), interpolation=cv2.INTER_AREA)
    small = cv2.resize(small, (64, 64), interpolation=cv2.INTER_AREA)
    shown = _decoded(how.seen)
    found = cv2.matchTemplate(small, shown, cv2.TM_SQDIFF)
    assert found.min() < 0.5, "The picture is no part of what the model read."


# -- pictures ---------------------------------------------------------------------------


def test_pictures_show_the_digit_itself() -> None:
    """With the digits and without them the window differs where the digit's ink is."""
    scene = _scene()
    grounds = SceneImage(SCENE.ref, "background")
    why, of_ground = (
        _judged([_wrong(scene)], image=image, found=((),)) for image in (SCENE, grounds)
    )
    assert why is not None
    assert of_ground is not None
    for one, other in zip(why.digits, of_ground.digits, strict=True):
        assert one.how is not None
        assert other.how is not None
        seen, ground = (_decoded(how.seen) for how in (one.how, other.how))
        assert seen.shape == (64, 64)
        assert 14 <= one.how.input_px < 56
        assert set(np.unique(seen)) <= {0, 255}
        reach = round(one.how.input_px / 2)
        middle = np.s_[32 - reach : 32 + reach, 32 - reach : 32 + reach]
        assert (seen != ground)[middle].mean() > 0.05


def test_part_beyond_the_image_is_grey() -> None:
    """Below and right of it as well."""
    source, _ = open_image(SCENE)
    png = crop_png(source, (580.0, 590.5, 620.0, 630.0))
    picture = _decoded(png)
    assert picture.shape == (40, 40)
    assert (picture[20:] == 128).all()
    assert (picture[:, 10:] == 128).all()
    assert np.array_equal(picture[:20, :10], source.read_whole()[580:, 590:])


def test_json_of_the_command_line_has_no_pictures() -> None:
    """All else is there."""
    why = _judged([_wrong(_scene())], found=((),))
    assert why is not None
    told = without_pictures(why.to_dict())
    assert told is not None
    assert set(told["digits"][0]["how"]) == {"input_px", "words"}
    assert without_pictures(None) is None
