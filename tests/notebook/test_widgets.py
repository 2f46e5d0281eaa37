"""Widgets without a browser: what they show, what their traits take, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from umnist_core.attention import AttentionMap
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.notebook import DeepZoom, NoiseLab, Watch
from umnist_core.notebook.answers import Ask
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef, get_preset

SIDE_PX = 600
REF = SceneRef.of("released", {"canvas": str(SIDE_PX)}, seed=7)


def _pixels(widget: Any, pane: int = 0) -> np.ndarray:
    """Return the one tile that a small picture is, as the browser would get it."""
    dzi, _, query = widget._data["panes"][pane]["dzi"].partition("?")
    side = max(widget._data["panes"][pane][name] for name in ("width", "height"))
    level = int(np.ceil(np.log2(side)))
    path = f"{dzi.removesuffix('.dzi')}_files/{level}/0_0.png"
    ask = Ask("GET", path, f"{query}&tile=1024".lstrip("&"))
    answer = widget._answers.answer(ask, may_be_dear=True)
    assert answer.status == 200, answer.body
    found = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return np.asarray(found)


def _where(side_px: int = SIDE_PX) -> AttentionMap:
    boxes = np.array([[0, 0, 100, 100]], np.float32)
    return AttentionMap(np.ones((1, 1, 1), np.float32), boxes, side_px, side_px, ("sum",), "test")


def test_scenes_and_what_was_planned_of_them_are_one_image() -> None:
    """A scene that somebody changed has no name, and is drawn as it is."""
    scene = REF.plan(load_glyphs())
    assert DeepZoom(scene)._data == DeepZoom(REF)._data
    changed = replace(scene, shapes=())
    assert (_pixels(DeepZoom(REF)) == render(scene, load_glyphs())).all()
    assert (_pixels(DeepZoom(changed)) == render(changed, load_glyphs())).all()


def test_layers_are_chosen_and_checked() -> None:
    """One or two, of those that there are; of files the image and what models see."""
    zoom = DeepZoom(REF, layers=("full", "digits"))
    scene = REF.plan(load_glyphs())
    assert (_pixels(zoom, 1) == render(scene, load_glyphs(), layer="digits")).all()
    zoom.layers = ["model-256"]
    assert _pixels(zoom).shape == (256, 256)
    with pytest.raises(InvalidValueError, match="layers are 1 to 2 of full"):
        zoom.layers = ["ink"]
    with pytest.raises(InvalidValueError, match="layers are 1 to 1"):
        DeepZoom(REF, REF, layers=("full", "digits"))


def test_arrays_files_and_images_of_pillow_are_shown(tmp_path: Path) -> None:
    """Grey and colour, eight and sixteen bits, and whatever else is said to be none."""
    rng = np.random.default_rng(3)
    colour = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for image in (colour, Image.fromarray(colour)):
        assert (_pixels(DeepZoom(image))[:, :, ::-1] == colour).all()
    assert (_pixels(DeepZoom(colour[:, :, 0] > 99)) == 255 * (colour[:, :, 0] > 99)).all()
    deep = DeepZoom(rng.integers(0, 65536, (40, 60), dtype=np.uint16))
    assert deep._data["panes"][0]["values"]["depth"] == "16 bit"
    Image.fromarray(colour).save(tmp_path / "own.png")
    assert (_pixels(DeepZoom(tmp_path / "own.png"))[:, :, ::-1] == colour).all()
    with pytest.raises(InvalidValueError, match="found ndarray float64"):
        DeepZoom(np.zeros((4, 4)))


def test_attention_goes_with_its_image_alone() -> None:
    """A map of another size is refused; one of this size has tiles and places."""
    look = DeepZoom(REF, attention=_where())._data["looks"][0]
    assert look["places"]["max"] == 1
    with pytest.raises(InvalidValueError, match=r"attention to an image of 600 x 600 px"):
        DeepZoom(REF, attention=_where(500))
    with pytest.raises(InvalidValueError, match="Expected an AttentionMap"):
        DeepZoom(REF, attention=np.ones((4, 4)))


def test_traits_take_what_they_mean_and_nothing_else() -> None:
    """Part of the overlays is enough; a view without a zoom is none."""
    zoom = DeepZoom(REF)
    zoom.overlays = {"answer": True}
    assert zoom.overlays == {"answer": True, "shapes": False, "attention": True}
    for name, value in (
        ("viewport", {"x": 1, "y": 2}),
        ("overlays", {"digits": True}),
        ("selection", [1, 2, 3]),
    ):
        with pytest.raises(Exception, match=r"viewport|overlays|selection"):
            setattr(zoom, name, value)


def test_what_the_sliders_say_is_a_setting() -> None:
    """A setting that cannot be leaves the last one; the truth follows the setting."""
    lab = NoiseLab(REF)
    overrides = {"canvas": "600", "shape_pairs": "2"}
    told: dict[str, Any] = {"preset": "released", "overrides": overrides}
    told |= {"seed": 9, "split": "train", "index": 1, "reference": "released"}
    lab.set_state({"setting": told})
    assert lab.setting == SceneRef.of("released", overrides, seed=9, index=1)
    assert lab._data["truth"]["label"] == lab.setting.plan(load_glyphs()).label
    lab.set_state({"setting": told | {"overrides": {"shape_pairs": "many"}}})
    assert lab.setting.seed == 9
    with pytest.raises(InvalidValueError, match="There is no setting 'loud'"):
        NoiseLab("loud")


def test_a_model_that_is_not_there_is_told() -> None:
    """With those that are."""
    with pytest.raises(NotFoundError, match="digit-finder"):
        Watch(REF, "no-such-model")
    with pytest.raises(NotFoundError, match="answered nothing yet"):
        _ = Watch(REF, follow=False).outcome


def test_records_show_themselves() -> None:
    """As a picture that can be read, with a text beside it."""
    glyphs = load_glyphs()
    for record in (REF, REF.plan(glyphs), glyphs, get_preset("released"), _where()):
        shown: dict[str, Any] = record._repr_mimebundle_()
        picture = np.frombuffer(shown["image/png"], np.uint8)
        assert cv2.imdecode(picture, cv2.IMREAD_COLOR) is not None
        assert shown["text/plain"]


def test_a_record_that_cannot_be_drawn_says_why() -> None:
    """Instead of an error in the cell."""
    crowded = SceneRef.of("released", {"canvas": "150", "factor": "3", "digits": "5"})
    shown = crowded._repr_mimebundle_()
    assert "image/png" not in shown
    assert shown["text/plain"].startswith("SceneRef(")


def test_records_need_neither_anywidget_nor_torch_and_widgets_say_what_they_need() -> None:
    """The base install shows pictures, and tells how to get the widgets."""
    code = f"""
import sys
class Without:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("anywidget", "ipywidgets", "traitlets", "IPython"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
from umnist_core.scenes import SceneRef
{REF!r}._repr_mimebundle_()["image/png"]
assert "torch" not in sys.modules
import importlib.util
importlib.util.find_spec = lambda name: None
import umnist_core.notebook as room
room.find_spec = lambda name: None
try:
    room.DeepZoom
except FileNotFoundError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "pip install 'umnist[notebook]'" in done.stdout
