"""The digit finder: staircases are read exactly, sums add up, memory is bounded, digits found."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.cards import SHIPPED
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.own.edge_planes import PackedLevels, level_edges
from umnist_core.models.own.finder import DigitFinder, DigitFinderConfig
from umnist_core.models.own.finder_nets import GlyphNet, SpotNet
from umnist_core.models.own.finder_search import (
    Candidate,
    Search,
    readings_at,
)
from umnist_core.models.own.spots import Spot, busy_tiles, iter_windows
from umnist_core.models.own.staircase import (
    find_grids,
    read_staircases,
    recover_ink,
)
from umnist_core.models.own.sums import sum_log_probabilities
from umnist_core.models.registry import create_model
from umnist_core.pyramid import TileSource
from umnist_core.pyramid.sources import ArraySource, HeldScene
from umnist_core.scenes import Scene, plan_scene
from umnist_core.scenes.ultramnist import glyph_pixels

FRESH_SEED = 987_001
FRESH_IMAGES = 20
FEWEST_RIGHT = 13
"""Well below what 20 images give on average; see the checkpoint's card."""

CHECKPOINT = SHIPPED / "digit-finder.safetensors"


@cache
def glyphs(subset: str = "train") -> GlyphSet:
    """Return the digits in use."""
    return load_glyphs(subset)


def count_windows(source: TileSource, level: int) -> int:
    """Return how many windows of a level may hold a digit."""
    return sum(len(one.tiles) for one in iter_windows(PackedLevels(source), level))


def scene_at(index: int, factor: str, canvas: int = 1600) -> Scene:
    """Return a scene with digits of some factors on a noisy ground, without specks."""
    overrides = {"factor": factor, "canvas": str(canvas)}
    return plan_scene("released-clean", 31, "train", index, glyphs=glyphs(), overrides=overrides)


