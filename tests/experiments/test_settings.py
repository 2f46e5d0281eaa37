"""Settings: names, YAML, and what makes the same images elsewhere."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.segment_glyphs import segment_glyphs
from umnist_core.datasets.large_scale.ref import ALL_PRESETS, DigitRef, any_ref
from umnist_core.digits import load_glyphs
from umnist_core.errors import DamagedFileError, UmnistError
from umnist_core.experiments import (
    NAMED_SETTINGS,
    find_setting,
    python_code,
    render_command,
    setting_from_yaml,
    setting_to_yaml,
)
from umnist_core.rendering import render
from umnist_core.scenes import PRESETS, SceneRef
from umnist_core.seeds import MAX_SEED

ROOT = Path(__file__).parents[2]
GLYPHS = segment_glyphs()


def test_noise_study_has_its_ten_settings() -> None:
    """1 to 5 pairs at checkerboard 4, and 4, 8 ... 24 cells at one pair, one of them shared."""
    study = [one.ref for one in NAMED_SETTINGS.values() if one.group == "Noise study"]
    drawn = set()
    for setting in study:
        assert isinstance(setting, SceneRef)
        scene = setting.at(3).plan(GLYPHS)
        assert scene.checkerboard is not None
        drawn.add((len(scene.shapes) / 2, scene.checkerboard.size))
    pairs = {(number, 4) for number in (1, 2, 3, 4, 5)}
    cells = {(1, number) for number in (4, 8, 12, 16, 20, 24)}
    assert drawn == pairs | cells
    assert len(study) == len(drawn) == 10


def test_every_preset_and_the_noise_free_image_have_a_name() -> None:
    """Each preset can be chosen under a title of its own; noise-free has digits alone."""
    assert set(PRESETS) <= NAMED_SETTINGS.keys()
    titles = [one.title for one in NAMED_SETTINGS.values()]
    assert len(set(titles)) == len(titles)
    clean, released = NAMED_SETTINGS["noise-free"].ref, NAMED_SETTINGS["released"].ref
    assert isinstance(clean, SceneRef)
    assert isinstance(released, SceneRef)
    scene = clean.plan(GLYPHS)
    assert (scene.checkerboard, scene.shapes) == (None, ())
    assert scene.digits == released.plan(GLYPHS).digits


def test_old_links_find_the_sets_of_the_noise_study() -> None:
    """They were named by their numbers; what is no name at all is the released preset."""
    assert find_setting("study-2-4").key == "shape-pairs-2"
    assert find_setting("study-1-24").key == "checkerboard-24"
    assert find_setting("study-9-9").key == find_setting("nothing").key == "released"


@given(
    key=st.sampled_from(list(NAMED_SETTINGS)),
    seed=st.integers(0, MAX_SEED),
    index=st.integers(0, MAX_SEED),
    split=st.sampled_from(["train", "test"]),
    noise_seed=st.integers(0, MAX_SEED),
)
def test_yaml_gives_an_equal_setting_back(
    key: str, seed: int, index: int, split: str, noise_seed: int
) -> None:
    """What was saved is what is loaded."""
    named = NAMED_SETTINGS[key].ref
    overrides = dict(named.overrides)
    if "noise_seed" in ALL_PRESETS[named.preset].table:
        overrides["noise_seed"] = str(noise_seed)
    if isinstance(named, DigitRef):
        index %= DigitRef(split=split).last_index + 1
    setting = any_ref(named.preset, overrides, seed=seed, split=split, index=index)
    assert setting_from_yaml(setting_to_yaml(setting)) == setting


def test_yaml_is_as_people_write_it() -> None:
    """Numbers and ranges stand without quotes, and what is left out has a default."""
    setting = SceneRef.of("released", {"rotation": "-10..10", "shape_pairs": "3", "zoom": "1"})
    text = setting_to_yaml(setting)
    assert "\n  rotation: -10..10\n  shape_pairs: 3\n  zoom: 1\n" in text
    short = "umnist_setting: 1\npreset: released\noverrides: {shape_pairs: 3, zoom: 1.0}\n"
    same = SceneRef.of("released", {"shape_pairs": "3", "zoom": "1"})
    assert setting_from_yaml(short.encode()) == same


HEAD = "umnist_setting: 1\npreset: released\n"
MALFORMED = [
    "",
    "just text",
    "- a\n- list\n",
    "umnist_setting: [",
    "preset: released\n",
    "umnist_setting: 2\npreset: released\n",
    "umnist_setting: true\npreset: released\n",
    "umnist_setting: 1\n",
    "umnist_setting: 1\npreset: nothing\n",
    "umnist_setting: 1\npreset: [released]\n",
    HEAD + "colour: red\n",
    HEAD + "seed: -1\n",
    HEAD + "seed: 1.5\n",
    HEAD + "seed: .nan\n",
    HEAD + "seed: yes\n",
    HEAD + "seed: 99999999999999999999999999\n",
    HEAD + "index: 2024-01-01\n",
    HEAD + "index: 2024-99-99\n",
    HEAD + "split: dev\n",
    HEAD + "overrides: 3\n",
    HEAD + "overrides: {colour: 3}\n",
    HEAD + "overrides: {rotation: .nan}\n",
    HEAD + "overrides: {rotation: .inf}\n",
    HEAD + "overrides: {rotation: 10..-10}\n",
    HEAD + "overrides: {shape_pairs: [1, 2]}\n",
    HEAD + "overrides: {shape_pairs: true}\n",
    HEAD + "overrides: {shape_pairs: }\n",
    HEAD + "overrides: {[1, 2]: 3}\n",
    HEAD + "overrides: &a {shape_pairs: *a}\n",
    HEAD + "overrides: !!python/object/apply:os.getcwd []\n",
    "\x00\x01",
    "[" * 5000,
    "a" * 70_000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[-40:]))
def test_malformed_yaml_is_refused_in_one_sentence(text: str) -> None:
    """Whatever is uploaded, the error is one line for people."""
    with pytest.raises(UmnistError) as caught:
        setting_from_yaml(text)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    assert said.endswith((".", ";")) or "got" in said


def test_bytes_that_are_no_text_are_refused() -> None:
    """An image under the name of a setting is no YAML."""
    with pytest.raises(DamagedFileError, match="Expected YAML"):
        setting_from_yaml(b"\x89PNG\r\n\x1a\n\xff\xfe\xff")


SETTINGS = [
    SceneRef.of("released", {"shape_pairs": "3", "rotation": "-10..10"}, seed=3, index=4),
    SceneRef.of("megapixel-bezier", {"thickness": "2.2"}, split="test", seed=1),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
def test_command_draws_the_same_image(setting: SceneRef, tmp_path: Path) -> None:
    """The command line that is copied writes exactly the pixels of the setting."""
    out = tmp_path / "image.png"
    program, *arguments = shlex.split(render_command(setting, str(out)))
    assert program == "umnist"
    subprocess.run([sys.executable, "-m", "umnist_core.cli", *arguments], cwd=ROOT, check=True)
    drawn = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    glyphs = load_glyphs()
    assert np.array_equal(drawn, render(setting.plan(glyphs), glyphs))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
def test_python_draws_the_same_image(setting: SceneRef) -> None:
    """The program that is copied makes exactly the pixels of the setting."""
    names: dict[str, Any] = {}
    exec(python_code(setting), names)
    glyphs = load_glyphs()
    assert np.array_equal(names["image"], render(setting.plan(glyphs), glyphs))
