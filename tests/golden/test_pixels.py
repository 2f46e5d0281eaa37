"""Golden pixels: the same scene gives the same pixels on every run and machine."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.golden.cases import CASES, GOLDEN_FILE, hashes
from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering import RENDERER_VERSION, render
from umnist_core.scenes import Scene

GOLDEN = json.loads(GOLDEN_FILE.read_text())


@pytest.mark.parametrize("name", CASES)
def test_scene_and_pixels_are_those_of_the_golden_file(name: str) -> None:
    """Neither the plan nor a pixel may change without ``python -m tests.golden.remake``."""
    assert hashes(name) == GOLDEN["cases"][name]


def test_golden_file_is_of_this_renderer() -> None:
    """A renderer that draws other pixels has another version, which tiles' names carry."""
    assert GOLDEN["renderer_version"] == RENDERER_VERSION


PIXELS_OF_VERSION_1 = "8937f75e78e38b154aa1c239368556062edab3823d9c977f1d4a12408649b6e2"


def test_scene_file_of_version_1_keeps_its_pixels() -> None:
    """A scene of ``released`` written before its digits went through a JPEG is drawn without."""
    scene = Scene.from_json(GOLDEN_FILE.with_name("scene_version_1.json").read_text())
    pixels = render(scene, segment_glyphs())
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == PIXELS_OF_VERSION_1
    now = GOLDEN["cases"]["released until version 1"]["pixels"]
    assert now == PIXELS_OF_VERSION_1, "and the parameters that give the same image say so"
