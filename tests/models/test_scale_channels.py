"""Scale-channel networks: channels share weights, and an enlarged image moves to the neighbour."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.models.papers.large_scale_cnn import LargeScaleCnn, LargeScaleModel
from umnist_core.models.papers.scale_channels import (
    FovAvg,
    FoveatedNet,
    FovMax,
    ScaleChannelConfig,
    SWMax,
    resampling,
)
from umnist_core.models.reduced import ReducedBatch
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource

SIDE_PX = 112

KINDS = ("fov-avg", "fov-max", "sw-max")

SQUARE_ROOT = {"channels": 6, "spacing": 2**0.5, "coarsest": 0.25}


@lru_cache
def _model(name: str) -> LargeScaleModel:
    """Return a network in evaluation mode whose norms know what digits are like."""
    torch.manual_seed(3)
    model = create_model(name, {} if name == "large-scale-cnn" else SQUARE_ROOT)
    assert isinstance(model, LargeScaleModel)
    with torch.no_grad():
        for _ in range(3):
            model.train()(_batch(_blobs(1.0), _blobs(2.0)))
    return model.eval()


def _blobs(scale: float, middle: tuple[float, float] = (0, 0), count: int = 5) -> NDArray[np.uint8]:
    """Return smooth blobs about a place, uint8 (112, 112), all of it enlarged by a factor."""
    rng = np.random.default_rng(7)
    row, col = (np.mgrid[:SIDE_PX, :SIDE_PX] - (SIDE_PX - 1) / 2) / scale
    total = np.zeros((SIDE_PX, SIDE_PX))
    for _ in range(count):
        at = rng.uniform(-7, 7, 2) + middle
        total += np.exp(-((row - at[0]) ** 2 + (col - at[1]) ** 2) / (2 * 2.5**2))
    return (255 * np.clip(total, 0, 1)).astype(np.uint8)


def _batch(*pixels: NDArray[np.uint8]) -> ReducedBatch:
    stacked = torch.from_numpy(np.stack(pixels))
    return ReducedBatch(stacked, ((SIDE_PX, SIDE_PX),) * len(pixels))


def _channel_logits(model: LargeScaleModel, pixels: NDArray[np.uint8]) -> Tensor:
    """Return what each channel says, (channels, 10): of SWMax in the middle of the image."""
    with torch.no_grad():
        found = model.net.channel_logits(model.images(_batch(pixels)))  # type: ignore[operator]
    if isinstance(found, list):
        return torch.stack([one[0, :, one.shape[2] // 2, one.shape[3] // 2] for one in found])
    logits: Tensor = found[0]
    return logits


@pytest.mark.parametrize("name", KINDS)
def test_channel_answers_an_enlarged_image_as_its_finer_neighbour_did_before(name: str) -> None:
    """Enlarged by the spacing, an image moves one channel on; all of them know the same."""
    model = _model(name)
    before = _channel_logits(model, _blobs(1.0))
    after = _channel_logits(model, _blobs(2**0.5))
    apart = (after[:-1] - before[1:]).abs().amax(dim=1)
    same = (after - before).abs().amax(dim=1)
    # Sampling leaves a little; the same channel sees another image.
    assert apart.max() < 0.15 * same.max(), (apart, same)
    spread = (before[1:] - before[:-1]).abs().amax()
    assert spread > 5 * apart.max()


@pytest.mark.parametrize("name", KINDS)
def test_channels_have_no_weights_of_their_own(name: str) -> None:
    """More channels, the same weights; and a checkpoint of one number of channels fits another."""
    few, many = (create_model(name, {**SQUARE_ROOT, "channels": count}) for count in (1, 6))
    assert {key: value.shape for key, value in few.state_dict().items()} == {
        key: value.shape for key, value in many.state_dict().items()
    }


def test_answer_is_the_maximum_or_the_mean_over_channels() -> None:
    """FovMax and FovAvg, of what `channel_logits` says; SWMax over places, too."""
    images = _batch(_blobs(1.0), _blobs(1.6))
    for name, pooled in (("fov-max", torch.amax), ("fov-avg", torch.mean)):
        model = _model(name)
        assert isinstance(model.net, FoveatedNet)
        with torch.no_grad():
            said, channels = model(images), model.net.channel_logits(model.images(images))
        assert channels.shape == (2, 6, 10)
        assert torch.equal(said.logits["digit"], pooled(channels, dim=1))
    sliding = _model("sw-max")
    assert isinstance(sliding, SWMax)
    with torch.no_grad():
        said, maps = sliding(images), sliding.net.channel_logits(sliding.images(images))
    most = torch.stack([one.flatten(2).amax(dim=2) for one in maps]).amax(dim=0)
    assert torch.equal(said.logits["digit"], most)


def test_sliding_window_is_the_foveated_one_that_slides() -> None:
    """In the middle of each channel both say the same with the same weights."""
    sliding, foveated = _model("sw-max"), create_model("fov-max", SQUARE_ROOT).eval()
    assert isinstance(foveated, LargeScaleModel)
    foveated.load_state_dict(sliding.state_dict())
    expected = _channel_logits(foveated, _blobs(3.0))
    assert torch.allclose(_channel_logits(sliding, _blobs(3.0)), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [0.125, 0.3, 1.0, 1.7])
def test_resampling_is_centred_and_keeps_grey(factor: float) -> None:
    """Rows sum to 1, and a mirrored image gives a mirrored window."""
    matrix = resampling(factor, 29, SIDE_PX)
    assert matrix.shape == (29, SIDE_PX)
    assert torch.allclose(matrix.sum(dim=1), torch.ones(29))
    assert torch.allclose(matrix, matrix.flip(0, 1), atol=1e-6)


def test_resampling_of_the_image_itself_changes_nothing() -> None:
    """At a factor of 1 and the image's own size it is the identity."""
    assert torch.equal(resampling(1.0, SIDE_PX, SIDE_PX), torch.eye(SIDE_PX))