class NoiseSource(TileSource):
    """A very large image of slanted stripes that is never held."""

    def __init__(self, side_px: int) -> None:
        self.height = self.width = side_px
        self.largest_px = 0

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Draw the box."""
        self.largest_px = max(self.largest_px, level_box.height * level_box.width)
        rows = np.arange(level_box.row0, level_box.row1)[:, None] * reduction
        cols = np.arange(level_box.col0, level_box.col1)[None] * reduction
        return ((((rows * 7 + cols * 19) // 9000) % 2) * 255).astype(np.uint8)


# -- staircases ---------------------------------------------------------------------


@pytest.mark.parametrize("factor", ["4", "5", "7", "11"])
def test_staircase_gives_factor_offset_and_ink_exactly(factor: str) -> None:
    """Also where the ground inverts parts of the digit, from a place and side that are off."""
    rng = np.random.default_rng(int(factor))
    for index in range(2):
        scene = scene_at(index, factor)
        source = HeldScene(scene, glyphs())
        for digit in scene.digits:
            side = digit.side_px
            row, col = (
                first + side / 2 + rng.uniform(-0.08, 0.08) * side
                for first in (digit.row, digit.col)
            )
            reading = read_staircases(source, row, col, side * rng.uniform(0.8, 1.25))[0]
            assert reading.factor == int(factor)
            off = [(reading.row - digit.row), (reading.col - digit.col)]
            assert all(one % reading.factor == 0 for one in off)
            down, right = (round(one / reading.factor) for one in off)
            assert max(abs(down), abs(right)) <= 2
            ink = glyph_pixels(glyphs(), digit.glyph, side) > scene.ink_threshold
            moved = np.pad(ink, 2)[2 + down : 30 + down, 2 + right : 30 + right]
            np.testing.assert_array_equal(reading.ink, moved)


def test_grid_is_named_where_no_edge_lies_on_one() -> None:
    """A window without long edges, or with a few in odd places, has some grid all the same."""
    for seed in range(40):
        bits = np.zeros((60, 60), np.uint8)
        rng = np.random.default_rng(seed)
        for _ in range(seed % 4):
            row, col = rng.integers(0, 50, 2)
            bits[row : row + rng.integers(1, 60), col : col + rng.integers(1, 60)] ^= 1
        grids = find_grids(bits, 4.0)
        assert 1 <= len(grids) <= 3
        for grid in grids:
            assert 2 <= grid.cell_px <= 7
            assert 0 <= grid.row_phase < grid.cell_px
            assert 0 <= grid.col_phase < grid.cell_px
            assert 0 <= grid.share <= 1
            assert grid.surprise >= 0


def test_every_grid_that_few_edges_may_mean_is_read() -> None:
    """A bar of 6 by 54 px may be a 1 of factor 3 or of factor 6; both are read."""
    image = np.zeros((300, 300), np.uint8)
    image[120:174, 147:153] = 255
    source = ArraySource(image, "nearest")
    readings = read_staircases(source, 147, 150, 95)
    assert {3.0, 6.0} <= {one.factor for one in readings}
    small = np.zeros((100, 100), np.uint8)
    small[40:60, 48:52] = 255  # all its edges on a grid of 2 px, and of 1 px, as are all
    assert 1.0 in {one.factor for one in read_staircases(ArraySource(small), 50, 50, 31)}


def test_plain_1_of_which_a_part_was_seen_is_read_whole() -> None:
    """Where the place of a large digit is said too small, a larger side is tried as well."""
    image = np.zeros((1400, 1400), np.uint8)
    image[540:1000, 640:720] = 255  # 23 by 4 cells of 20 px, a digit of 560 px
    spot = Spot(0.3, 700, 690, 330)
    assert 20.0 in {one.factor for one in readings_at(ArraySource(image, "nearest"), spot)}


def test_lines_of_a_grid_surprise_the_more_the_more_there_are() -> None:
    """Ten rows seven px apart are no chance; the same number anywhere, or on 1 px, are."""
    regular, random = np.zeros((140, 140), np.uint8), np.zeros((140, 140), np.uint8)
    rng = np.random.default_rng(5)
    for place, anywhere in zip(range(20, 90, 7), rng.permutation(120)[:10] + 10, strict=True):
        regular[place:] ^= 1
        random[anywhere:] ^= 1
    surprises = [find_grids(bits, 7.0)[0].surprise for bits in (regular[:60], regular, random)]
    assert 0 < surprises[0] < surprises[1]
    assert surprises[2] < 0.5 * surprises[1]
    assert find_grids(regular, 1.0)[-1].surprise == 0


def test_ink_is_recovered_from_its_edges_alone() -> None:
    """Whatever the ink is, if none of it is at the border."""
    rng = np.random.default_rng(3)
    ink = np.pad((rng.random((8, 20, 20)) < 0.5).astype(np.uint8), ((0, 0), (4, 4), (4, 4)))
    between_rows = (ink[:, 1:] != ink[:, :-1]).astype(np.float32)
    between_cols = (ink[:, :, 1:] != ink[:, :, :-1]).astype(np.float32)
    np.testing.assert_array_equal(recover_ink(between_rows, between_cols), ink)


def test_edges_do_not_change_when_the_image_is_inverted() -> None:
    """Polarity says nothing about digits: the ground is XORed."""
    image = np.random.default_rng(1).integers(0, 2, (300, 300)).astype(np.uint8) * 255
    box = Box(-8, -8, 40, 40)
    for level in range(3):
        plain = level_edges(ArraySource(image, "nearest"), level, box)
        inverted = level_edges(ArraySource(255 - image, "nearest"), level, box)
        np.testing.assert_array_equal(plain, inverted)


def test_flat_images_have_no_window_to_look_at() -> None:
    """Nor have straight outlines, on any level."""
    flat = ArraySource(np.full((600, 700), 255, np.uint8))
    rows, cols = np.indices((600, 700))
    slanted = ArraySource(((rows * 3 + cols > 900) * 255).astype(np.uint8))
    for source in (flat, slanted):
        assert all(count_windows(source, level) == 0 for level in range(4))


def test_corners_of_one_kind_are_enough_where_only_long_edges_are_left() -> None:
    """As a slanted 1 has them; on the finest level every outline does."""
    cells = np.zeros((2, 8, 8), np.float32)
    cells[0, 3:5, 4] = 4
    assert busy_tiles(cells).any()
    assert not busy_tiles(cells, is_dense=True).any()
    cells[1, 4, 4] = 1
    assert busy_tiles(cells, is_dense=True).any()


def test_one_corner_is_enough_on_the_coarsest_levels_alone() -> None:
    """There a digit of half the image may have few corners left; a large level is too many."""
    cells = np.zeros((2, 8, 8), np.float32)
    cells[0, 4, 4] = 1
    assert busy_tiles(cells, is_coarse=True).all()
    assert not busy_tiles(cells).any()
    assert not busy_tiles(np.zeros((2, 8, 8), np.float32), is_coarse=True).any()
    image = np.zeros((1000, 1000), np.uint8)
    image[320:832, 320:704] = 255  # four corners, two of each kind, far apart
    levels = [count_windows(ArraySource(image, "nearest"), level) for level in range(5)]
    assert levels[:3] == [0, 0, 0]
    assert levels[3] > 0


def test_plain_one_is_looked_at_though_specks_spoil_two_of_its_corners() -> None:
    """Two corners, one of each kind, are enough beside each other."""
    cells = np.zeros((2, 8, 8), np.float32)
    cells[:, 4, 4] = 1
    assert busy_tiles(cells).any()
    cells[1] = 0
    cells[0, 4, 4] = 2
    assert not busy_tiles(cells).any()


# -- sums ---------------------------------------------------------------------------


@pytest.mark.parametrize("places", [1, 3, 4])
def test_convolution_of_digits_equals_all_combinations_counted(places: int) -> None:
    """The sum's distribution, with its prior over the number of digits, by brute force."""
    generator = torch.Generator().manual_seed(places)
    chances = torch.rand(1, places, 11, generator=generator, dtype=torch.float64)
    chances[..., 10] *= 4
    chances /= chances.sum(dim=2, keepdim=True)
    expected = np.zeros(28)
    table = chances[0].numpy()
    for labels in itertools.product(range(11), repeat=places):
        digits = [label for label in labels if label < 10]
        if sum(digits) <= 27:
            weight = 1.0 if 3 <= len(digits) <= 5 else 1e-3
            chance = np.prod([table[place, label] for place, label in enumerate(labels)])
            expected[sum(digits)] += weight * chance
    found = sum_log_probabilities(chances)[0].exp().numpy()
    np.testing.assert_allclose(found, expected / expected.sum(), atol=2e-5)


