"""Tensors without numbers: gradients as the engine's, faults found, numbers made up, all undone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torchvision.models import efficientnet_b0, resnet18
from torchvision.ops import nms, roi_align

from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.hardware.machine import HERE
from umnist_core.models.ips.cross_attention import CrossAttention
from umnist_core.training.fake_backward import SavedTensors, accumulate_gradients, find_gradients
from umnist_core.training.fake_device import PLACE, SHARE, WHOLE, fake_device

CUDA = torch.device("cuda")


def _attention() -> nn.Module:
    return CrossAttention(
        tasks=4,
        width=16,
        heads=2,
        key_width=4,
        value_width=4,
        inner_width=8,
        attention_dropout=0.1,
        dropout=0.1,
    )


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "efficientnet": (efficientnet_b0, (2, 3, 64, 64)),
    "resnet": (resnet18, (2, 3, 64, 64)),
    "attention": (_attention, (2, 9, 16)),
}


def _loss(net: nn.Module, seen: Tensor) -> Tensor:
    torch.manual_seed(1)  # for dropout
    out = net(seen)
    answers: Tensor = out[0] if isinstance(out, tuple) else out
    return answers.square().mean()


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("short", [False, True], ids=["float32", "mixed"])
def test_gradients_are_those_of_the_engine(name: str, short: bool) -> None:
    """Bit for bit, over two steps whose gradients add up, with one input that is used twice."""
    make, shape = NETS[name]
    torch.manual_seed(0)
    net, seen = make().train(), torch.randn(shape)
    other = copy.deepcopy(net)
    for _ in range(2):
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            loss = _loss(net, seen)
        loss.backward()  # type: ignore[no-untyped-call]
        with SavedTensors() as saved, torch.autocast("cpu", torch.bfloat16, enabled=short):
            found = _loss(other, seen)
        accumulate_gradients(found, None, saved)
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        assert torch.equal(one.grad, two.grad)


def test_gradients_that_meet_are_added_as_the_engine_adds_them() -> None:
    """In its order, which rounding shows, and never into one that another node waits for."""
    torch.manual_seed(0)
    weight, scale = torch.randn(99, 99, requires_grad=True), torch.randn(99, 1, requires_grad=True)

    def compute() -> Tensor:
        other = weight * 2
        one = weight * 3
        waves = one.sin() + one.cos() + one.exp() + one.tanh()
        return ((one + other) * waves + scale * waves).square().mean()

    with SavedTensors() as saved:
        root = compute()
    expected = torch.autograd.grad(compute(), (weight, scale))
    accumulate_gradients(root, None, saved)
    assert weight.grad is not None
    assert scale.grad is not None
    assert torch.equal(weight.grad, expected[0])
    assert torch.equal(scale.grad, expected[1])


def test_gradients_of_inputs_are_those_of_the_engine() -> None:
    """Of a map in the middle, and None of an input that the root does not follow from."""
    torch.manual_seed(0)
    first, last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)
    seen, unused = torch.randn(1, 3, 9, 9, requires_grad=True), torch.ones(1, requires_grad=True)
    with SavedTensors() as saved:
        middle = first(seen).relu()
        root = last(middle)
    weights = torch.randn_like(root)
    inputs = (middle, seen, unused)
    found = find_gradients([root], [weights], inputs, saved, is_kept=True)
    expected = torch.autograd.grad(root, inputs, weights, allow_unused=True, retain_graph=True)
    assert found[2] is None
    assert expected[2] is None
    assert all(torch.equal(found[place], expected[place]) for place in (0, 1))
    assert first.weight.grad is None


def test_what_autograd_kept_is_let_go_once() -> None:
    """As of the engine, a graph can be gone through once, unless it is kept."""
    weight = torch.ones(3, requires_grad=True)
    with SavedTensors() as saved:
        root = weight.square().sum()
    accumulate_gradients(root, None, saved, is_kept=True)
    accumulate_gradients(root, None, saved)
    assert weight.grad is not None
    assert weight.grad.tolist() == [4.0] * 3
    with pytest.raises(InvalidValueError, match="retain_graph"):
        accumulate_gradients(root, None, saved)


def test_functions_that_are_written_in_python_have_gradients_too() -> None:
    """Torchvision's, whose arguments are not all tensors."""
    seen = torch.randn(1, 2, 8, 8)
    with fake_device(CUDA):
        maps = seen.to(CUDA).requires_grad_()
        boxes = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]]).to(CUDA)
        roi_align(maps, boxes, 2).sum().backward()
        assert maps.grad is not None
        assert maps.grad.shape == (1, 2, 8, 8)
        assert maps.grad.device.type == "cuda"


