"""Run models and training steps on a device that need not be there, on tensors without numbers.

PyTorch's fake tensors know shape, type, device and order in memory, and compute nothing: a tensor
that was left on the CPU, or one of another type, raises as it would, and 40 GB are tried in an
instant. Their mode runs forward alone on a device that is not there; the rest is done here.
Gradients go back by `umnist_core.training.fake_backward`. Where the code leaves torch, for NumPy
or a number, or a size follows from numbers, what comes out is made up: a mask is true everywhere,
of overlapping boxes all are kept, numbers are alike; a single whole number is `PLACE`, those of an
array are `WHOLE`, but `PLACE` where a row has only one, and others `SHARE`. So each line runs,
along one of the ways that it can take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from umnist_core.hardware import Hardware, machine
from umnist_core.hardware.gpu import Gpu
from umnist_core.training.fake_backward import (
    SavedTensors,
    accumulate_gradients,
    find_gradients,
)

PLACE, WHOLE, SHARE = 0, 1, 0.25
"""What is made up: a single whole number may be a place in a list; those of an array are classes
or places of patches, others chances."""


@contextmanager
def fake_device(device: torch.device, *counts: TorchDispatchMode) -> Iterator[None]:
    """Compute with fake tensors until the block ends.

    A module's tensors become fake where it is moved to a device, be it its own, and are of no use
    after the block. Some of PyTorch's functions are exchanged for the whole process meanwhile, so
    no other thread may compute.

    Parameters
    ----------
    device
        Of what is fake. Real tensors become so where they meet one that is; if this is the CPU,
        at once.
    counts
        Modes that see every operation, such as `umnist_core.training.peaks.MemoryCount`.
    """
    mode, saved = FakeTensorMode(allow_non_fake_inputs=True), SavedTensors()
    operations = _Operations(keeps_real=device.type != "cpu")
    with ExitStack() as entered:
        modes: tuple[Any, ...] = (mode, operations, *counts, _MadeUpNumbers(saved), saved)
        for one in modes:
            entered.enter_context(one)
        for owner, name, value in _exchanges(mode):
            entered.enter_context(_exchanged(owner, name, value))
        yield


# -- what PyTorch's own code is told ----------------------------------------------------


def _exchanges(mode: FakeTensorMode) -> Iterator[tuple[Any, str, Any]]:
    yield nn.Module, "_apply", _applied_in(mode)
    yield FakeTensor, "tolist", lambda tensor: _filled(tensor, object).tolist()
    # Optimisers take all weights at once where they are plain tensors on a GPU.
    optimizers = import_module("torch.optim.optimizer")
    yield optimizers, "_foreach_supported_types", [Tensor, nn.Parameter, FakeTensor]
    if not torch.cuda.is_available():
        yield torch.cuda.amp.common, "amp_definitely_not_available", lambda: False
        yield torch.cuda, "is_bf16_supported", lambda *_, **__: True
        yield torch.cuda, "get_rng_state", lambda *_, **__: torch.zeros(16, dtype=torch.uint8)
        yield torch.cuda, "set_rng_state", lambda *_, **__: None
        yield machine, "HERE", _MachineWithGpu()


@contextmanager
def _exchanged(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


class _NoDriver:
    """What answers for the module `torch.cuda` where there is no driver."""

    def get_device_properties(self, _number: int) -> Any:
        return SimpleNamespace(name="a GPU that is not there", total_memory=2**40)

    def mem_get_info(self, _number: int) -> tuple[int, int]:
        return 2**40, 2**40

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        del including_emulation
        return True

    def _nothing(self, *_: Any) -> int:
        return 0

    max_memory_allocated = max_memory_reserved = memory_allocated = _nothing
    set_device = reset_peak_memory_stats = synchronize = empty_cache = _nothing


class _MachineWithGpu(machine.Machine):
    """The machine as it is, and a GPU that multiplies bfloat16."""

    def of(self, device: torch.device) -> Hardware:
        if device.type == "cuda":
            number = device.index or 0
            device = torch.device("cuda", number)
            if device not in self._known:
                self._known[device] = Gpu(number, _NoDriver())
        return super().of(device)


def _applied_in(mode: FakeTensorMode) -> Callable[..., nn.Module]:
    """Return how a module's tensors are moved: PyTorch's way would swap, which fakes refuse."""

    def change(tensor: Tensor, move: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.no_grad():
            moved = move(tensor)
            fake = moved if isinstance(moved, FakeTensor) else mode.from_tensor(moved)
            seen = fake.detach()  # an operation, so that those who count see it
        if isinstance(tensor, nn.Parameter):
            return nn.Parameter(seen, requires_grad=tensor.requires_grad)
        return seen

    def apply(module: nn.Module, move: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        for part in module.modules() if recurse else (module,):
            held: list[dict[str, Any]] = [part._parameters, part._buffers]
            for kept in held:
                for name, tensor in kept.items():
                    if tensor is not None:
                        kept[name] = change(tensor, move)
        return module

    return apply


# -- what Python asks of a tensor -------------------------------------------------------


class _MadeUpNumbers(TorchFunctionMode):
    """Answers for a tensor's numbers, its gradients and copies of it."""

    def __init__(self, saved: SavedTensors) -> None:
        super().__init__()
        self._saved = saved
        self._answers: dict[Any, Callable[..., Any]] = {
            Tensor.numpy: _as_array,
            Tensor.__array__: _as_array,
            Tensor.backward: self._backward,
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.autograd.grad:
            return self._grad(*args, **(kwargs or {}))
        if func is Tensor.__deepcopy__:
            return _deepcopied(*args)
        answer = self._answers.get(func)
        if answer is not None and isinstance(args[0], FakeTensor):
            return answer(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _backward(
        self,
        root: Tensor,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        **_: Any,
    ) -> None:
        accumulate_gradients(root, gradient, self._saved, is_kept=bool(retain_graph))

    def _grad(
        self,
        outputs: Any,
        inputs: Any,
        grad_outputs: Any = None,
        retain_graph: bool | None = None,
        **_: Any,
    ) -> tuple[Tensor | None, ...]:
        roots, leaves = _as_tuple(outputs), _as_tuple(inputs)
        given = (None,) * len(roots) if grad_outputs is None else _as_tuple(grad_outputs)
        return find_gradients(roots, given, leaves, self._saved, is_kept=bool(retain_graph))


def _as_tuple(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


_ARRAYS = {
    torch.bool: np.bool_,
    torch.uint8: np.uint8,
    torch.int8: np.int8,
    torch.int16: np.int16,
    torch.int32: np.int32,
    torch.int64: np.int64,
    torch.float16: np.float16,
    torch.float32: np.float32,
    torch.float64: np.float64,
}
"""Types that NumPy has as well."""


def _as_array(tensor: Tensor, *_: Any, **__: Any) -> NDArray[Any]:
    """Return the array of a tensor, or raise as torch does."""
    if tensor.device.type != "cpu":
        raise TypeError(
            f"can't convert {tensor.device} device type tensor to numpy; use Tensor.cpu() first."
        )
    if tensor.requires_grad:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad; use detach() first.")
    if tensor.dtype not in _ARRAYS:
        raise TypeError(f"Got unsupported ScalarType {tensor.dtype}; NumPy has none of the kind.")
    return _filled(tensor, _ARRAYS[tensor.dtype])


def _filled(tensor: Tensor, kind: Any) -> NDArray[Any]:
    is_single = tensor.dim() > 0 and tensor.shape[-1] == 1 and tensor.dtype is not torch.bool
    number: Any = PLACE if is_single else WHOLE
    if tensor.is_floating_point():
        number = SHARE
    return np.full(
        tuple(tensor.shape), bool(number) if tensor.dtype is torch.bool else number, kind
    )


def _deepcopied(tensor: Tensor, memo: dict[int, Any]) -> Tensor:
    if id(tensor) not in memo:
        copied = tensor.detach().clone()
        if isinstance(tensor, nn.Parameter):
            copied = nn.Parameter(copied, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = copied
    found: Tensor = memo[id(tensor)]
    return found


# -- what operations compute ------------------------------------------------------------


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Answers where a shape or a number follows from numbers; what is real may stay so.

    Parameters
    ----------
    keeps_real
        Whether what is on the CPU, and of real tensors alone, is computed.
    """

    def __init__(self, keeps_real: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._keeps_real = keeps_real

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._keeps_real and _is_here(args, kwargs):
            with _disable_current_modes():
                return func(*args, **kwargs)
        if func.name() == "torchvision::nms":
            return _all_boxes(*args)
        _check_types(func, args)
        try:
            return func(*args, **kwargs)
        except (DataDependentOutputException, DynamicOutputShapeException):
            answer = _SIZES.get(func)
            if answer is None:
                raise
            return answer(func, *args, **kwargs)


def _is_here(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Return whether an operation is of the CPU's own tensors alone, and makes such."""
    place = kwargs.get("device")
    if place is not None and place.type != "cpu":
        return False
    for one in (*args, *kwargs.values()):
        if isinstance(one, Tensor):
            if isinstance(one, FakeTensor) or one.device.type != "cpu":
                return False
        elif isinstance(one, list | tuple) and not _is_here(one, {}):
            return False
    return True


_OF_ONE_TYPE: dict[Any, tuple[int, ...]] = {
    torch.ops.aten.mm.default: (0, 1),
    torch.ops.aten.bmm.default: (0, 1),
    torch.ops.aten.addmm.default: (0, 1, 2),
    torch.ops.aten.baddbmm.default: (0, 1, 2),
    torch.ops.aten.convolution.default: (0, 1, 2),
    torch.ops.aten.native_layer_norm.default: (0, 2, 3),
    torch.ops.aten.grid_sampler_2d.default: (0, 1),
    torch.ops.aten.index_put.default: (0, 2),
    torch.ops.aten.index_put_.default: (0, 2),
    torch.ops.aten.lerp_.Scalar: (0, 1),
}
"""Operations whose kernels want arguments of one type, as fakes do not all say."""


def _check_types(func: Any, args: Sequence[Any]) -> None:
    given = [args[place] for place in _OF_ONE_TYPE.get(func, ()) if place < len(args)]
    types = {one.dtype for one in given if isinstance(one, Tensor)}
    if len(types) > 1:
        raise RuntimeError(
            f"{func} expects tensors of the same dtype, found "
            f"{' and '.join(sorted(map(str, types)))}."
        )


def _all_boxes(boxes: Tensor, *_: Any) -> Tensor:
    return boxes.new_zeros(len(boxes), dtype=torch.int64)


def _single_number(_func: Any, tensor: Tensor) -> Any:
    if tensor.is_floating_point():
        return SHARE
    return True if tensor.dtype is torch.bool else PLACE


def _all_alike(
    _func: Any,
    tensor: Tensor,
    is_sorted: bool = True,
    has_inverse: bool = False,
    has_counts: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the one number that there is, where it is, and how often; empty if not asked for."""
    inverse = tensor.new_zeros(tensor.shape if has_inverse else 0, dtype=torch.int64)
    return tensor.new_zeros(1), inverse, tensor.new_zeros(int(has_counts), dtype=torch.int64)


def _every_place(_func: Any, mask: Tensor) -> Tensor:
    return mask.new_zeros((mask.numel(), mask.ndim), dtype=torch.int64)


def _with_places(func: Any, tensor: Tensor, indices: Sequence[Tensor | None], *rest: Any) -> Tensor:
    """Index with the places of masks that are true everywhere."""
    places: list[Tensor | None] = []
    for one in indices:
        if one is not None and one.dtype in (torch.bool, torch.uint8):
            places += [one.new_zeros(one.numel(), dtype=torch.int64) for _ in range(one.ndim)]
        else:
            places.append(one)
    found: Tensor = func(tensor, places, *rest)
    return found


_SIZES: dict[Any, Callable[..., Any]] = {
    torch.ops.aten._local_scalar_dense.default: _single_number,
    torch.ops.aten.equal.default: lambda *_: True,
    torch.ops.aten._unique2.default: _all_alike,
    torch.ops.aten.nonzero.default: _every_place,
    torch.ops.aten.index.Tensor: _with_places,
    torch.ops.aten.index_put.default: _with_places,
    torch.ops.aten.index_put_.default: _with_places,
}
