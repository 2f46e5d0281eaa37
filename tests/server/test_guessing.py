"""The guessing test: who sees all that an annotator sees finds no image of a study.

And the same attack finds the images of a study whose key is weak, in each way that it can be.
"""

from __future__ import annotations

import itertools
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.making import small_recipe
from tests.labeling.making import SMALL
from tests.server.conftest import Lab
from tests.server.guessing import (
    Candidate,
    Seen,
    attack,
    first_square,
    ground_at,
    kinds_of,
    plan_ground,
    read_numbers,
    small_samples,
    take_part,
)
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.labeling import StudySpec
from umnist_core.labeling.study_key import KeyedImage, StudyKey
from umnist_core.rendering import render
from umnist_core.scenes import PRESETS, UltraMnistParameters, plan_scene

SCENES = 240
"""Of each preset, small enough for every day; `tests.server.guessing` tries any number."""

WEAK_SEED = 7


def _see(lab: Lab, pool: str = "guided") -> Seen:
    study = lab.study(practice=2)
    with lab.person() as person:
        seen = take_part(person, lab.link(study, pool))
    assert len(seen.tiles) == 3 + 2
    assert pool == "unguided" or len(seen.boxes) == 2
    return seen


@pytest.mark.parametrize("pool", ["unguided", "guided"])
def test_no_image_of_a_study_is_found(lab: Lab, pool: str) -> None:
    """Not among scenes of small seeds, nor of any number, id or time that was received."""
    seen = _see(lab, pool)
    assert len(read_numbers(seen.texts)) > 100
    assert attack(seen, SMALL, SCENES, load_glyphs()) == []


@pytest.mark.parametrize("overrides", [{}, SMALL], ids=["as-it-is", "small"])
def test_what_is_planned_of_a_scene_is_what_a_whole_plan_has(overrides: dict[str, str]) -> None:
    """Of every preset: the ground, and a digit in the first square."""
    glyphs = load_glyphs()
    kinds = kinds_of(overrides)
    assert sorted(preset for presets in kinds.values() for preset in presets) == sorted(PRESETS)
    for parameters, presets in kinds.items():
        for preset, sample in itertools.product(presets, small_samples(40)):
            table = PRESETS[preset].table
            known = {name: text for name, text in overrides.items() if name in table}
            scene = plan_scene(preset, *sample, glyphs=glyphs, overrides=known)
            square = first_square(parameters, sample)
            assert square in scene.boxes if scene.boxes else square is None
            if isinstance(parameters, UltraMnistParameters):
                assert plan_ground(parameters, sample) == (scene.checkerboard, scene.shapes)


def test_ground_at_points_is_the_drawn_ground() -> None:
    """Pixel by pixel, but for those that an edge runs through."""
    glyphs = load_glyphs()
    (parameters,) = (one for one, presets in kinds_of(SMALL).items() if "paper" in presets)
    assert isinstance(parameters, UltraMnistParameters)
    rows, cols = np.divmod(np.arange(512**2), 512)
    for sample in small_samples(20):
        scene = plan_scene("paper", *sample, glyphs=glyphs, overrides=SMALL)
        drawn = render(scene, glyphs, layer="background") > 127
        planned = ground_at(plan_ground(parameters, sample), rows, cols)
        assert np.mean(planned == drawn.ravel()) > 0.99


def _weak(choose: Callable[[str, int], tuple[int, int]]) -> Callable[..., Iterator[KeyedImage]]:
    """Return a way to draw images that the key has no part in."""

    def images(
        self: StudyKey, spec: StudySpec, stream: str, split: str, cell: int
    ) -> Iterator[KeyedImage]:
        for number in itertools.count():
            seed, index = choose(stream, number)
            yield KeyedImage(self.name(stream, number), split, seed, index)

    return images


def test_images_of_a_weak_seed_are_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed for all and a number for each, as studies had it: all of them are found."""
    monkeypatch.setattr(StudyKey, "_images", _weak(lambda stream, number: (WEAK_SEED, number)))
    found = attack(_see(lab), SMALL, SCENES, load_glyphs(), reads=False)
    assert len({one for one in found if one.preset == "released"}) == 3 + 2


def test_weak_practice_is_found_by_its_boxes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if every image of the study is drawn well."""
    drawn = StudyKey._images
    weak = _weak(lambda stream, number: (WEAK_SEED, number))

    def images(
        self: StudyKey, spec: StudySpec, stream: str, split: str, cell: int
    ) -> Iterator[KeyedImage]:
        return (weak if stream == "practice" else drawn)(self, spec, stream, split, cell)

    monkeypatch.setattr(StudyKey, "_images", images)
    seen = _see(lab)
    seen.grounds.clear()
    seen.tiles.clear()
    found = attack(seen, SMALL, SCENES, load_glyphs(), reads=False)
    assert {one for one in found if one.preset == "released"} == {
        Candidate("released", WEAK_SEED, "train", number) for number in range(2)
    }


def test_study_of_a_folder_that_we_made_says_that_its_images_can_be_guessed(
    lab: Lab, tmp_path: Path
) -> None:
    """All of them are found, so the owner is told; of any other folder nothing is said."""
    recipe = small_recipe(8, image="png")
    write_dataset(recipe, tmp_path / "ours")
    shutil.copytree(tmp_path / "ours" / "train", tmp_path / "copied")
    shutil.copy(tmp_path / "ours" / "train.csv", tmp_path / "copied" / "train.csv")
    ours, copied = (
        lab.study(folder=str(tmp_path / name), practice=2) for name in ("ours", "copied")
    )
    with lab.person() as person:
        seen = take_part(person, lab.link(ours, "guided"))
    found = attack(seen, dict(recipe.overrides), SCENES, load_glyphs(), reads=False)
    assert len({one for one in found if one.preset == "released"}) == 3 + 2
    assert lab.service.state(ours).is_guessable
    assert not lab.service.state(copied).is_guessable


def test_seed_in_an_id_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a study whose images follow from its own id, which every address has."""
    ids: list[str] = []
    token_hex = secrets.token_hex

    def token(count: int) -> str:
        ids.append(token_hex(count))
        return ids[-1]

    monkeypatch.setattr("umnist_core.labeling.freeze.secrets.token_hex", token)
    monkeypatch.setattr(
        StudyKey, "_images", _weak(lambda stream, number: (int(ids[0], 16), number))
    )
    assert attack(_see(lab), SMALL, 0, load_glyphs()) != []
