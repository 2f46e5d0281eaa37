"""VGG16 on photographs: torchvision's network, in a square and whole, and where it looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.models import vgg16

from tests.datasets.meth.making import photograph
from umnist_core.datasets.known import Known
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import YEAR_TASK, ModelOutput, class_task
from umnist_core.models.forms import Squared
from umnist_core.models.papers.vgg16 import PhotographModel, Vgg16, Vgg16Net
from umnist_core.models.papers.vgg16_whole import LEVELS, PyramidNet, WholeModel
from umnist_core.models.photographs import as_values, read_colour
from umnist_core.models.registry import create_model
from umnist_core.models.targets import known_targets
from umnist_core.pyramid import ArraySource, sources

SMALL = {"classes": 3, "width": 8, "hidden": 16}
WHOLE = ("vgg16-gap", "vgg16-spp")


def _model(name: str, **settings: Any) -> PhotographModel:
    torch.manual_seed(1)
    model = create_model(name, SMALL | settings)
    assert isinstance(model, PhotographModel)
    return model.eval()


def _square(**settings: Any) -> Vgg16:
    model = _model("vgg16", **{"resized_px": 40, "crop_px": 32, **settings})
    assert isinstance(model, Vgg16)
    return model


def _source(height: int, width: int, seed: int = 0) -> ArraySource:
    return ArraySource(photograph(width, height, seed), "nearest")


# -- the network ----------------------------------------------------------------------


def test_vgg16_is_torchvisions() -> None:
    """The same names and shapes of weights, and with the same weights the same answers."""
    with torch.device("meta"):
        theirs = vgg16(weights=None, num_classes=23)
    ours = Vgg16Net(64, 4096, 23)
    expected = {name: weight.shape for name, weight in theirs.state_dict().items()}
    assert {name: weight.shape for name, weight in ours.state_dict().items()} == expected
    theirs.load_state_dict(ours.state_dict(), assign=True)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


def test_square_is_read_as_the_baselines_did() -> None:
    """The middle in evaluation; in training as the generator draws."""
    model, image = _square(), photograph(90, 50)
    source = ArraySource(image, "nearest")
    form = Squared(resized_px=(40, 40), crop_px=32)
    found = as_values(model.collate([model.prepare(source)]), torch.device("cpu"))[0]
    assert torch.equal(found, form.apply(image))
    for seed in (1, 2):
        drawn = model.prepare_to_learn(source, np.random.default_rng(seed))
        expected = form.shape(image, np.random.default_rng(seed))
        assert np.array_equal(drawn.pixels.permute(1, 2, 0).numpy(), expected)


def test_loss_of_classes_is_a_sum_or_a_mean_and_validation_a_mean() -> None:
    """As released and as described; a year always has the mean squared error."""
    logits, target = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    output = ModelOutput({"class": logits})
    each = nn.functional.cross_entropy(logits, target, reduction="none")
    for loss, expected in (("sum", each.sum()), ("mean", each.mean())):
        model = _square(loss=loss)
        assert torch.isclose(model.loss(output, {"class": target}), expected)
        assert torch.isclose(model.validation_loss(output, {"class": target}), each.mean())
    years = ModelOutput({"year": torch.tensor([[1500.0], [1700.0]])})
    told = {"year": torch.tensor([1510.0, 1700.0])}
    assert float(_square(answers="year", loss="sum").loss(years, told)) == 50.0


def test_dropout_in_evaluation_is_half_of_the_units_and_an_images_own() -> None:
    """As released it changes answers; an image has the same alone, again, and beside others."""
    plain, released = _square(), _square(evaluates_with_dropout=True)
    released.load_state_dict(plain.state_dict())
    images = [plain.prepare(_source(50, 60, seed)) for seed in range(3)]
    batch = plain.collate(images)
    kept = torch.stack(released._draw_kept(batch))  # (2, 3, 16)
    assert set(kept.flatten().tolist()) == {0.0, 2.0}
    assert not torch.equal(kept[:, 0], kept[:, 1])
    wide = _square(evaluates_with_dropout=True, hidden=4096)
    assert abs(torch.stack(wide._draw_kept(batch)).mean() - 1) < 0.05
    with torch.no_grad():
        found = released(batch).logits["class"]
        assert not torch.allclose(found, plain(batch).logits["class"])
        assert torch.equal(found, released(batch).logits["class"])
        alone = released(plain.collate(images[2:])).logits["class"]
    assert torch.allclose(found[2:], alone, atol=1e-6)


def test_years_are_whole_in_mixed_precision() -> None:
    """16 bits know every eighth year alone."""
    model = _square(answers="year")
    last = model.net.classifier[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, 1863.0)
    batch = model.collate([model.prepare(_source(50, 60))])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert float(model(batch).logits["year"]) == 1863.0


# -- whole photographs ----------------------------------------------------------------


@pytest.mark.parametrize("name", WHOLE)
def test_whole_photograph_answers_the_same_in_every_batch(name: str) -> None:
    """However much it is padded beside larger ones; odd sizes too."""
    model = _model(name)
    nn.init.normal_(model.net.classifier[-1].weight)
    images = [
        model.prepare(_source(height, width, height))
        for height, width in ((33, 71), (64, 64), (95, 40))
    ]
    with torch.no_grad():
        together = model(model.collate(images)).logits["class"]
        alone = torch.cat([model(model.collate([one])).logits["class"] for one in images])
    assert torch.allclose(together, alone, atol=1e-5)
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)


def test_whole_photograph_is_reduced_in_proportion() -> None:
    """To no more px than allowed; one that is then too thin is refused."""
    model = _model("vgg16-gap", most_px=4096)
    assert isinstance(model, WholeModel)
    assert model.find_input_size(200, 100) == (91, 45)
    assert tuple(model.prepare(_source(200, 100)).pixels.shape) == (3, 91, 45)
    with pytest.raises(InvalidValueError, match="sides of 32 px or more in 4,096 px, found 10 x"):
        model.prepare(_source(800, 20))


def test_pyramid_keeps_the_maximum_of_each_cell() -> None:
    """Of the image's own places: what is beyond it counts for nothing."""
    net = PyramidNet(8, 4, 3)
    features = torch.zeros(2, 64, 6, 6)
    features[0, 3, 5, 5] = 2.0
    features[1, 3, 5, 5] = 2.0  # beyond the second image
    pooled = net.pool(features, ((6, 6), (4, 4))).reshape(2, -1)
    assert pooled.shape[1] == 64 * sum(level**2 for level in LEVELS) == 64 * 50
    assert (pooled[0] == 2.0).sum() == len(LEVELS)
    assert not pooled[1].any()


