"""Photographs for models: as the baselines resized them, undeformed, and at two resolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from tests.datasets.meth.making import (
    METH_HEADER,
    Row,
    meth_cells,
    photograph,
    write_images,
    write_meth,
    write_photograph,
    write_table,
)
from tests.datasets.signs.making import line, sign, write_set
from umnist_core.datasets import open_dataset
from umnist_core.datasets.meth.layout import LOW_PATTERNS, low_path
from umnist_core.errors import InvalidValueError
from umnist_core.training.like_shapes import (
    LikeShapes,
    Sizes,
    iter_pictures,
    pad_pictures,
    padding_share,
)
from umnist_core.training.pictures import PairFolder, PictureFolder, Squared, Undeformed

ROWS: tuple[Row, ...] = (
    ("1.png", "Silk", "train", (300, 120)),
    ("2.png", "Gold", "train", (90, 260)),
    ("3.png", "Gold", "train", (100, 250)),
    ("4.png", "Silk", "test", (280, 130)),
)
YEARS = [(file, str(1500 + 100 * at), *rest) for at, (file, _, *rest) in enumerate(ROWS)]


def _folder(root: Path, form: Squared | Undeformed, seed: int | None = None) -> PictureFolder:
    data = open_dataset(write_meth(root / "MetH-Medium", ROWS))
    return PictureFolder(data, data.ids, form, seed)


def test_evaluation_is_that_of_the_baselines_to_the_last_bit(tmp_path: Path) -> None:
    """Against torchvision's own steps on what Pillow reads, as the published code has them."""
    folder = _folder(tmp_path, Squared())
    steps = transforms.Compose(
        [
            transforms.Resize((256, 256)),
            transforms.CenterCrop((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize(mean=[0.5] * 3, std=[0.5] * 3),
        ]
    )
    for item, (file, *_) in zip((folder[place] for place in range(4)), ROWS, strict=True):
        with Image.open(tmp_path / "MetH-Medium" / "data" / file) as opened:
            expected = steps(opened.convert("RGB"))
        torch.testing.assert_close(item.image, expected, rtol=0, atol=0)
        assert item.image.dtype == torch.float32


def test_training_crops_are_drawn_by_seed_and_epoch(tmp_path: Path) -> None:
    """Each is a square of what is resized, other squares in another epoch, the same for one."""
    folder = _folder(tmp_path, Squared(), seed=3)
    whole = Squared(crop_px=None).apply(photograph(300, 120, seed=0))
    seen = []
    for epoch in range(4):
        folder.set_epoch(epoch)
        image = folder[0].image
        torch.testing.assert_close(folder[0].image, image)
        squares = whole.unfold(1, 224, 1).unfold(2, 224, 1)  # (3, 33, 33, 224, 224)
        places = (squares[:, :, :, 0, 0] == image[:, None, None, 0, 0]).all(0).nonzero()
        seen += [
            (row, col) for row, col in places.tolist() if torch.equal(squares[:, row, col], image)
        ]
    assert len(seen) == 4
    assert len(set(seen)) > 1


def test_classes_and_years_are_targets(tmp_path: Path) -> None:
    """Numbers of classes as whole numbers, years as they are; an image with neither is refused."""
    assert [_folder(tmp_path, Squared())[place].target.item() for place in range(4)] == [0, 1, 1, 0]
    root = write_meth(tmp_path / "MetH-Period", YEARS)  # type: ignore[arg-type]
    data = open_dataset(root)
    item = PictureFolder(data, data.ids, Squared())[1]
    assert (item.target.item(), item.target.dtype, item.image_id) == (1600, torch.float32, "2")
    write_set(tmp_path / "Set1", [line("a.jpg", sign("80_SIGN")), line("b.jpg", sign("STOP"))])
    signs = open_dataset(tmp_path / "Set1")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    form = Squared(resized_px=(120, 160), crop_px=None, mean=mean, std=std)
    folder = PictureFolder(signs, signs.ids, form)
    assert (folder[0].target.item(), folder[0].image.shape) == (3, (3, 120, 160))
    with pytest.raises(InvalidValueError, match="Expected a class or a year of image b"):
        folder[1]


def test_undeformed_images_keep_every_pixel_or_their_proportions(tmp_path: Path) -> None:
    """Whole, or reduced to a number of pixels: no side by more than the other, but for rounding."""
    item = _folder(tmp_path, Undeformed())[0]
    expected = torch.from_numpy(photograph(300, 120, seed=0)).permute(2, 0, 1) / 255 * 2 - 1
    torch.testing.assert_close(item.image, expected)
    form = Undeformed(most_px=5000)
    for height, width in ((120, 300), (260, 90), (4000, 3000), (616, 1473), (8067, 10347)):
        found = form.size(height, width)
        assert found[0] * found[1] == pytest.approx(5000, rel=0.02)
        assert found[0] / found[1] == pytest.approx(height / width, rel=0.02)
        assert form.apply(np.zeros((*found, 3), np.uint8)).shape == (3, *found)
    assert form.size(10, 20) == (10, 20)
    assert form.apply(photograph(300, 120)).shape == (3, *form.size(120, 300))


def test_wrong_crop_is_refused() -> None:
    """One that is larger than what is resized."""
    with pytest.raises(InvalidValueError, match="1 to 200 px"):
        Squared(resized_px=(200, 256))


# -- batches of like shape --------------------------------------------------------


def _art(count: int = 2000) -> Sizes:
    """Return sizes that spread as those of MetH: some 5 million px, as many portraits."""
    rng = np.random.default_rng(0)
    area, aspect = 5.5e6 * rng.lognormal(0, 0.6, count), rng.lognormal(-0.05, 0.35, count)
    return [
        (int(h), int(w))
        for h, w in zip((area / aspect) ** 0.5, (area * aspect) ** 0.5, strict=True)
    ]


@pytest.mark.parametrize("seed", [None, 4])
def test_every_image_comes_once_an_epoch(seed: int | None) -> None:
    """In batches of the size asked for, but for the last."""
    sampler = LikeShapes(_art(1003), 16, seed=seed)
    batches = list(sampler)
    assert sorted(place for batch in batches for place in batch) == list(range(1003))
    assert sorted(map(len, batches)) == [11] + [16] * 62
    assert len(sampler) == len(batches)


def test_batches_follow_from_seed_and_epoch() -> None:
    """The same twice, others for another epoch or seed; in evaluation always the same."""
    sampler = LikeShapes(_art(), 16, seed=1)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert sorted(map(sorted, sampler)) != sorted(map(sorted, first))
    assert list(LikeShapes(_art(), 16, seed=2)) != first
    fixed = LikeShapes(_art(), 16)
    before = list(fixed)
    fixed.set_epoch(5)
    assert list(fixed) == before


def test_like_shapes_have_a_small_share_of_padding() -> None:
    """Of 2,000 images as those of MetH a sixth in batches of 16, and most where any share one.

    Of MAMe's own 20,300 training images it is 10 % and 76 %.
    """
    sizes = _art()
    for seed in (None, 0):
        assert LikeShapes(sizes, 16, seed=seed).padding < 1 / 6
    order = np.random.default_rng(0).permutation(len(sizes)).tolist()
    anyhow = [order[first : first + 16] for first in range(0, len(order), 16)]
    assert padding_share(sizes, anyhow) > 0.5
    assert padding_share([(4, 6), (2, 3)], [[0], [1]]) == 0
    assert padding_share([(4, 6), (2, 3)], [[0, 1]]) == pytest.approx(1 - 30 / 48)


def test_batches_hold_no_more_pixels_than_allowed() -> None:
    """Padding included; an image that has more is alone."""
    sizes = [*_art(300), (9000, 9000)]
    most_px = 40_000_000
    batches = list(LikeShapes(sizes, 16, most_px=most_px, seed=0))
    assert sorted(place for batch in batches for place in batch) == list(range(301))
    for batch in batches:
        whole = len(batch) * max(sizes[p][0] for p in batch) * max(sizes[p][1] for p in batch)
        assert whole <= most_px or batch == [300]


def test_images_of_a_batch_are_whole_and_the_rest_is_told(tmp_path: Path) -> None:
    """Through a process that reads ahead: each at the top left, 0 beyond, and the share of that."""
    folder = _folder(tmp_path, Undeformed())
    sampler = LikeShapes(folder.sizes(), 2)
    folder[0]  # libvips has threads from here on, which a fork would not have
    batches = list(iter_pictures(folder, sampler, workers=1))
    assert sorted(name for one in batches for name in one.ids) == ["1", "2", "3", "test/4"]
    # Landscapes share a batch, and portraits do.
    assert {frozenset(one.ids) for one in batches} == {
        frozenset(("1", "test/4")),
        frozenset(("2", "3")),
    }
    own = whole = 0
    for one in batches:
        for image, size, name in zip(one.images, one.sizes.tolist(), one.ids, strict=True):
            height, width = size
            place = folder.ids.index(name)
            torch.testing.assert_close(image[:, :height, :width], folder[place].image)
            assert not image[:, height:].any()
            assert not image[:, :, width:].any()
        assert int(one.mask.sum()) == int(one.sizes.prod(1).sum())
        assert one.padding == pytest.approx(1 - one.mask.float().mean().item())
        own, whole = own + int(one.mask.sum()), whole + one.mask.numel()
    assert sampler.padding == pytest.approx(1 - own / whole)


def test_table_that_is_wrong_costs_padding_and_no_pixel(tmp_path: Path) -> None:
    """Sizes of the table are believed for batches alone; what is padded is what was read."""
    root = write_meth(tmp_path / "MetH-Medium", ROWS)
    write_photograph(root / "data" / "2.png", 50, 60)
    data = open_dataset(root)
    folder = PictureFolder(data, data.ids, Undeformed())
    assert folder.sizes()[1] == (260, 90)
    assert pad_pictures([folder[0], folder[1]]).sizes.tolist() == [[120, 300], [60, 50]]


@pytest.mark.parametrize(("count", "batch", "most_px"), [(0, 4, None), (3, 0, None), (3, 4, 0)])
def test_batches_of_nothing_are_refused(count: int, batch: int, most_px: int | None) -> None:
    """Said before an epoch begins."""
    with pytest.raises(InvalidValueError, match="Expected images, and batches"):
        LikeShapes([(5, 5)] * count, batch, most_px=most_px)


# -- two resolutions --------------------------------------------------------------


def _pairs(root: Path) -> PairFolder:
    """Write MetH-SR, with shipped copies of its test image alone, whose sides are rounded up."""
    write_table(root / "MetH-SR.csv", METH_HEADER, meth_cells(ROWS))
    write_images(root / "data", ROWS)
    write_photograph(low_path(root, LOW_PATTERNS[0], "4.png", 4), 70, 33, seed=9)
    data = open_dataset(root)
    return PairFolder(data, data.ids, 4, patch_px=20, seed=2)


def test_patches_of_both_resolutions_show_the_same(tmp_path: Path) -> None:
    """The high one reduced is the low one, but at its rim, where the kernel reaches beyond."""
    folder = _pairs(tmp_path / "MetH-SR")
    item = folder[0]
    assert (item.low.shape, item.high.shape, item.is_shipped) == ((3, 20, 20), (3, 80, 80), False)
    means = torch.nn.functional.avg_pool2d(item.high, 4)
    assert (item.low - means).abs().max() < 0.03
    folder.set_epoch(1)
    assert not torch.equal(folder[0].low, item.low)
    folder.set_epoch(0)
    torch.testing.assert_close(folder[0].high, item.high)


def test_shipped_images_are_cut_to_patches_likewise(tmp_path: Path) -> None:
    """Where their sides are rounded up the last row, which has no whole square, is left out."""
    folder = _pairs(tmp_path / "MetH-SR")
    for epoch in range(100):
        folder.set_epoch(epoch)
        item = folder[3]
        assert item.is_shipped
        assert (item.low.shape, item.high.shape) == ((3, 20, 20), (3, 80, 80))


def test_whole_pairs_come_without_a_patch(tmp_path: Path) -> None:
    """As for evaluation; a patch that does not fit is refused."""
    folder = _pairs(tmp_path / "MetH-SR")
    whole = PairFolder(folder.reader, folder.ids, 4)
    assert whole[0].low.shape == (3, 30, 75)
    assert whole[0].high.shape == (3, 120, 300)
    assert 0 <= float(whole[0].low.min()) < float(whole[0].high.max()) <= 1
    large = PairFolder(folder.reader, folder.ids, 4, patch_px=31)
    with pytest.raises(InvalidValueError, match="fits into 75 x 30 px of 1"):
        large[0]
