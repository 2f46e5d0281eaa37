"""How two devices are compared: planted differences are found, and are as large as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.bench.gpu.listening import Heard, listen
from tests.models.small import small_scene, small_source
from umnist_core.bench.gpu import agreement
from umnist_core.bench.gpu.agreement import (
    Sight,
    difference,
    grad_cam_places,
    kept_share,
    look,
    moved_attention,
)
from umnist_core.bench.gpu.figures import MODES, get_figure
from umnist_core.digits import load_glyphs
from umnist_core.hardware import Hardware
from umnist_core.models.base import FoundDigit, Model
from umnist_core.models.papers.convnet import ConvNet
from umnist_core.models.papers.grad_cam import cam_grids
from umnist_core.models.registry import create_model

DIGIT = FoundDigit(label=3, score=0.9, row=10, col=20, height_px=28, width_px=28)


def _sight(
    numbers: Sequence[Sequence[float]] = ((0.0, 1.0),),
    places: Sequence[dict[tuple[int, ...], float]] | None = None,
    chosen: Sequence[Sequence[Any]] = ((),),
) -> Sight:
    return Sight(
        (torch.tensor(numbers, dtype=torch.float64),),
        None if places is None else tuple(places),
        tuple(chosen),
        (1,) * len(numbers),
    )


def test_difference_is_a_share_of_the_spread() -> None:
    """Of each image's own, and the worst counts."""
    wanted = _sight([[0.0, 10.0], [0.0, 1.0]])
    assert difference(wanted, wanted) == 0
    assert difference(wanted, _sight([[1.0, 10.0], [0.0, 1.0]])) == pytest.approx(0.1)
    assert difference(wanted, _sight([[1.0, 10.0], [0.0, 0.5]])) == pytest.approx(0.5)


def test_number_that_is_none_differs_unless_both_are() -> None:
    """Logs of no chance are equal to each other and to nothing else."""
    none, nan = float("-inf"), float("nan")
    wanted = _sight([[none, 0.0, 2.0]])
    assert difference(wanted, wanted) == 0
    assert difference(wanted, _sight([[none, 0.0, 1.0]])) == pytest.approx(0.5)
    assert difference(wanted, _sight([[-9.0, 0.0, 2.0]])) == float("inf")
    assert difference(wanted, _sight([[none, nan, 2.0]])) == float("inf")


def test_attention_that_lies_elsewhere_is_counted_once() -> None:
    """A quarter that moved is a quarter, and all of it is 1."""
    wanted = _sight(places=[{(0, 0): 0.5, (0, 1): 0.5}])
    assert moved_attention(wanted, wanted) == 0
    moved = _sight(places=[{(0, 0): 0.25, (0, 1): 0.5, (2, 2): 0.25}])
    assert moved_attention(wanted, moved) == pytest.approx(0.25)
    assert moved_attention(wanted, _sight(places=[{(5, 5): 1.0}])) == pytest.approx(1)
    assert moved_attention(wanted, _sight()) is None
    both = _sight(places=[{(0, 0): 1.0}, {(0, 0): 1.0}])
    assert moved_attention(both, _sight(places=[{(0, 0): 1.0}, {(9, 9): 1.0}])) == 1  # the worst


def test_selection_is_shared_by_what_both_chose() -> None:
    """Patches by their places; digits by class and box, each once."""
    assert kept_share(_sight(chosen=[[1, 2, 3, 4]]), _sight(chosen=[[4, 3, 2, 9]])) == 0.75
    assert kept_share(_sight(), _sight()) == 1
    near, other = replace(DIGIT, row=11), replace(DIGIT, label=4)
    far = replace(DIGIT, col=60)
    assert kept_share(_sight(chosen=[[DIGIT]]), _sight(chosen=[[near]])) == 1
    for found in (other, far):
        assert kept_share(_sight(chosen=[[DIGIT]]), _sight(chosen=[[found]])) == 0
    assert kept_share(_sight(chosen=[[DIGIT]]), _sight(chosen=[[near, DIGIT]])) == 0.5