def test_digits_that_are_certain_add_up_whatever_their_number() -> None:
    """Seven of them where five at most are usual, or one; the prior decides where they are not."""
    chances = torch.zeros(1, 9, 11)
    chances[:, :, 10] = 1
    chances[0, :7] = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3, 4, 5, 6]), 11)
    assert int(sum_log_probabilities(chances).argmax()) == 21
    chances[0, 1:7] = torch.nn.functional.one_hot(torch.tensor(10), 11).float()
    chances[0, 0] = torch.nn.functional.one_hot(torch.tensor(8), 11)
    assert int(sum_log_probabilities(chances).argmax()) == 8


def test_sums_are_as_exact_in_mixed_precision() -> None:
    """Chances are multiplied in 32 bits whatever the net computes in."""
    chances = torch.rand(2, 6, 11, generator=torch.Generator().manual_seed(3)).softmax(dim=2)
    with torch.autocast("cpu", torch.bfloat16):
        inside = sum_log_probabilities(chances)
    assert torch.equal(inside, sum_log_probabilities(chances))


def test_sums_refuse_another_number_of_classes() -> None:
    """The sentence says what was expected and what came."""
    with pytest.raises(InvalidValueError, match=r"Expected probabilities \(B, N, 11\)"):
        sum_log_probabilities(torch.rand(2, 3, 10))


def test_nets_refuse_other_shapes() -> None:
    """Public forwards say expected and got."""
    with pytest.raises(InvalidValueError, match="multiples of 8"):
        SpotNet()(torch.zeros(1, 4, 60, 64))
    with pytest.raises(InvalidValueError, match=r"\(B, 2, 28, 28\)"):
        GlyphNet()(torch.zeros(1, 1, 28, 28))


# -- the model ----------------------------------------------------------------------


def test_search_reads_nothing_within_a_digit_beyond_doubt() -> None:
    """What one who looks everywhere finds on it is left out, and the digit itself is not."""
    overrides = {"canvas": "1200", "factor": "18..20", "digits": "1", "label": "free"}
    overrides |= {"shape_pairs": "0", "checkerboard": "0"}
    scene = plan_scene("released", 5, "train", 1, glyphs=glyphs(), overrides=overrides)
    torch.manual_seed(0)
    net = SpotNet().eval()
    digit = scene.digits[0]

    def judge(candidates: list[Candidate]) -> list[float]:
        return [float(one.reading.side_px == digit.side_px) for one in candidates]

    def search(**how: object) -> list[Candidate]:
        found = Search(net, HeldScene(scene, glyphs()), least_score=0.01, most_spots=200, **how)  # type: ignore[arg-type]
        for level in reversed(range(5)):
            found.search_level(level)
        return list(found.found.values())

    within = digit.box
    everywhere, shielded = search(judge=None), search(judge=judge)
    sizes = [
        [one.reading.side_px for one in found if within.row0 < one.reading.row < within.row1]
        for found in (everywhere, shielded)
    ]
    assert digit.side_px in [one.reading.side_px for one in shielded]
    assert sum(side < 60 for side in sizes[0]) > 3 * sum(side < 60 for side in sizes[1])