# -- where it looked -------------------------------------------------------------------


def test_map_lies_over_the_crop_in_image_px() -> None:
    """The middle 80 % of each side of 40 px; nothing is said of what the crop left out."""
    model = _square()
    with torch.no_grad():
        output = model.attend(model.collate([model.prepare(_source(100, 200))]))
    assert output.attention is not None
    (found,) = output.attention
    assert (found.height, found.width, found.tasks) == (100, 200, ("class",))
    assert found.boxes[:, 0].min() == 10
    assert found.boxes[:, 3].max() == 180


@pytest.mark.parametrize("name", WHOLE)
def test_map_of_a_whole_photograph_covers_it(name: str) -> None:
    """A cell for every 16 px of each image, whichever share its batch."""
    model = _model(name, answers="year")
    images = [model.prepare(_source(height, width)) for height, width in ((48, 64), (80, 32))]
    with torch.no_grad():
        output = model.attend(model.collate(images))
    assert output.attention is not None
    for found, cells, size in zip(output.attention, (12, 10), ((48, 64), (80, 32)), strict=True):
        assert found.weights.shape == (1, 1, cells)
        assert found.boxes[:, 2:].max(axis=0).tolist() == list(size)


# -- what is read and asked --------------------------------------------------------------


def test_image_too_large_to_be_held_is_read_from_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """And refused where that has fewer px than asked for."""
    monkeypatch.setattr("umnist_core.models.photographs.WHOLE_MAX_PX", 1000)
    monkeypatch.setattr(sources, "WHOLE_MAX_PX", 1000)
    source = ArraySource(photograph(60, 50))
    pixels: NDArray[np.uint8] = read_colour(source, 700)
    assert pixels.shape == (25, 30, 3)
    with pytest.raises(InvalidValueError, match="most_px to less than 750"):
        read_colour(source, 800)


def test_grey_photograph_is_read_in_three_equal_channels() -> None:
    """As torchvision converts one."""
    pixels = read_colour(ArraySource(np.arange(12, dtype=np.uint8).reshape(3, 4)))
    assert pixels.shape == (3, 4, 3)
    assert (pixels == pixels[..., :1]).all()


def test_targets_are_what_the_data_set_says() -> None:
    """A class or a year, and a sentence where it is the other or there is no such class."""
    silk = Known(2, "Silk")
    assert known_targets(silk, (class_task(3),)) == {"class": torch.tensor(2)}
    assert known_targets(Known(year=1730.5), (YEAR_TASK,)) == {"year": torch.tensor(1730.5)}
    assert known_targets(Known(), (YEAR_TASK,)) is None
    with pytest.raises(InvalidValueError, match=r"one of 2 classes, found number 2 \('Silk'\)"):
        known_targets(silk, (class_task(2),))
    with pytest.raises(InvalidValueError, match="answer to year, found some with a class"):
        known_targets(silk, (YEAR_TASK,))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"answers": "medium"}, "answers of class or year"),
        ({"loss": "max"}, "a loss of mean or sum"),
        ({"classes": 1}, "classes is 2 or more"),
        ({"crop_px": 300}, "at most resized_px"),
    ],
)
def test_settings_that_do_not_go_are_said(settings: dict[str, Any], words: str) -> None:
    """In one sentence."""
    with pytest.raises(InvalidValueError, match=words):
        create_model("vgg16", settings)


def test_reader_has_no_weights_and_reads_the_same() -> None:
    """So that half a GB is not handed to each process."""
    model, source = _square(), _source(50, 60)
    reader = model.copy_reader()
    assert not list(reader.parameters())
    assert list(model.parameters())
    assert torch.equal(reader.prepare(source).pixels, model.prepare(source).pixels)
    assert replace(model.config) == reader.config
