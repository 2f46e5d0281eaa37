"""What every reader says of an image besides its pixels, and that colours are there when asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.datasets.exports import image_bytes, write_image, write_shard
from tests.datasets.making import small_recipe
from tests.megapixel import megapixel_tasks
from tests.pyramid.making import ORIENTATIONS, write_oriented
from umnist_core.datasets import FileReader, open_dataset
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.known import Known
from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.digits import load_glyphs
from umnist_core.pyramid.files import file_source
from umnist_core.rendering import render

COLOURS = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class _Art(FileReader):
    """A data set whose labels are classes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        return ("Silk", "Woven fabric", "Gold", "Woodcut")


def test_colours_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    """What Explore shows of the file; grey stays what it was for models of digits."""
    path = tmp_path / "a.png"
    Image.fromarray(COLOURS).save(path)
    data = open_dataset(tmp_path)
    np.testing.assert_array_equal(data.read_colour("a"), COLOURS)
    np.testing.assert_array_equal(data.read_colour("a"), file_source(path).read_whole())
    assert data.read_image("a").shape == (30, 50)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_colours_are_turned_as_the_file_says(tmp_path: Path, orientation: int) -> None:
    """Rows and columns change places, channels never."""
    path = write_oriented(tmp_path / "a.png", COLOURS, orientation)
    shown = file_source(path).read_whole()
    np.testing.assert_array_equal(open_dataset(tmp_path).read_colour("a"), shown)


def test_grey_is_three_equal_channels(tmp_path: Path) -> None:
    """Of a grey file, and of images that are no files."""
    pyvips.Image.new_from_array(COLOURS[..., 0]).write_to_file(str(tmp_path / "a.png"))
    data = open_dataset(tmp_path)
    assert (data.read_colour("a") == COLOURS[..., :1]).all()
    glyphs = load_glyphs()
    recipe = small_recipe(1, preset="megapixel", overrides={"canvas": "100", "noise_count": "2"})
    scene = recipe.plan(0, glyphs)
    image = render(scene, glyphs)
    (tmp_path / "m").mkdir()
    write_megapixel_split(tmp_path / "m", "train", [(image, megapixel_tasks(scene))], {})
    megapixel = open_dataset(tmp_path / "m")
    np.testing.assert_array_equal(megapixel.read_colour("0"), np.dstack([image] * 3))
    assert megapixel.find_path("0") is None


def test_file_of_an_image_is_told_where_it_holds_that_image_alone(tmp_path: Path) -> None:
    """So that a viewer opens it; of a shard's member there is none."""
    write_image(tmp_path / "files" / "a.png")
    assert open_dataset(tmp_path / "files").find_path("a") == tmp_path / "files" / "a.png"
    write_shard(tmp_path / "shards" / "train-0.tar", {"a.png": image_bytes()})
    assert open_dataset(tmp_path / "shards").find_path("a") is None


def test_number_of_a_class_is_never_taken_for_a_sum(tmp_path: Path) -> None:
    """Models of sums find no label there, and everyone else the class's own name."""
    write_image(tmp_path / "3" / "a.png")
    sums = open_dataset(tmp_path)
    assert isinstance(sums, FileReader)
    assert (sums.digit_sum("a"), sums.known("a")) == (3, Known(label=3))
    art = _Art(sums.root, "art", None, sums.identities, sums.parts, sums.labels)
    assert (art.label("a"), art.digit_sum("a")) == (3, None)
    assert art.known("a") == Known(label=3, class_name="Woodcut")


def test_what_is_known_is_said_in_words() -> None:
    """A part for each thing that is known, and none for what is not."""
    assert Known().words == ()
    assert Known(label=3).words == ("label 3",)
    known = Known(
        label=2,
        class_name="Gold",
        year=1730.0,
        scale=2 ** (5 / 4),
        boxes=(DrawnBox("50_SIGN", 1, 2, 3, 4, "OCCLUDED"),),
        smaller={4: Path("b"), 2: Path("a")},
    )
    expected = ("class Gold", "year 1730", "scale 2.38", "1 box", "also reduced x2, x4")
    assert known.words == expected
