"""Models read of a file what people are shown of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference.images import SCENE
from tests.pyramid.making import write_oriented, write_pages
from umnist_core.inference.open_image import open_image
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import FileImage, PredictRequest

GREY = np.random.default_rng(0).integers(0, 256, (60, 40), np.uint8)


def _read(image: FileImage) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return open_image(image)[0].read_whole()


def test_page_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    """The first without a word; a request keeps its page on its way to another process."""
    path = write_pages(tmp_path / "stack.tif", [GREY, GREY[:20]])
    assert np.array_equal(_read(FileImage(str(path))), GREY)
    request = PredictRequest("digit-finder", "cpu", FileImage(str(path), 1))
    again = PredictRequest.from_dict(request.to_dict())
    assert again == request
    assert isinstance(again.image, FileImage)
    assert np.array_equal(_read(again.image), GREY[:20])
    assert PredictRequest.from_dict({**request.to_dict(), "image": {"path": "a.png"}}).image == (
        FileImage("a.png")
    )


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Return one with nothing loaded yet."""
    return Predictor("cpu")


def _answer(predictor: Predictor, path: Path) -> tuple[tuple[int, ...], float | None]:
    found = predictor.predict(PredictRequest("digit-finder", "cpu", FileImage(str(path))))
    return found.tasks[0].answer, found.confidence


def test_sideways_photo_is_read_as_it_is_shown(tmp_path: Path, predictor: Predictor) -> None:
    """A 6 that the file turns is not the 9 that it seems to be in the file."""
    pixels = open_image(SCENE)[0].read_whole()
    Image.fromarray(pixels).save(tmp_path / "upright.png")
    stored = np.ascontiguousarray(np.rot90(pixels, 1))  # its tag turns it back
    write_oriented(tmp_path / "sideways.png", stored, 6)
    upright = _answer(predictor, tmp_path / "upright.png")
    assert _answer(predictor, tmp_path / "sideways.png") == upright


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_nothing_is_read_as_on_the_ground_that_is_shown(
    tmp_path: Path, predictor: Predictor, ink: int
) -> None:
    """Black ink is read as on white, and white ink as on black; neither as an empty image."""
    pixels = open_image(SCENE)[0].read_whole()
    Image.fromarray(pixels if ink else 255 - pixels).save(tmp_path / "drawn.png")
    clear = np.dstack([np.full_like(pixels, ink)] * 3 + [pixels])
    Image.fromarray(clear, "RGBA").save(tmp_path / "clear.png")
    assert _answer(predictor, tmp_path / "clear.png") == _answer(predictor, tmp_path / "drawn.png")
