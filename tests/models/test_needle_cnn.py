"""The CNN of Needle MNIST: what its features see, any canvas, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.models.base import Model
from umnist_core.models.papers.needle_cnn import NeedleCnn, NeedleCnnConfig
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource
from umnist_core.pyramid.sources import TileSource

SMALL: dict[str, Any] = {"width": 2, "blocks": (2, 2, 2, 2), "norm": "batch"}
SIDE_PX = 192


def _model(**settings: Any) -> NeedleCnn:
    torch.manual_seed(0)
    model = create_model("needle-cnn", SMALL | settings)
    assert isinstance(model, NeedleCnn)
    return model.eval()


def _source(*, height: int = 64, width: int = 64) -> TileSource:
    rng = np.random.default_rng(0)
    return ArraySource(rng.integers(0, 256, (height, width), dtype=np.uint8))


@pytest.mark.parametrize(
    ("kernels", "stem_stride", "field_px"),
    [
        ((1, 1, 0, 0), 1, 9),
        ((1, 1, 1, 0), 1, 17),
        ((1, 1, 1, 1), 1, 33),
        ((2, 2, 1, 0), 2, 55),
        ((0, 2, 0, 1), 1, 31),
    ],
)
def test_a_feature_sees_as_many_px_as_are_said(
    kernels: tuple[int, ...], stem_stride: int, field_px: int
) -> None:
    """The px whose change moves the feature in the middle are a square of that side."""
    config = NeedleCnnConfig(**SMALL, kernels=kernels, stem_stride=stem_stride)
    assert config.field_px == field_px
    # All weights alike and no cut at 0 on the way, so that nothing that is seen cancels out.
    places = _model(kernels=kernels, stem_stride=stem_stride).cam_layer.double()
    for weight in places.parameters():
        torch.nn.init.constant_(weight, 0.5)
    image = torch.ones(1, 1, SIDE_PX, SIDE_PX, dtype=torch.float64, requires_grad=True)
    found = places(image)
    middle = found.shape[2] // 2
    found[0, :, middle, middle].sum().backward()
    assert image.grad is not None
    rows, cols = image.grad[0, 0].nonzero(as_tuple=True)
    assert [int(one.max() - one.min()) + 1 for one in (rows, cols)] == [field_px] * 2


def test_published_size_has_the_layers_of_its_recipe() -> None:
    """16 blocks on 64 features, and 2.5 times the features inside where there is no 3x3."""
    with torch.device("meta"):
        model = create_model("needle-cnn")
    shapes = [tuple(one.weight.shape) for one in _convolutions(model)]
    assert shapes[:2] == [(64, 1, 1, 1), (64, 64, 3, 3)]
    inner = [shape for shape in shapes if shape[2:] == (3, 3)][1:]
    assert inner == [(side, side, 3, 3) for side in (64, 128, 256, 512)]
    assert shapes.count((160, 64, 1, 1)) == 2  # of 3 blocks of the first stage
    assert len(shapes) == 2 + 3 * 16 + 4
    assert (
        sum(isinstance(one, torch.nn.InstanceNorm2d) for one in model.modules()) == 1 + 3 * 16 + 4
    )


def _convolutions(model: Model) -> list[torch.nn.Conv2d]:
    return [one for one in model.modules() if isinstance(one, torch.nn.Conv2d)]


@pytest.mark.parametrize("pooling", ["mean", "max", "logsumexp"])
def test_one_network_answers_for_every_canvas(pooling: str) -> None:
    """Sides of 64 px and more, in a batch of one size each."""
    model = _model(pooling=pooling)
    for side in (64, 128, 200):
        batch = model.collate([model.prepare(_source(height=side, width=side))] * 2)
        with torch.no_grad():
            logits = model(batch).logits["needle"]
        assert logits.shape == (2, 2)
        assert bool(torch.isfinite(logits).all())


def test_maximum_is_that_of_the_places_and_the_mean_their_mean() -> None:
    """Larger by far than each other, so none stands in for another."""
    places = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    expected = {
        "mean": places.flatten(2).sum(2) / 35,
        "max": places.flatten(2).sort(2).values[:, :, -1],
        "logsumexp": places.flatten(2).exp().sum(2).log(),
    }
    for pooling, values in expected.items():
        pool = _model(pooling=pooling).net.get_submodule("1")
        torch.testing.assert_close(pool(places), values)


def test_image_that_is_not_square_is_padded_and_its_map_is_cut() -> None:
    """No place of attention lies where there is no image."""
    model = _model()
    prepared = model.prepare(_source(height=64, width=128))
    assert prepared.pixels.shape == (128, 128)
    assert int(prepared.pixels[64:].max()) == 0
    found = model.attend(model.collate([prepared])).attention
    assert found is not None
    assert (found[0].height, found[0].width) == (64, 128)
    assert found[0].boxes[:, 2].max() == 64


def test_what_cannot_be_read_is_refused() -> None:
    """Too small, too large, of several sizes: a sentence each."""
    model = _model()
    with pytest.raises(InvalidValueError, match=r"64 px or more, got 63 x 20 px"):
        model.prepare(_source(height=20, width=63))
    with pytest.raises(TooLargeError, match=r"up to 6144 px a side, got 10 x 6145 px"):
        model.prepare(_source(height=6145, width=10))
    two = [model.prepare(_source(height=side, width=side)) for side in (64, 65)]
    with pytest.raises(InvalidValueError, match="got 64, 65 px"):
        model.collate(two)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"blocks": (1, 1, 1)}, "4 numbers of 1 or more"),
        ({"blocks": (1, 0, 1, 1)}, "4 numbers of 1 or more"),
        ({"width": 0}, "width is 1 or more"),
        ({"kernels": (1, 1, 1, 3)}, "0 to those of blocks"),
        ({"stem_stride": 3}, "stem_stride is 1 or 2"),
        ({"norm": "layer"}, "instance, batch; got 'layer'"),
        ({"pooling": "sum"}, "mean, max, logsumexp; got 'sum'"),
    ],
)
def test_setting_that_is_not_allowed_is_refused(settings: dict[str, Any], sentence: str) -> None:
    """Before anything is made."""
    with pytest.raises(InvalidValueError, match=sentence):
        NeedleCnnConfig(**(SMALL | settings))
