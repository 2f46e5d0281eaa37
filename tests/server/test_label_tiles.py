"""Tiles of studies: the right pixels, for the right person alone."""

from __future__ import annotations

import time

import cv2
import httpx
import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from tests.server.conftest import Lab
from tests.server.people import addresses
from umnist_core.digits import GLYPH_PX, load_glyphs
from umnist_core.pyramid import ArraySource, PyramidGrid
from umnist_core.server.labeling.sessions import Session
from umnist_core.server.labeling.tiles import LabelTiles, glyph_sheet


def _pixels(answer: httpx.Response) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image.astype(np.uint8)


@pytest.mark.parametrize("pyramid_filter", ["area", "nearest"])
def test_tiles_are_the_frozen_image_under_the_studys_filter(lab: Lab, pyramid_filter: str) -> None:
    """Every tile of every level equals the plain reading of the frozen file."""
    study = lab.study(
        pyramid_filter=pyramid_filter, overrides={"canvas": "700", "factor": "0.5..4"}
    )
    with lab.person() as person:
        person.join(lab.link(study))
        image = person.begin()["trial"]["image"]
        annotator = next(iter(lab.service.state(study).annotators))
        key = image["dzi"].split("/")[-1].split(".")[0]
        frozen = cv2.imread(
            str(lab.service.image_file(study, annotator, key)), cv2.IMREAD_GRAYSCALE
        )
        assert frozen is not None
        source = ArraySource(frozen.astype(np.uint8), pyramid_filter)
        grid = PyramidGrid(image["height"], image["width"])
        for address in list(addresses(image))[1:]:
            level, place = address.split("_files/")[1].removesuffix(".png").split("/")
            col, row = map(int, place.split("_"))
            expected = source.read_region(
                grid.tile_box(int(level), col, row), grid.reduction(int(level))
            )
            np.testing.assert_array_equal(_pixels(person.http.get(address)), expected)


def test_tiles_are_kept_by_the_browser_and_say_nothing_else(lab: Lab) -> None:
    """Private and immutable, without entity tag, date of a file or name."""
    with lab.person() as person:
        person.join(lab.link(lab.study()))
        answers = person.look(person.begin()["trial"]["image"])
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        known = {"date", "server", "content-length", "content-type", "cache-control"}
        assert set(answer.headers) <= {*known, "x-content-type-options"}


def test_address_without_its_signature_opens_nothing(lab: Lab) -> None:
    """A wrong, missing or another image's signature is refused before anything is read."""
    with lab.person() as person:
        person.join(lab.link(lab.study()))
        state = person.begin()
        here, following = state["trial"]["image"]["dzi"], state["next"]["image"]["dzi"]
        key, signature, _ = here.split("/")[-1].split(".")
        stem = here.rsplit("/", 1)[0]
        other = following.split(".")[-2]
        for name in (f"{key}.{other}.dzi", f"{key}.{signature[:-1]}_.dzi", f"{key}.x.dzi"):
            answer = person.http.get(f"{stem}/{name}")
            assert (answer.status_code, answer.json()["code"]) == (403, "not_yours")
        assert person.http.get(f"{stem}/{key}.dzi").status_code == 404


def test_address_is_good_with_its_own_persons_cookie_alone(lab: Lab) -> None:
    """Passed on, it opens nothing: with another's cookie 403, with none 401."""
    study = lab.study()
    with lab.person() as one, lab.person() as other:
        one.join(lab.link(study))
        other.join(lab.link(study))
        other.begin()
        for address in addresses(one.begin()["trial"]["image"]):
            assert other.http.get(address).status_code == 403
            assert httpx.get(f"{lab.url}{address}", timeout=60).status_code == 401


def test_tile_that_does_not_exist_is_not_found(lab: Lab) -> None:
    """Levels and tiles beyond the grid."""
    with lab.person() as person:
        person.join(lab.link(lab.study()))
        stem = person.begin()["trial"]["image"]["dzi"].removesuffix(".dzi")
        for place in ("99/0_0", "9/7_0", "0/0_1", "9999999999999999999/0_0"):
            assert person.http.get(f"{stem}_files/{place}.png").status_code in (404, 422)


def test_guides_sheet_shows_every_digit_and_only_to_guided_people(lab: Lab) -> None:
    """Its coarsest and finest tiles; an unguided person has no address for it."""
    study = lab.study()
    with lab.person() as guided, lab.person() as unguided:
        guided.join(lab.link(study, "guided"))
        unguided.join(lab.link(study, "unguided"))
        sheet = guided.state()["guide"]["sheet"]
        glyphs = load_glyphs()
        assert sheet["width"] * sheet["height"] >= len(glyphs) * GLYPH_PX**2
        stem = sheet["dzi"].removesuffix(".dzi")
        level = PyramidGrid(sheet["height"], sheet["width"]).max_level
        tile = _pixels(guided.http.get(f"{stem}_files/{level}/0_0.png"))
        zeros = np.flatnonzero(glyphs.labels == 0)
        np.testing.assert_array_equal(tile[:GLYPH_PX, :GLYPH_PX], glyphs.images[zeros[0]])
        assert unguided.http.get(sheet["dzi"]).status_code == 403


def test_sheet_holds_each_glyph_once_and_every_class_in_any_ten_columns() -> None:
    """Each column is of one class, the classes take turns, and left-over places are black."""
    glyphs = segment_glyphs()
    sheet = glyph_sheet(glyphs)
    rows, cols = sheet.shape[0] // GLYPH_PX, sheet.shape[1] // GLYPH_PX
    cells = sheet.reshape(rows, GLYPH_PX, cols, GLYPH_PX).swapaxes(1, 2)
    assert cols % 10 == 0
    for label in range(10):
        own = glyphs.images[glyphs.labels == label]
        column = cells[:, label::10].reshape(-1, GLYPH_PX, GLYPH_PX)
        np.testing.assert_array_equal(column[: len(own)], own)
        assert not column[len(own) :].any()


def test_next_image_is_warm_before_it_is_asked_for(lab: Lab) -> None:
    """After the background is through, every tile is found without reading the file."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
    (annotator,) = lab.service.state(study).annotators
    session = Session(study, annotator)
    tiles = LabelTiles(lab.service)
    key = state["next"]["assignment"]
    assert tiles.find(session, key, (0, 0, 0)) is None
    tiles.warm(session, [key])
    while tiles.is_warming:
        time.sleep(0.01)
    lab.service.image_file(study, annotator, key).unlink()
    assert tiles.find(session, key, (9, 0, 0)) is not None
