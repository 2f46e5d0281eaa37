"""Enlarging: bicubic as Pillow has it, the network on top, and tiles that equal the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.datasets.meth.making import photograph
from umnist_core.datasets.meth.layout import FACTORS
from umnist_core.errors import InvalidValueError
from umnist_core.models.papers import espcn
from umnist_core.models.papers.espcn import (
    MARGIN_PX,
    Enlargement,
    Espcn,
    EspcnConfig,
    enlarge,
    enlarge_whole,
    iter_tiles,
)
from umnist_core.models.photographs import as_planes
from umnist_core.pyramid import ArraySource


def _model(factor: int = 2, *, is_trained: bool = True) -> Espcn:
    torch.manual_seed(0)
    model = Espcn(EspcnConfig(factor, 8)).eval()
    last = model.net[-2]
    assert isinstance(last, nn.Conv2d)
    if is_trained:
        nn.init.normal_(last.weight, 0, 0.05)
    return model


@torch.no_grad()
def _whole(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], model: Espcn) -> torch.Tensor:
    logits: torch.Tensor = model(Enlargement(as_planes(image)[None])).logits["upscaled"]
    return logits[0]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("is_bicubic", [False, True])
def test_tiles_are_what_the_whole_image_gives(factor: int, is_bicubic: bool) -> None:
    """To 1e-4, of odd sizes and of tiles that fit and that do not, one of a single px included."""
    model = _model(factor)
    for height, width, tile_px in ((37, 23, 8), (16, 31, 16), (9, 50, 7), (17, 33, 16), (5, 5, 64)):
        image = photograph(width, height, height)
        if is_bicubic:
            expected = enlarge(as_planes(image)[None].float() / 255, factor)[0]
        else:
            expected = _whole(image, model)
        found = torch.full_like(expected, torch.nan)
        for box, values in iter_tiles(image, factor, None if is_bicubic else model, tile_px):
            found[:, box.row0 : box.row1, box.col0 : box.col1] = values
        assert (found - expected).abs().max() < 1e-4


def test_tiles_need_their_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """With less than the convolutions reach they show their seams; with that much they do not."""
    model, image = _model(), photograph(40, 40)
    expected = _whole(image, model)
    for margin, is_enough in ((2, False), (4, True), (MARGIN_PX, True)):
        monkeypatch.setattr(espcn, "MARGIN_PX", margin)
        worst = 0.0
        for box, values in iter_tiles(image, 2, model, 16):
            true = expected[:, box.row0 : box.row1, box.col0 : box.col1]
            worst = max(worst, float((values - true).abs().max()))
        assert (worst < 1e-4) == is_enough


@pytest.mark.parametrize("factor", FACTORS)
def test_bicubic_is_pillows(factor: int) -> None:
    """Keys' kernel with a = -0.5, which PyTorch's own default is not."""
    image = photograph(30, 22)
    expected = np.asarray(
        Image.fromarray(image).resize((30 * factor, 22 * factor), Image.Resampling.BICUBIC)
    )
    found = enlarge_whole(image, factor, None)
    assert np.abs(found.astype(int) - expected).max() <= 1
    low = as_planes(image)[None].float() / 255
    default = nn.functional.interpolate(low, scale_factor=factor, mode="bicubic")[0] * 255
    other = default.round().clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(other - expected).max() > 1


def test_network_begins_as_bicubic() -> None:
    """And so can only learn what that lacks."""
    image = photograph(20, 30)
    expected = enlarge_whole(image, 4, None)
    assert np.array_equal(enlarge_whole(image, 4, _model(4, is_trained=False)), expected)


def test_patch_is_of_the_reduced_image_and_its_target_of_the_large() -> None:
    """In validation the middle; in training where the generator says."""
    model, image = _model(), photograph(64, 48)
    source = ArraySource(image, "nearest")
    middle = model.prepare_to_learn(source, None)
    targets = model.find_own_targets(middle)
    assert middle.high is not None
    assert targets is not None
    assert np.array_equal(middle.high.permute(1, 2, 0).numpy(), image[16:32, 24:40])
    assert torch.equal(targets["upscaled"], middle.high.float() / 255)
    drawn = model.prepare_to_learn(source, np.random.default_rng(1))
    assert not torch.equal(drawn.low, middle.low)
    assert model.find_own_targets(model.prepare(source)) is None
    with pytest.raises(InvalidValueError, match="an image of 16 px a side or more, found 40 x 12"):
        model.prepare_to_learn(ArraySource(photograph(40, 12)), None)


def test_map_shows_what_is_added_to_bicubic() -> None:
    """Nothing before it has learned; then in cells over the whole image that is enlarged."""
    image = photograph(40, 24)
    for model, is_seen in ((_model(is_trained=False), False), (_model(), True)):
        output = model.attend(model.collate([model.prepare(ArraySource(image))]))
        assert output.attention is not None
        (found,) = output.attention
        assert found.kind == "difference from bicubic"
        assert (found.height, found.width, len(found.boxes)) == (24, 40, 256)
        assert bool(found.weights.any()) == is_seen


def test_images_of_two_sizes_share_no_batch() -> None:
    """They are enlarged one by one."""
    model = _model()
    images = [model.prepare(ArraySource(photograph(20, side))) for side in (20, 21)]
    with pytest.raises(InvalidValueError, match="images of one size in a batch, found 2"):
        model.collate(images)


def test_factor_that_meth_has_not_is_refused() -> None:
    """x3 is none of its four."""
    with pytest.raises(InvalidValueError, match="a factor of 2, 4, 8, 16"):
        EspcnConfig(3)