def test_memory_does_not_grow_with_the_image() -> None:
    """A large image is read in boxes of bounded size, and its windows are not kept."""
    peaks = []
    for side_px in (6000, 12_000):
        source = NoiseSource(side_px)
        tracemalloc.start()
        for level in (0, 3):
            count_windows(source, level)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert source.largest_px <= 4800**2
    assert peaks[1] < 1.3 * peaks[0]


def test_images_smaller_than_a_glyph_are_refused() -> None:
    """In a sentence."""
    with pytest.raises(InvalidValueError, match="28 px and more"):
        create_model("digit-finder").prepare(ArraySource(np.zeros((20, 90), np.uint8)))


def test_settings_that_contradict_each_other_are_refused() -> None:
    """More digits than places cannot be found."""
    with pytest.raises(InvalidValueError, match="fewest_digits"):
        DigitFinderConfig(most_digits=70)


def test_gradients_reach_the_reader_of_glyphs() -> None:
    """Also where nothing is found in one of the images."""
    torch.manual_seed(0)  # weights with which something is found in the other
    model = create_model("digit-finder", {"least_score": 0.001, "most_spots": 6})
    source = HeldScene(scene_at(0, "2..4", canvas=500), glyphs())
    blank = ArraySource(np.zeros((64, 64), np.uint8))
    output = model(model.collate([model.prepare(source), model.prepare(blank)]))
    model.loss(output, {"sum": torch.tensor([3, 4])}).backward()  # type: ignore[no-untyped-call]
    assert output.logits["sum"].shape == (2, 28)
    judge = dict(model.named_parameters())["judge.weight"]
    assert judge.grad is not None


# -- the shipped checkpoint -----------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Iterator[DigitFinder]:
    """Return the trained finder that comes with the package."""
    model, _ = load_checkpoint(CHECKPOINT)
    assert isinstance(model, DigitFinder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield model
    torch.set_num_threads(threads)


@pytest.mark.long  # test_shipped.py has a dozen of other images
@torch.no_grad()
def test_shipped_finder_adds_up_fresh_images(shipped: DigitFinder) -> None:
    """Images of 4000 px and MNIST test digits that it has not seen."""
    if glyphs("test").is_stand_in:
        pytest.skip("MNIST is not on this machine.")
    right = 0
    for index in range(FRESH_IMAGES):
        scene = plan_scene("released", FRESH_SEED, "test", index, glyphs=glyphs("test"))
        output = shipped(shipped.collate([shipped.prepare(HeldScene(scene, glyphs("test")))]))
        right += int(output.logits["sum"].argmax()) == scene.label
        assert output.attention is not None
        assert output.attention[0].weights.sum() == pytest.approx(1, abs=1e-3)
    assert right >= FEWEST_RIGHT


@pytest.mark.parametrize("index", [184, 239])
def test_shipped_finder_finds_a_plain_1_of_half_the_image(shipped: DigitFinder, index: int) -> None:
    """Of the first the place is said a seventh too large; of the second only corners are left."""
    if glyphs("test").is_stand_in:
        pytest.skip("MNIST is not on this machine.")
    scene = plan_scene("released", 20261201, "test", index, glyphs=glyphs("test"))
    largest = max(scene.digits, key=lambda digit: digit.side_px)
    found, _ = shipped.find_candidates(HeldScene(scene, glyphs("test")))
    assert any(
        one.reading.side_px == largest.side_px
        and abs(one.reading.row - largest.row) <= 2 * one.reading.factor
        and abs(one.reading.col - largest.col) <= 2 * one.reading.factor
        for one in found
    )


@torch.no_grad()
def test_shipped_finder_finds_nothing_in_noise(shipped: DigitFinder) -> None:
    """Grounds without a digit: at most one mistake in three."""
    mistakes = 0
    for index in range(3):
        scene = plan_scene("released", FRESH_SEED, "test", index, glyphs=glyphs("test"))
        source = HeldScene(scene, glyphs("test"), layer="background")
        output = shipped(shipped.collate([shipped.prepare(source)]))
        assert output.found is not None
        mistakes += len(output.found[0])
    assert mistakes <= 1
