"""Everything that follows from a device is in one room, and what the room says of devices."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.hardware.recorded import (
    LOST_TEXT,
    OF_11_GB,
    OF_80_GB,
    RecordedMachine,
    lost,
    out_of_memory,
    standing_in,
)
from umnist_core.errors import NotFoundError
from umnist_core.hardware import (
    find_gpus,
    find_hardware,
    hardware_of,
    is_device_lost,
    is_out_of_memory,
)
from umnist_core.hardware.gpu import Gpu

PACKAGE = Path(__file__).resolve().parents[2] / "umnist_core"

MAY_ASK_TORCH = {
    "training/fake_device.py": "stands in for PyTorch's driver where there is none",
}
"""File -> why it speaks of CUDA beside the room."""


@pytest.fixture
def two() -> Iterator[RecordedMachine]:
    """Yield a machine with a card of 11 GB and one of 80."""
    with standing_in(RecordedMachine(OF_11_GB, OF_80_GB)) as recorded:
        yield recorded


# -- the room -------------------------------------------------------------------------


def _asks(text: str) -> Iterator[int]:
    """Yield lines that ask PyTorch about devices or go by a device's kind, and do not say why.

    A comment on the line or right above it says why.
    """
    lines = text.splitlines()
    for number in _asking(ast.parse(text)):
        above = lines[number - 2].strip() if number > 1 else ""
        if "  # " not in lines[number - 1] and not above.startswith("# "):
            yield number


def _asking(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="torch"), attr="cuda" | "OutOfMemoryError"):
                yield node.lineno
            case ast.Attribute(attr="is_cuda" | "GradScaler"):
                yield node.lineno
            case ast.Import(names=names) if any(one.name.startswith("torch.cuda") for one in names):
                yield node.lineno
            case ast.ImportFrom(module=str(name), names=names) if name.startswith("torch"):
                if name.startswith("torch.cuda") or {"cuda"} & {one.name for one in names}:
                    yield node.lineno
            case ast.Compare(left=ast.Attribute(attr="type"), comparators=[ast.Constant(str())]):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="autocast"), args=[ast.Constant(), *_]):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="device"), args=[ast.Constant("cuda"), *_]):
                yield node.lineno


def test_nothing_beside_the_room_goes_by_the_kind_of_a_device() -> None:
    """Or the double would not reach it; files that must are named with the reason."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("hardware/") and name not in MAY_ASK_TORCH:
            found += [f"{name}:{line}" for line in _asks(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "torch.cuda.empty_cache()",
        "from torch import cuda",
        "import torch.cuda.amp",
        "if model.device.type == 'cuda': pass",
        "x = 1 if device.type != 'cpu' else 2",
        "torch.amp.GradScaler('cuda')",
        "torch.autocast('cuda', torch.float16)",
        "weight.is_cuda",
        "torch.device('cuda', 1)",
        "isinstance(error, torch.OutOfMemoryError)",
    ],
)
def test_such_a_line_would_be_found(line: str) -> None:
    """Each way to go by a device that the code had."""
    assert set(_asks(line)) == {1}
    assert set(_asks(f"# Because.\n{line}")) == set(_asks(f"{line}  # because")) == set()


# -- devices --------------------------------------------------------------------------


def test_devices_are_counted_named_and_chosen_by_name(two: RecordedMachine) -> None:
    """Auto is the first GPU; one that is not here is refused with those that are."""
    assert [(one.key, one.title) for one in find_gpus()] == [
        ("cuda:0", "NVIDIA GeForce RTX 2080 Ti, 11 GiB"),
        ("cuda:1", "NVIDIA A100-SXM4-80GB, 79 GiB"),
    ]
    assert find_hardware("auto").key == "cuda:0"
    assert find_hardware("cuda:1").total_bytes == OF_80_GB.total_bytes
    assert find_hardware("cpu").is_processor
    with pytest.raises(NotFoundError, match=r"'cuda:2', and here is cpu, cuda:0, cuda:1; choose"):
        find_hardware("cuda:2")


def test_machine_without_gpus_has_the_processor_alone() -> None:
    """Auto is it, and whoever asks for a GPU is told."""
    with standing_in(RecordedMachine()):
        assert find_gpus() == ()
        assert find_hardware("auto").key == "cpu"
        with pytest.raises(NotFoundError, match="no GPU that PyTorch can use, only cpu"):
            find_hardware("cuda:0")


