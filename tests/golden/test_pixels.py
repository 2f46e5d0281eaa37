"""Golden pixels: the same scene gives the same pixels on every run and machine."""

from __future__ import annotations

import json

import pytest

from tests.golden.cases import CASES, GOLDEN_FILE, hashes
from umnist_core.rendering import RENDERER_VERSION

GOLDEN = json.loads(GOLDEN_FILE.read_text())


@pytest.mark.parametrize("name", CASES)
def test_scene_and_pixels_are_those_of_the_golden_file(name: str) -> None:
    """Neither the plan nor a pixel may change without ``python -m tests.golden.remake``."""
    assert hashes(name) == GOLDEN["cases"][name]


def test_golden_file_is_of_this_renderer() -> None:
    """A renderer that draws other pixels has another version, which tiles' names carry."""
    assert GOLDEN["renderer_version"] == RENDERER_VERSION
