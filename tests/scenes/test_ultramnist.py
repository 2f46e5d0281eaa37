"""Planning: the rules of the generator, each sample alone, and bounded tries."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.scenes import Circle, Triangle, plan_scene
from umnist_core.scenes.ultramnist import digit_multisets

GLYPHS = segment_glyphs()


def test_scene_is_a_function_of_its_arguments_alone() -> None:
    """The same arguments give an equal scene, whatever was planned before."""
    first = plan_scene("released", 7, "train", 3, glyphs=GLYPHS)
    plan_scene("paper", 1, "test", 0, glyphs=GLYPHS)
    assert plan_scene("released", 7, "train", 3, glyphs=GLYPHS) == first


def test_scene_is_the_same_in_another_process() -> None:
    """Nothing depends on hash seeds or on the state of a process."""
    code = (
        "from tests.segment_glyphs import segment_glyphs\n"
        "from umnist_core.scenes import plan_scene\n"
        "print(plan_scene('released', 7, 'train', 3, glyphs=segment_glyphs()).to_json())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = plan_scene("released", 7, "train", 3, glyphs=GLYPHS).to_json()
    assert done.stdout.strip() == expected


@pytest.mark.parametrize("change", [{"seed": 8}, {"split": "test"}, {"index": 4}])
def test_seed_split_and_index_each_give_another_scene(change: dict[str, object]) -> None:
    """Samples are independent of their neighbours."""
    arguments: dict[str, object] = {"seed": 7, "split": "train", "index": 3}
    first = plan_scene("released", **arguments, glyphs=GLYPHS)  # type: ignore[arg-type]
    second = plan_scene("released", **{**arguments, **change}, glyphs=GLYPHS)  # type: ignore[arg-type]
    assert first.digits != second.digits
    assert first.checkerboard != second.checkerboard


def test_changing_the_noise_leaves_the_digits_and_the_reverse() -> None:
    """Each purpose has a generator of its own."""
    plain = plan_scene(seed=2, index=9, glyphs=GLYPHS)
    noisy = plan_scene(
        seed=2, index=9, glyphs=GLYPHS, overrides={"shape_pairs": "7", "checkerboard": "4"}
    )
    assert noisy.digits == plain.digits
    assert noisy.shapes != plain.shapes
    other = plan_scene(seed=2, index=9, glyphs=GLYPHS, overrides={"factor": "1..2"})
    assert other.digits != plain.digits
    assert other.checkerboard == plain.checkerboard
    assert other.shapes == plain.shapes


@pytest.mark.parametrize("preset", ["released", "paper"])
def test_digits_lie_inside_and_never_overlap(preset: str) -> None:
    """Every square is inside the canvas and meets no other."""
    for index in range(300):
        scene = plan_scene(preset, seed=11, index=index, glyphs=GLYPHS)
        assert all(scene.canvas.contains(box) for box in scene.boxes)
        assert not any(one.overlaps(other) for one, other in combinations(scene.boxes, 2))
        assert 3 <= len(scene.digits) <= 5
        assert 0 <= scene.label <= 27


def test_glyph_is_of_the_class_that_the_digit_says() -> None:
    """The truth names the glyph that is drawn."""
    for index in range(50):
        for digit in plan_scene(seed=3, index=index, glyphs=GLYPHS).digits:
            assert GLYPHS.labels[digit.glyph] == digit.label


def test_shape_pairs_set_circles_and_triangles_alike() -> None:
    """The noise study counts pairs: as many circles as triangles."""
    for index in range(30):
        scene = plan_scene(seed=4, index=index, glyphs=GLYPHS, overrides={"shape_pairs": "1..5"})
        circles = sum(isinstance(shape, Circle) for shape in scene.shapes)
        triangles = sum(isinstance(shape, Triangle) for shape in scene.shapes)
        assert circles == triangles
        assert 1 <= circles <= 5


def test_every_run_of_28_balanced_samples_holds_each_label_once() -> None:
    """Balanced means exactly balanced, and still each sample is made alone."""
    for split in ("train", "test"):
        labels = [plan_scene(seed=9, split=split, index=i, glyphs=GLYPHS).label for i in range(56)]
        assert sorted(labels[:28]) == sorted(labels[28:]) == list(range(28))
        assert labels[:28] != labels[28:]


def test_multisets_of_a_label_are_each_listed_once() -> None:
    """Sum 2 of 3 to 5 digits: 2 = 2 + 0s = 1 + 1 + 0s."""
    assert digit_multisets(2, 3, 5) == (
        (0, 0, 2),
        (0, 1, 1),
        (0, 0, 0, 2),
        (0, 0, 1, 1),
        (0, 0, 0, 0, 2),
        (0, 0, 0, 1, 1),
    )


def test_digits_that_cannot_fit_give_a_clear_error_and_not_a_hang() -> None:
    """Five digits of 2100 px find no place on 4000 px."""
    with pytest.raises(PlacementError, match="5 digits of factor=75"):
        plan_scene(
            glyphs=GLYPHS,
            overrides={"factor": "75", "scale_distribution": "fixed", "digits": "5"},
        )


def test_tight_but_possible_placement_is_found() -> None:
    """Four digits of 1120 px fill a third of the canvas and still find places."""
    scene = plan_scene(
        seed=1,
        glyphs=GLYPHS,
        overrides={"factor": "40", "scale_distribution": "fixed", "digits": "4", "label": "free"},
    )
    assert [digit.side_px for digit in scene.digits] == [1120] * 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"seed": -1}, "seed"),
        ({"index": -1}, "index"),
        ({"split": "val"}, "train, test"),
        ({"preset": "none"}, "released"),
    ],
)
def test_wrong_sample_is_refused(arguments: dict[str, object], said: str) -> None:
    """A wrong argument is named."""
    with pytest.raises(InvalidValueError, match=said):
        plan_scene(**arguments, glyphs=GLYPHS)  # type: ignore[arg-type]


def test_glyph_set_without_a_class_is_refused() -> None:
    """A glyph set without sevens cannot make a seven."""
    few = GlyphSet("few", GLYPHS.images[:5].copy(), GLYPHS.labels[:5].copy())
    with pytest.raises(InvalidValueError, match="has no digit"):
        plan_scene(glyphs=few, overrides={"label": "20"})


def test_14_px_digit_without_ink_is_drawn_again() -> None:
    """A glyph that vanishes at 14 px never becomes an invisible digit."""
    images = GLYPHS.images.copy()
    images[::5] = 0
    images[::5, 1::2, 1::2] = 255  # gone when every second pixel is kept
    glyphs = GlyphSet("vanishing", images, GLYPHS.labels.copy())
    for index in range(40):
        scene = plan_scene(
            glyphs=glyphs,
            index=index,
            overrides={"factor": "0.5", "scale_distribution": "fixed", "canvas": "400"},
        )
        assert all(not digit.ink_box.is_empty for digit in scene.digits)
        assert all(digit.glyph % 5 != 0 for digit in scene.digits)


def test_ink_threshold_is_that_of_otsu_on_the_noise_free_canvas() -> None:
    """The threshold from glyph histograms equals one searched on the grey canvas itself."""
    # Greys of every value, so that the threshold depends on the black around the digits.
    greys = np.random.default_rng(1).integers(0, 256, GLYPHS.images.shape, dtype=np.uint8)
    glyphs = GlyphSet("greys", greys, GLYPHS.labels.copy())
    scene = plan_scene(seed=6, glyphs=glyphs, overrides={"canvas": "600", "factor": "0.5..4"})
    canvas = np.zeros((600, 600), np.uint8)
    for digit in scene.digits:
        image = glyphs.images[digit.glyph]
        block = np.ones((digit.side_px // 28,) * 2)
        pixels = image[::2, ::2] if digit.side_px == 14 else np.kron(image, block)
        canvas[digit.box.slices] = pixels
    spread = []
    for threshold in range(255):
        low, high = canvas[canvas <= threshold], canvas[canvas > threshold]
        weight = len(low) * len(high)
        spread.append(weight * (low.mean() - high.mean()) ** 2 if weight else 0.0)
    assert scene.ink_threshold == int(np.argmax(spread))
