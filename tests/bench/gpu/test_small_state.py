"""The state of a recipe in at most 16 MiB: what is kept, what is lost, and that one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from umnist_core.bench.gpu.figures import STATE_MAX_BYTES
from umnist_core.bench.gpu.small_state import (
    LOST,
    from_codes,
    go_on_from,
    load_small_state,
    save_small_state,
    to_codes,
)
from umnist_core.errors import DamagedFileError, InvalidValueError, TooLargeError
from umnist_core.models.registry import create_model
from umnist_core.training.state import PhaseProgress

SETTINGS = {"run": {"seed": 1}}


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(128, 2))


def _optimizer(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=1e-3)


def _step(net: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    images = torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    net(images).square().mean().backward()
    optimizer.step()


def _learned(steps: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    net = _net()
    optimizer = _optimizer(net)
    for seed in range(steps):
        _step(net, optimizer, seed)
    return net, optimizer


def _save(path: Path, steps: int, most_bytes: int = STATE_MAX_BYTES) -> str:
    net, optimizer = _learned(steps)
    way, size = save_small_state(
        path,
        "a-recipe",
        net,
        optimizer,
        progress=PhaseProgress(epoch=2, step=steps),
        settings=SETTINGS,
        most_bytes=most_bytes,
    )
    assert path.stat().st_size == size <= most_bytes
    return way


def _resumed(path: Path) -> tuple[nn.Module, torch.optim.Optimizer]:
    net = _net()
    optimizer = _optimizer(net)
    go_on_from(load_small_state(path), path, net, optimizer, SETTINGS)
    return net, optimizer


def _sizes(path: Path) -> dict[str, int]:
    """Return the bytes of each way, from the one that loses least."""
    sizes: dict[str, int] = {}
    most = STATE_MAX_BYTES
    while len(sizes) < len(LOST):
        way = _save(path, 3, most)
        sizes[way] = path.stat().st_size
        most = sizes[way] - 1
    return sizes


def test_whole_state_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    """Five steps are three, a state, and two."""
    path = tmp_path / "state.safetensors"
    assert _save(path, 3) == "whole"
    net, optimizer = _resumed(path)
    for seed in (3, 4):
        _step(net, optimizer, seed)
    wanted = _learned(5)[0].state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in net.state_dict().items())


def test_way_that_loses_least_of_those_that_fit_is_taken(tmp_path: Path) -> None:
    """Each next way takes less, and where none fits nothing is written."""
    path = tmp_path / "state.safetensors"
    sizes = _sizes(path)
    assert [*sizes] == [*LOST]
    before = path.read_bytes()
    with pytest.raises(TooLargeError, match="smallest way"):
        _save(path, 3, sizes["least"] - 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("way", "share"), [("half", 0.01), ("least", 0.1)])
def test_shorter_states_are_near_what_they_were(tmp_path: Path, way: str, share: float) -> None:
    """Weights within 16 bits, averages of squares as far as is said, and the steps counted."""
    path = tmp_path / "state.safetensors"
    assert _save(path, 3, _sizes(path)[way]) == way
    net, optimizer = _resumed(path)
    wanted, of_wanted = _learned(3)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, wanted.state_dict()[name], rtol=1e-3, atol=1e-6)
    found, before = (one.state_dict()["state"] for one in (optimizer, of_wanted))
    for index, values in before.items():
        squares = found[index]["exp_avg_sq"]
        torch.testing.assert_close(squares, values["exp_avg_sq"], rtol=share, atol=1e-16)
        assert found[index]["step"] == values["step"]
        assert found[index]["exp_avg"].dtype == torch.float32
        if way == "least":
            assert not found[index]["exp_avg"].any()
    _step(net, optimizer, 3)  # it goes on


def test_state_of_efficientnet_travels(tmp_path: Path) -> None:
    """That of the recipes with EfficientNet-B0 has at most 16 MiB, and so have their averages."""
    model = create_model("efficientnet-b0", {"side_px": 32})
    optimizer = torch.optim.Adam(model.parameters())
    for weight in model.parameters():
        weight.grad = torch.randn_like(weight) * 1e-3
    optimizer.step()
    path = tmp_path / "state.safetensors"
    way, size = save_small_state(
        path,
        "efficientnet-b0-256-11gb",
        model,
        optimizer,
        progress=PhaseProgress(),
        settings=SETTINGS,
        most_bytes=STATE_MAX_BYTES,
    )
    assert way == "least"
    assert size <= STATE_MAX_BYTES
    go_on_from(load_small_state(path), path, model, optimizer, SETTINGS)


@pytest.mark.parametrize("value", [1e-16, 3e-9, 1e-4, 0.5, 1.0, 100.0])
def test_codes_are_within_what_is_said(value: float) -> None:
    """A fourth root of two apart, they are within 9 % of any square that gradients have."""
    squares = torch.tensor([value, value * 1.07, value * 1.13])
    torch.testing.assert_close(from_codes(to_codes(squares)), squares, rtol=0.0906, atol=0)


def test_code_of_nothing_is_nothing() -> None:
    """What had no gradient keeps none, and what is beyond the codes is at their end."""
    squares = torch.tensor([0.0, 1e-40, 1e30])
    found: Tensor = from_codes(to_codes(squares))
    assert found[0] == 0
    assert 0 < found[1] < 1e-16
    assert found[2] > 100


def test_state_of_something_else_is_refused(tmp_path: Path) -> None:
    """Another file, another net, and a recipe that has other settings now."""
    path = tmp_path / "state.safetensors"
    with pytest.raises(DamagedFileError, match="Expected a state of gpu-check"):
        load_small_state(path)
    path.write_bytes(b"no state")
    with pytest.raises(DamagedFileError, match="Expected a state of gpu-check"):
        load_small_state(path)
    _save(path, 1)
    state, other = load_small_state(path), nn.Linear(2, 2)
    with pytest.raises(DamagedFileError, match="one of another net"):
        go_on_from(state, path, other, _optimizer(other), SETTINGS)
    net = _net()
    with pytest.raises(InvalidValueError, match=r"run\.seed = 1, got 2"):
        go_on_from(state, path, net, _optimizer(net), {"run": {"seed": 2}})