def test_grad_cam_without_captum_is_that_with_it() -> None:
    """Cell by cell, of the class that is asked for."""
    torch.manual_seed(0)
    model = create_model("efficientnet-b0", {"side_px": 96})
    assert isinstance(model, ConvNet)
    batch = _batch(model)
    agreement.fit_norms(model, batch)
    norms = [one for one in model.eval().modules() if isinstance(one, torch.nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}
    classes = (5, 17)
    places = grad_cam_places(model, batch, classes)
    grids = cam_grids(model.net, model.cam_layer, model.images(batch), torch.tensor(classes))
    for found, grid in zip(places, grids, strict=True):
        wanted = grid.ravel() / grid.sum()
        np.testing.assert_allclose([*found.values()], wanted, atol=1e-5)
    assert places[0] != places[1]


def test_map_of_a_photograph_is_that_which_captum_has() -> None:
    """Its cells, which are numbered here, hold what `attend` says of them; so for a pyramid."""
    model = create_model("vgg16-spp", {"width": 8, "hidden": 16}).eval()
    batch = model.collate([model.prepare(agreement._photograph(load_glyphs(), 0))])
    sight = agreement.look(model, batch)
    output = model.attend(batch)
    assert output.attention is not None
    assert sight.places is not None
    (found,), (places,) = output.attention, sight.places
    np.testing.assert_allclose([*places.values()], found.weights[0, 0], atol=1e-5)


def _batch(model: Model) -> Any:
    return model.collate([model.prepare(small_source(small_scene(index))) for index in range(2)])


def test_planted_fault_of_a_device_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bias that gets lost on the way to the device is no rounding in any mode."""
    heard = _compare(tmp_path, monkeypatch, "large-scale-cnn")
    assert _are_met(heard) == [True, True]
    place = Hardware.place

    def lose(self: Hardware, net: torch.nn.Module) -> None:
        place(self, net)
        with torch.no_grad():
            last = [one for one in net.parameters() if one.ndim == 1][-1]
            last.add_(torch.arange(len(last)) / 10)

    monkeypatch.setattr(type(heard.work.hardware), "place", lose)
    heard = _compare(tmp_path, monkeypatch, "large-scale-cnn")
    assert _are_met(heard) == [False, False]


def test_model_that_cannot_be_compared_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In all modes and figures of its own, and the next model is compared."""
    make = create_model

    def refuse(name: str, settings: Any = None) -> Model:
        if name == "large-scale-cnn":
            raise RuntimeError("no such layer")
        return make(name, settings)

    monkeypatch.setattr(agreement, "create_model", refuse)
    heard = _compare(tmp_path, monkeypatch, "large-scale-cnn", "fov-max")
    figures = heard.figures()
    for mode in MODES:
        for what in ("logits", "attention"):
            failed = figures[f"agree.{what} large-scale-cnn/{mode}"]
            assert failed["why"] == "failed: RuntimeError: no such layer"
            assert figures[f"agree.{what} fov-max/{mode}"]["value"] is not None


def _compare(out: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Heard:
    monkeypatch.setattr(agreement, "model_names", lambda: [*names])
    heard = listen(out)
    agreement.run(heard.work)
    return heard


def _are_met(heard: Heard) -> list[bool]:
    """Return whether what is aimed at of the logits is met."""
    figure, found = get_figure("agree.logits"), []
    for words, measured in heard.figures().items():
        name, key = words.split(" ")
        if name == figure.name and (aim := figure.aim_of(key)) is not None:
            found.append(aim.is_met(measured["value"]))
    return found


def test_modes_leave_pytorch_as_it_was(tmp_path: Path) -> None:
    """Whether convolutions may round to TF32 is put back."""
    before = torch.backends.cudnn.allow_tf32
    work = listen(tmp_path).work
    for mode in MODES:
        with agreement.computing(work, mode):
            assert torch.backends.cudnn.allow_tf32 is (mode != "exact")
            assert torch.is_autocast_enabled("cpu") is (mode == "mixed")
        assert torch.backends.cudnn.allow_tf32 is before


def test_looking_leaves_the_model_alone() -> None:
    """No gradient of a weight, and no hook that stays."""
    torch.manual_seed(0)
    model = create_model("efficientnet-b0", {"side_px": 64})
    before = copy.deepcopy(model.state_dict())
    look(model.eval(), _batch(model))
    assert isinstance(model, ConvNet)
    assert not model.cam_layer._forward_hooks
    assert all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
