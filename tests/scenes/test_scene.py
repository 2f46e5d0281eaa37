"""Scenes as data: JSON both ways, and the truth that they carry."""

from __future__ import annotations

import json

import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import DamagedFileError
from umnist_core.scenes import Scene, plan_scene

GLYPHS = segment_glyphs()


@pytest.mark.parametrize("preset", ["released", "paper"])
def test_scene_survives_json_both_ways(preset: str) -> None:
    """What is written is read back equal, and writing it again gives the same text."""
    for index in range(20):
        scene = plan_scene(preset, seed=5, index=index, glyphs=GLYPHS)
        text = scene.to_json()
        assert Scene.from_json(text) == scene
        assert Scene.from_json(text).to_json() == text


def test_scene_label_is_the_sum_of_its_digits() -> None:
    """The label is derived, so it cannot contradict the digits."""
    scene = plan_scene("released", seed=1, index=2, glyphs=GLYPHS, overrides={"label": "13"})
    assert scene.label == sum(digit.label for digit in scene.digits) == 13
    assert json.loads(scene.to_json())["label"] == 13


def test_object_to_image_ratio_is_area_over_area() -> None:
    """A 28-px digit on a 1500-px canvas covers 28**2 / 1500**2 of it."""
    scene = plan_scene(
        glyphs=GLYPHS, overrides={"canvas": "1500", "factor": "1", "scale_distribution": "fixed"}
    )
    assert set(scene.object_to_image_ratios) == {28**2 / 1500**2}


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"version": 1}', '{"version": "x"}', "not json", "3"]
)
def test_text_that_is_no_scene_is_refused_in_one_sentence(text: str) -> None:
    """Damaged truth never becomes half a scene."""
    with pytest.raises(DamagedFileError) as caught:
        Scene.from_json(text)
    assert "\n" not in str(caught.value)


def test_scene_of_a_later_version_is_refused() -> None:
    """A scene from the future is not drawn by guessing."""
    data = json.loads(plan_scene(glyphs=GLYPHS).to_json())
    data["version"] = 99
    with pytest.raises(DamagedFileError, match="version 99"):
        Scene.from_json(json.dumps(data))