def test_resampling_averages_where_it_reduces() -> None:
    """No pixel is skipped: a tent as wide as a coarse pixel, so stripes come out grey."""
    stripes = torch.tensor([0.0, 1.0]).repeat(SIDE_PX // 2)
    for factor in (0.25, 0.3):
        coarse = resampling(factor, 21, SIDE_PX) @ stripes
        assert torch.allclose(coarse, torch.full((21,), 0.5), atol=0.05)


def _centre(found: AttentionMap) -> tuple[float, float]:
    """Return the middle of what was looked at, row and column in px."""
    weights = found.weights[0, 0]
    boxes = found.boxes.astype(np.float64)
    return (
        float(weights @ (boxes[:, 0] + boxes[:, 2]) / 2),
        float(weights @ (boxes[:, 1] + boxes[:, 3]) / 2),
    )


def test_winning_window_of_swmax_follows_the_image() -> None:
    """Moved by some px, what was found is found there; and it lies in the larger image's px."""
    model = _model("sw-max")
    first = model.attend(_batch(_blobs(1.0, (-16, -16)))).attention
    second = model.attend(_batch(_blobs(1.0, (16, 16)))).attention
    assert first is not None
    assert second is not None
    assert len(first[0].boxes) == 1
    moved = np.subtract(_centre(second[0]), _centre(first[0]))
    assert np.all(np.abs(moved - 32) <= 8), moved
    large = ReducedBatch(_batch(_blobs(1.0, (16, 16))).pixels, ((448, 448),))
    found = model.attend(large).attention
    assert found is not None
    assert np.allclose(_centre(found[0]), 4 * np.array(_centre(second[0])))


def test_grad_cam_of_fovmax_is_of_the_channel_that_decided() -> None:
    """Only cells of its size have a weight, and twice as large an image makes them as large."""
    pytest.importorskip("captum")
    model = _model("fov-max")
    for pixels in (_blobs(1.0), _blobs(2.0)):
        with torch.no_grad():
            channels = model.net.channel_logits(model.images(_batch(pixels)))  # type: ignore[operator]
        winner = int(channels[0].amax(dim=1).argmax())
        found = model.attend(_batch(pixels)).attention
        assert found is not None
        seen = found[0].boxes[found[0].weights[0, 0] > 0]
        if not len(seen):
            continue  # every gradient pushes away from the class
        config = model.config
        assert isinstance(config, ScaleChannelConfig)
        cell_px = config.window_px / 5 / config.factors[winner]
        sides = np.minimum(seen[:, 2] - seen[:, 0], seen[:, 3] - seen[:, 1])
        assert sides.max() <= cell_px + 1e-3
        assert (sides > 0.99 * cell_px).any()


def test_plain_cnn_sees_every_pixel() -> None:
    """A change anywhere in the image can change the answer; strides leave nothing out."""
    model = _model("large-scale-cnn")
    assert isinstance(model, LargeScaleCnn)
    images = model.images(_batch(_blobs(4.0))).detach().requires_grad_()
    model.net(images).sum().backward()
    assert images.grad is not None
    reached = images.grad[0, 0].abs() > 0
    assert reached[:109, :109].float().mean() > 0.9


def test_networks_have_the_layers_that_are_said() -> None:
    """Features and strides of the convolutions, and the two layers behind them."""
    for name, widths in (
        ("large-scale-cnn", [16, 16, 16, 32, 32, 32]),
        ("fov-max", [16, 16, 32, 32]),
    ):
        parts = list(_model(name).net.modules())
        blocks = [one for one in parts if isinstance(one, nn.Conv2d) and one.bias is None]
        assert [one.out_channels for one in blocks] == widths
        assert [one.stride[0] for one in blocks] == [1, 2] * (len(widths) // 2)
        norms = [one for one in parts if isinstance(one, nn.BatchNorm2d)]
        assert [one.num_features for one in norms] == widths


@pytest.mark.parametrize(
    "settings",
    [
        {"channels": 0},
        {"channels": 65},
        {"spacing": 1.0},
        {"spacing": 4.5},
        {"coarsest": 0.0},
        {"coarsest": 2.0},
        {"window_px": 28},
        {"window_px": 9},
        {"window_px": 293},
    ],
)
def test_settings_that_make_no_network_are_refused(settings: dict[str, float]) -> None:
    """Each in a sentence that names it."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        create_model("fov-max", settings)


def test_classes_are_what_the_registry_says() -> None:
    """The names stand for the classes of the paper."""
    found = [type(_model(name)) for name in KINDS]
    assert found == [FovAvg, FovMax, SWMax]


def test_channels_of_one_network_learn_as_one() -> None:
    """Batch normalisation is over all channels: the sliding network's sees all their places."""
    torch.manual_seed(0)
    model = create_model("sw-max", {**SQUARE_ROOT, "channels": 2})
    assert isinstance(model, SWMax)
    images = model.images(_batch(_blobs(1.0), _blobs(2.0)))
    views = [
        matrix @ images @ matrix.T
        for matrix in (model.net.get_buffer("matrix0"), model.net.get_buffer("matrix1"))
    ]
    with torch.no_grad():
        model.train()(_batch(_blobs(1.0), _blobs(2.0)))
        first = [model.net.shared.convolutions[0](one) for one in views]
        values = torch.cat([one.flatten(2) for one in first], dim=2)
    norm = model.net.shared.norms[0]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, 0.1 * values.mean(dim=(0, 2)), atol=1e-5)


def test_larger_image_is_reduced_to_what_the_network_sees() -> None:
    """Its longer side to 112 px, as of all models with an input of one size."""
    model = _model("fov-max")
    prepared = model.prepare(ArraySource(np.zeros((300, 224), np.uint8)))
    assert prepared.pixels.shape == (SIDE_PX, SIDE_PX)


def test_neighbours_differ_by_the_spacing() -> None:
    """Seventeen by default, from an eighth to twice the image's resolution."""
    factors = ScaleChannelConfig().factors
    assert len(factors) == 17
    assert (factors[0], round(factors[-1], 6)) == (0.125, 2.0)
    assert all(round(fine / coarse, 6) == round(2**0.25, 6) for coarse, fine in pairwise(factors))
