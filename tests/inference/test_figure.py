"""What is kept of a prediction: figures of known boxes, and how to ask for it again."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import shlex
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from umnist_core.attention import AttentionMap
from umnist_core.cli import root
from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.errors import InvalidValueError
from umnist_core.inference.again import predict_command, predict_python
from umnist_core.inference.figure import make_figure
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import DigitImage, FileImage, PredictRequest, SceneImage
from umnist_core.pyramid import ArraySource
from umnist_core.scenes import SceneRef

SVG = "{http://www.w3.org/2000/svg}"
SIDE_PX = 4100
BOX = [1200, 800, 400, 600]  # x, y, width, height
RESULT: dict[str, Any] = {
    "tasks": [{"name": "sum", "answer": [7], "truth": [9], "is_right": False}],
    "found": [{"label": 7, "score": 0.9, "box": BOX}],
    "confidence": 0.5,
    "is_calibrated": True,
    "no_attention": "This model weighs all places alike.",
}
SMALL = SceneRef.of("released", {"canvas": "512", "factor": "1..4"}, seed=5, index=2)


def _source() -> ArraySource:
    pixels = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    pixels[800:1400, 1200:1600] = 255
    return ArraySource(pixels)


def _map() -> AttentionMap:
    boxes = np.array([[800, 1200, 1400, 1600], [3000, 200, 3200, 400]], np.float32)
    weights = np.array([[[0.75, 0.25]]], np.float32)
    return AttentionMap(weights, boxes, SIDE_PX, SIDE_PX, ("sum",), "chance & <patches>")


def test_figure_is_the_reduced_image_with_its_boxes_scale_and_colours() -> None:
    """PNG and SVG have one size; the picture is at most 2000 px and the boxes lie on it."""
    figure = make_figure(_source(), RESULT, _map(), "digit-finder")
    png = cv2.imdecode(np.frombuffer(figure.to_png(), np.uint8), cv2.IMREAD_COLOR)
    tree = ElementTree.fromstring(figure.to_svg())
    assert png is not None
    assert (tree.get("width"), tree.get("height")) == (str(png.shape[1]), str(png.shape[0]))
    picture = tree.find(f"{SVG}image")
    assert picture is not None
    assert (picture.get("width"), picture.get("height")) == ("1025", "1025")
    words = " ".join(one.text or "" for one in tree.iter(f"{SVG}text"))
    for said in (
        "digit-finder: sum 7, wrong: it is 9 (50.0% sure, calibrated)",
        "Attention: chance & <patches>",
        "7 90%",
        "1000 px",
        "0.75",
    ):
        assert said in words
    outlines = [one for one in tree.iter(f"{SVG}rect") if one.get("fill") == "none"]
    line = float(outlines[1].get("stroke-width") or 0)
    sides = [float(outlines[1].get(name) or 0) for name in ("x", "y", "width", "height")]
    assert sides == pytest.approx([300 - line, 200 - line, 100 + 2 * line, 150 + 2 * line])


def test_embedded_picture_is_the_image_under_its_attention() -> None:
    """Black where nothing is, coloured where the model looked."""
    svg = make_figure(_source(), RESULT, _map(), "m").to_svg().decode()
    found = re.search(r"base64,([^\"]+)", svg)
    assert found is not None
    raw = np.frombuffer(base64.b64decode(found[1]), np.uint8)
    pixels = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels[600, 600].tolist() == [0, 0, 0]
    assert len(set(pixels[275, 350].tolist())) == 3
    plain = make_figure(_source(), RESULT, None, "m")
    assert plain.pixels[275, 350].tolist() == [255, 255, 255]
    assert "weighs all places alike" in plain.to_svg().decode()


def test_part_of_a_map_that_is_not_there_is_refused() -> None:
    """As everywhere: a task by another name."""
    with pytest.raises(InvalidValueError):
        make_figure(_source(), RESULT, _map(), "m", task="colour")


def _answer(request: PredictRequest) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    task = Predictor("cpu").predict(request).tasks[0]
    return task.answer, task.truth


def test_command_and_program_give_the_very_answer_again(tmp_path: Any) -> None:
    """Of a scene and of a file with a blank in its name, run as they stand."""
    file = tmp_path / "mine own.png"
    render = ["render", *SMALL.options, "--index", str(SMALL.index), str(file)]
    assert CliRunner().invoke(root, render).exit_code == 0
    for image in (SceneImage(SMALL), FileImage(str(file))):
        request = PredictRequest("additive-pyramid", "cpu", image, (2, 6))
        answer, truth = _answer(request)
        words = shlex.split(predict_command(request) or "")
        told = CliRunner().invoke(root, [*words[1:], "--json"])
        assert told.exit_code == 0, told.exception
        task = json.loads(told.output)["tasks"][0]
        assert (tuple(task["answer"]), task["truth"]) == (answer, truth and list(truth))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(predict_python(request), {})
        assert said.getvalue() == f"sum {answer} {truth}\n"


@pytest.mark.parametrize(
    "image",
    [
        SceneImage(SMALL, "background"),
        DigitImage(DigitRef.of({"scale": "2"}, seed=1)),
        FileImage("a.png", is_frozen=True),
    ],
)
def test_program_names_the_very_image_where_no_command_does(image: Any) -> None:
    """What the command line cannot name has no command, and the program still has the request."""
    request = PredictRequest("fov-max", "cpu", image)
    assert predict_command(request) is None
    code = predict_python(request).partition("found =")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["request"] == request