def test_card_is_asked_by_its_own_number(two: RecordedMachine) -> None:
    """Not the first one, nor whichever is current."""
    second = find_hardware("cuda:1")
    find_hardware("cuda:0").use()
    two.cuda.calls.clear()
    second.free_bytes()
    second.cap(10**9)
    assert second.peak_bytes() == second.tensor_peak_bytes() == 0
    second.forget_peak()
    second.wait()
    second.use()
    assert {call[-1] for call in two.cuda.calls} == {1}
    assert len(two.cuda.calls) >= 6


def test_cap_is_asked_as_a_share_of_the_card_and_bounds_what_is_free(two: RecordedMachine) -> None:
    """11 GB of 80 are 12.9 %; of 79 GiB free, no more than the cap leaves are free for us."""
    card = find_hardware("cuda:1")
    assert card.free_bytes() == OF_80_GB.total_bytes - 10**9
    card.cap(11 * 10**9)
    assert two.called("set_per_process_memory_fraction") == [(11e9 / OF_80_GB.total_bytes, 1)]
    assert card.free_bytes() == 11 * 10**9 - 10**8  # of which 100 MB are taken


def test_short_type_is_what_the_card_multiplies_itself(two: RecordedMachine) -> None:
    """PyTorch imitates bfloat16 on the older card, which multiplies float16 fast."""
    found = {}
    for card in find_gpus():
        card.use()
        found[card.key] = card.find_short_type()
    assert found == {"cuda:0": torch.float16, "cuda:1": torch.bfloat16}


def test_gradients_are_scaled_in_float16_alone() -> None:
    """Its small numbers vanish; those of bfloat16 do not."""
    for hardware in (hardware_of(torch.device("cpu")), RecordedMachine(OF_11_GB).gpus()[0]):
        kinds = (None, torch.bfloat16, torch.float16)
        assert [hardware.scaler(one).is_enabled() for one in kinds] == [False, False, True]


def test_processor_lays_channels_last_and_a_gpu_leaves_them(two: RecordedMachine) -> None:
    """As measured on the one, and as it was on the other."""
    last, plain = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    two.processor.place(last)
    find_gpus()[0].place(plain)
    assert last.weight.is_contiguous(memory_format=torch.channels_last)
    assert not plain.weight.is_contiguous(memory_format=torch.channels_last)


def test_device_that_is_not_here_is_not_asked() -> None:
    """What needs no driver works without one, as on tensors that hold no numbers."""
    card = hardware_of(torch.device("cuda:3"))
    assert isinstance(card, Gpu)
    assert (card.key, card.is_processor, card.generators) == ("cuda:3", False, (card.device,))
    assert hardware_of(torch.device("cuda:3")) is card
    nothing = hardware_of(torch.device("meta"))
    assert nothing.is_processor
    assert nothing.send(torch.ones(2)).device.type == "meta"


# -- failures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        out_of_memory(OF_11_GB, 1e9),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be ..."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] can't allocate memory: you tried to"),
        MemoryError(),
    ],
)
def test_out_of_memory_is_told_by_whoever_says_it(error: Exception) -> None:
    """PyTorch's allocator, the driver, a library and the processor; the device is still there."""
    assert is_out_of_memory(error)
    assert not is_device_lost(error)


@pytest.mark.parametrize(
    "words",
    [
        LOST_TEXT,
        "CUDA error: unknown error",
        "CUDA error: an illegal memory access was encountered\nSearch for ...",
        "CUDA error: device-side assert triggered",
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
        "CUDA error: uncorrectable ECC error encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "HIP error: unspecified launch failure",
        "Caught AcceleratorError in pin memory thread for device 0.\nCUDA error: unknown error",
    ],
)
def test_device_is_lost_where_its_process_cannot_go_on(words: str) -> None:
    """By the words of the driver, which PyTorch passes on."""
    assert is_device_lost(RuntimeError(words))
    assert not is_out_of_memory(RuntimeError(words))
    assert not is_device_lost(ValueError(words))


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: invalid argument",
        "CUDA error: no kernel image is available for execution on the device",
        "mat1 and mat2 shapes cannot be multiplied (4x64 and 63x28)",
        "Expected all tensors to be on the same device, but found cpu and cuda:0!",
    ],
)
def test_other_errors_are_neither(words: str) -> None:
    """They are a fault of the code, or say of themselves what is wrong."""
    assert not is_device_lost(RuntimeError(words))
    assert not is_out_of_memory(RuntimeError(words))


def test_recorded_card_is_gone_for_good(two: RecordedMachine) -> None:
    """The double fails as a real context does: at everything that comes after."""
    two.cuda._is_lost = True
    for ask in (two.gpus()[0].release, two.gpus()[1].wait):
        with pytest.raises(type(lost()), match="unspecified launch failure"):
            ask()
