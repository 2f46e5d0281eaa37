"""Breaking it: which scene an image of a study is, and what people made of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pages._ui.inference.breaking import state_at
from pages._ui.inference.image import _answered, _scene_of
from pages._ui.shared.results import load_results
from pages._ui.shared.setting import state_from_query
from tests.pages.driving import make_study, open_lab
from umnist_core.digits import load_glyphs
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef


def test_scene_of_a_study_s_image_is_what_people_saw(tmp_path: Path) -> None:
    """Pixel for pixel; and people's answers to it are counted as on Results."""
    service, glyphs = open_lab(tmp_path), load_glyphs()
    study = make_study(service, 2, stimuli=2, images_per_annotator=2)
    service.close(study)
    results = load_results(service, service.overview(study))
    for image in results.images.index:
        scene = _scene_of(results, str(image))
        assert isinstance(scene, SceneRef)
        seen = cv2.imread(str(service.stimulus_file(study, str(image))), cv2.IMREAD_GRAYSCALE)
        assert seen is not None
        assert np.array_equal(seen, render(scene.plan(glyphs), glyphs))
        given = results.answers[results.answers["stimulus"] == image]
        given = given[given["kind"] == "label"]
        answered = _answered(results, str(image))
        assert answered == ((int(given["correct"].sum()), len(given)) if len(given) else None)


def test_image_that_is_opened_keeps_what_the_setting_is_compared_with() -> None:
    """Its preset's name stays the reference, and setting B goes to the same sample."""
    state = state_from_query({"preset": "released", "reference": "paper", "seed": "3"})
    ref = SceneRef.of("released", {"shape_pairs": "4"}, seed=9, split="test", index=12)
    after = state_at(state, ref)
    assert after.a == ref
    assert (after.b.seed, after.b.split, after.b.index) == (9, "test", 12)
    assert after.references == state.references
    assert state_at(state, SceneRef.of("needle")).references[0] == "needle"