def test_net_learns_on_a_device_that_is_not_there() -> None:
    """Forward, backward and a step of the optimiser, in mixed precision."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3))
    before = [weight.clone() for weight in net.parameters()]
    trial = copy.deepcopy(net)
    with fake_device(CUDA):
        hardware_of(CUDA).place(trial)
        optimizer = torch.optim.Adam(trial.parameters())
        with hardware_of(CUDA).mixed(torch.bfloat16):
            out = trial(torch.zeros(4, 1, 8, 8).to(CUDA))
        assert out.dtype is torch.bfloat16
        out.float().sum().backward()
        optimizer.step()
        for weight in trial.parameters():
            assert isinstance(weight, FakeTensor)
            assert weight.grad is not None
            assert (weight.device, weight.dtype) == (torch.device("cuda:0"), torch.float32)
            assert weight.grad.dtype is torch.float32
    assert all(map(torch.equal, before, net.parameters()))


def test_tensors_of_two_devices_do_not_meet() -> None:
    """A tensor that was left on the CPU raises."""
    with fake_device(CUDA), pytest.raises(RuntimeError, match="two devices, cuda:0 and cpu"):
        torch.zeros(3, device=CUDA) + torch.zeros(3)


def test_products_of_two_types_are_refused() -> None:
    """As kernels refuse them: mixed precision that ends too early, or is forgotten."""
    with fake_device(CUDA):
        whole, short = torch.zeros(2, 2, device=CUDA), torch.zeros(2, 2, device=CUDA).bfloat16()
        for product in (torch.mm, nn.functional.linear):
            with pytest.raises(RuntimeError, match="same dtype, found"):
                product(short, whole)
        with pytest.raises(RuntimeError, match="same dtype"):
            whole[torch.tensor([0], device=CUDA)] = short[:1]
        with hardware_of(CUDA).mixed(torch.bfloat16):
            assert torch.mm(short, whole).dtype is torch.bfloat16


def test_array_is_refused_as_torch_refuses_it() -> None:
    """From the device, of 16 bits that NumPy lacks, and where gradients would be lost."""
    with fake_device(CUDA):
        there = torch.zeros(3, device=CUDA)
        with pytest.raises(TypeError, match="can't convert cuda:0"):
            there.numpy()
        with pytest.raises(TypeError, match="bfloat16"):
            there.bfloat16().cpu().numpy()
        with pytest.raises(RuntimeError, match="requires grad"):
            there.requires_grad_().cpu().numpy()


def test_numbers_are_made_up_where_the_code_leaves_torch() -> None:
    """Shapes and types are right; masks are true everywhere, and all boxes are kept."""
    with fake_device(CUDA):
        there = torch.zeros(2, 3, device=CUDA)
        assert there.cpu().numpy().tolist() == [[SHARE] * 3] * 2
        assert there.cpu().numpy().dtype == np.float32
        assert (there > 0).tolist() == [[True] * 3] * 2
        assert there.long().tolist() == [[WHOLE] * 3] * 2
        assert there[:, :1].long().tolist() == [[PLACE]] * 2
        assert (float(there[0, 0]), int(there[0].argmax()), bool(there.any())) == (
            SHARE,
            PLACE,
            True,
        )
        assert torch.equal(there, there)
        assert torch.unique(there).shape == (1,)
        assert (there > 0).nonzero().shape == (6, 2)
        assert there[there > 0].shape == (6,)
        assert there[:, (there > 0)[0]].shape == (2, 3)
        assert nms(torch.zeros(7, 4, device=CUDA), torch.zeros(7, device=CUDA), 0.5).shape == (7,)


def test_what_stays_on_the_cpu_keeps_its_numbers() -> None:
    """What is drawn for a step is real; only on a device that is the CPU all is fake."""
    given = torch.tensor([3, 5])
    with fake_device(CUDA):
        assert (given * 2).tolist() == [6, 10]
    with fake_device(torch.device("cpu")):
        assert isinstance(given * 2, FakeTensor)


def test_all_is_as_before_after_the_block() -> None:
    """Also where it ends with an error."""
    places = (nn.Module, "_apply"), (FakeTensor, "tolist"), (torch.cuda, "is_bf16_supported")
    before = [getattr(owner, name) for owner, name in places]

    def fail() -> None:
        with fake_device(CUDA):
            assert hardware_of(CUDA).find_short_type() is torch.bfloat16
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [getattr(owner, name) for owner, name in places] == before
    assert hardware_of(torch.device("cpu")) is HERE.of(torch.device("cpu"))
    assert torch.ones(2).sum().item() == 2
    assert not isinstance(nn.Linear(2, 2).to(torch.float64).weight, FakeTensor)
