"""Which digits and scales the sets of MNIST Large Scale have, and what their files are called."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.datasets.large_scale import TEST_SCALES, rescale_digits
from umnist_core.datasets.large_scale.sets import (
    FULL_COUNTS,
    LargeScaleSet,
    digits_of,
    draw_scale,
    published_sets,
    read_name,
)
from umnist_core.errors import InvalidValueError
from umnist_core.seeds import FOLDER_SPLITS

FEW = {"train": 5, "val": 3, "test": 4}
STEM = "mnist_large_scale_tr50000_vl10000_te10000_outsize112-112"


def test_names_are_the_published_ones() -> None:
    """Those of the authors' description, with the loaders' name for the mixed set."""
    names = [one.name for one in published_sets("train", FEW)]
    start = "mnist_large_scale_tr5_vl3_te4_outsize112-112_"
    assert names == [
        f"{start}sctr{words}_scte{words}.h5" for words in ("1p000", "2p000", "4p000", "1p000-4p000")
    ]
    names = [one.name for one in published_sets("test", {"test": 4})]
    assert len(names) == 17
    assert names[0] == "mnist_large_scale_te4_outsize112-112_scte0p500.h5"
    assert names[9] == "mnist_large_scale_te4_outsize112-112_scte2p378.h5"
    assert names[-1] == "mnist_large_scale_te4_outsize112-112_scte8p000.h5"


def test_partitions_are_the_first_and_last_of_mnists_training_digits_and_its_tests() -> None:
    """50,000, 10,000 and 10,000 of MNIST; no digit is in both of the first two."""
    train, val, test = (digits_of(split) for split in FOLDER_SPLITS)
    assert train.glyphs is val.glyphs
    assert (train.first, val.first, test.first) == (0, train.count, 0)
    assert train.count + val.count == len(train.glyphs)
    assert test.count == len(test.glyphs)
    if not train.glyphs.is_stand_in:
        counts = {"train": train.count, "val": val.count, "test": test.count}
        assert counts == FULL_COUNTS


def test_images_of_a_set_are_the_first_digits_at_its_scale() -> None:
    """In the order of MNIST, with their labels."""
    made = LargeScaleSet(2, 2, FEW)
    digits = digits_of("val")
    span = slice(digits.first + 1, digits.first + 3)
    expected = rescale_digits(digits.glyphs.images[span], 2)
    np.testing.assert_array_equal(made.draw("val", 1, 3), expected)
    np.testing.assert_array_equal(made.labels("val")[1:3], digits.glyphs.labels[span])


def test_mixed_scales_spread_evenly_over_doublings_and_follow_from_the_seed() -> None:
    """As the authors' picture of 64 samples shows; the same for the same digit, whatever n is."""
    scales = [draw_scale(1, 4, seed=3, split="train", index=index) for index in range(2000)]
    doublings = np.sort(np.log2(scales))
    assert np.abs(doublings / 2 - (np.arange(2000) + 0.5) / 2000).max() < 0.03
    assert 0 <= doublings[0] < doublings[-1] <= 2
    assert scales[7] != draw_scale(1, 4, seed=4, split="train", index=7)
    few, more = (LargeScaleSet(1, 4, {**FEW, "train": count}, seed=3) for count in (4, 5))
    np.testing.assert_array_equal(few.draw("train", 0, 4), more.draw("train", 0, 4))


@pytest.mark.parametrize(
    ("name", "splits", "learnt", "tested"),
    [
        (f"{STEM}_sctr2p000_scte2p000.h5", FOLDER_SPLITS, (2, 2), (2, 2)),
        (f"{STEM}_sctr1-4_scte1-4.h5", FOLDER_SPLITS, (1, 4), (1, 4)),
        (f"{STEM}_sctr1p000-4p000_scte1p000-4p000.h5", FOLDER_SPLITS, (1, 4), (1, 4)),
        (f"{STEM}_sctr2p000_scte2p000-1.h5", FOLDER_SPLITS, (2, 2), (2, 2)),
        (f"{STEM}_sctr2p000_scte2p000 (1).h5", FOLDER_SPLITS, (2, 2), (2, 2)),
        (
            "mnist_large_scale_te10000_outsize112-112_scte0p595.h5",
            ("test",),
            None,
            (TEST_SCALES[1],) * 2,
        ),
        (
            "mnist_large_scale_te10000_outsize112-112_sctr0p500_scte0p500.h5",
            ("test",),
            (0.5, 0.5),
            (0.5, 0.5),
        ),
        ("synthetic_mnist_large_scale_scale2_v1000.h5", (), None, None),
        ("other.h5", (), None, None),
    ],
)
def test_every_name_in_the_wild_says_what_it_says(
    name: str,
    splits: tuple[str, ...],
    learnt: tuple[float, float] | None,
    tested: tuple[float, float] | None,
) -> None:
    """Both names of the mixed set, a browser's second download, an early name, and no name."""
    words = read_name(name)
    assert (words.splits, words.learnt, words.tested) == (tuple(splits), learnt, tested)


def test_written_names_are_read_back() -> None:
    """Scales with three decimals mean the published ones exactly."""
    for made in published_sets("test", {"test": 1}) + published_sets("train", FEW):
        words = read_name(made.name)
        assert words.scales_of("test") == (made.low, made.high)
        assert words.splits == tuple(made.counts)


@pytest.mark.parametrize(
    ("low", "high", "counts", "said"),
    [
        (0.4, 0.4, FEW, "0.4 to 0.4"),
        (4, 1, FEW, "the least first"),
        (float("nan"), 1, FEW, "nan"),
        (1, 1, {"train": 2, "test": 2}, "train, test"),
        (1, 1, {**FEW, "val": 0}, "got 0"),
        (1, 1, {"test": 10_001}, "10001"),
    ],
)
def test_sets_that_cannot_be_are_refused_in_a_sentence(
    low: float, high: float, counts: dict[str, int], said: str
) -> None:
    """Before anything is drawn or written."""
    with pytest.raises(InvalidValueError, match=said):
        LargeScaleSet(low, high, counts)
