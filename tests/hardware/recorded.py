"""A machine with GPUs that are not there.

It says what real cards say, computes on the CPU, writes down what it is asked, and fails where it
is told to. All but PyTorch's module ``torch.cuda`` is the real code. It takes the place of the
machine of this process by one name, `umnist_core.hardware.machine.HERE`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from umnist_core.hardware import Hardware, machine
from umnist_core.hardware.gpu import Gpu
from umnist_core.hardware.machine import Machine
from umnist_core.hardware.processor import Processor

VARIABLE = "UMNIST_RECORDED_MACHINE"
"""Of the environment: the machine of a process of models that a test starts."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Card:
    """What a card says of itself.

    Attributes
    ----------
    name, total_bytes, major
        As PyTorch's properties of it have them; ``major`` of its compute capability.
    image_bytes
        What each image of a batch takes on it, as if all memory were of that.
    """

    name: str
    total_bytes: int
    major: int
    image_bytes: int = 0


OF_11_GB = Card("NVIDIA GeForce RTX 2080 Ti", 11_554_717_696, 7)
OF_80_GB = Card("NVIDIA A100-SXM4-80GB", 84_987_740_160, 8)

OUT_OF_MEMORY, LOST = "memory", "lost"

LOST_TEXT = (
    "CUDA error: unspecified launch failure\n"
    "CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace "
    "below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
)


def out_of_memory(card: Card, allowed: float) -> torch.OutOfMemoryError:
    """Return the error that PyTorch's allocator raises."""
    return torch.OutOfMemoryError(
        f"CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
        f"{card.total_bytes / 2**30:.2f} GiB of which 1.02 GiB is free. {allowed / 2**30:.2f} GiB "
        "allowed; Including non-PyTorch memory, this process has 10.12 GiB memory in use."
    )


def lost() -> RuntimeError:
    """Return the error of a card that is gone, of the class that this PyTorch raises."""
    kind: type[RuntimeError] = getattr(torch, "AcceleratorError", RuntimeError)
    return kind(LOST_TEXT)


@dataclass(frozen=True)
class Failure:
    """Where a card fails, once.

    Attributes
    ----------
    at
        ``forward`` of a part of a model, or a function of ``torch.cuda``.
    after
        Calls of it that work before.
    kind
        `OUT_OF_MEMORY`, or `LOST`: then all that is asked of the card later fails as well.
    mark
        A file that is taken away when it fails, and without which nothing fails: of several
        processes one after the other only one is to. Empty for none.
    """

    at: str
    after: int
    kind: str
    mark: str = ""


@dataclass
class RecordedCuda:
    """Answers as the module ``torch.cuda`` does.

    Attributes
    ----------
    cards, failures
        What is here, and what goes wrong.
    notes
        A file that calls are written into, a line each; None for none.
    calls
        What was asked: names, and arguments.
    current
        The number of the card in use; None before there is one.
    watchers
        Called as a function of that name is.
    """

    cards: Sequence[Card]
    failures: Sequence[Failure] = ()
    notes: Path | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    current: int | None = None
    watchers: dict[str, Callable[[], None]] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)
    _fractions: dict[int, float] = field(default_factory=dict)
    _peaks: Counter[int] = field(default_factory=Counter)
    _done: list[Failure] = field(default_factory=list)
    _is_lost: bool = False

    def note(self, name: str, *arguments: Any) -> None:
        """Write a call down, and fail if it is the one."""
        self.calls.append((name, *arguments))
        if self.notes is not None:
            with self.notes.open("a") as file:
                file.write(json.dumps([name, *arguments]) + "\n")
        if name in self.watchers:
            self.watchers[name]()
        self.strike(name)

    def strike(self, name: str) -> None:
        """Fail if this call is the one to."""
        if self._is_lost:
            raise lost()
        seen = self._seen[name]
        self._seen[name] += 1
        for one in self.failures:
            if one.at == name and one.after <= seen and one not in self._done and _takes(one.mark):
                self._done.append(one)
                self._is_lost = one.kind == LOST
                number = self.current or 0
                raise (
                    lost()
                    if self._is_lost
                    else out_of_memory(self.cards[number], self._allowed(number))
                )

    def _allowed(self, number: int) -> float:
        return self._fractions.get(number, 1.0) * self.cards[number].total_bytes

    def take(self, number: int, count: int) -> None:
        """Let a batch of so many images take its memory."""
        needed = count * self.cards[number].image_bytes
        if needed > self._allowed(number):
            raise out_of_memory(self.cards[number], self._allowed(number))
        self._peaks[number] = max(self._peaks[number], needed)

    # -- of torch.cuda --------------------------------------------------------------------

    def get_device_properties(self, number: int) -> SimpleNamespace:
        """Return what the card says of itself."""
        self.note("get_device_properties", number)
        card = self.cards[number]
        return SimpleNamespace(
            name=card.name, total_memory=card.total_bytes, major=card.major, minor=0
        )

    def set_device(self, number: int) -> None:
        """Take a card into use."""
        self.note("set_device", number)
        self.current = number

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        """Say whether the card in use has bfloat16, its own or imitated."""
        self.note("is_bf16_supported", including_emulation)
        # PyTorch imitates it on every card on which it can make such a tensor.
        return including_emulation or self.cards[self.current or 0].major >= 8

    def set_per_process_memory_fraction(self, fraction: float, number: int) -> None:
        """Cap what is taken of a card."""
        self.note("set_per_process_memory_fraction", fraction, number)
        if not 0 <= fraction <= 1:
            raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
        self._fractions[number] = fraction

    def mem_get_info(self, number: int) -> tuple[int, int]:
        """Return what is free, all but 1 GB, and all."""
        self.note("mem_get_info", number)
        total = self.cards[number].total_bytes
        return total - 10**9, total

    def memory_allocated(self, number: int) -> int:
        """Return what tensors take, 100 MB."""
        self.note("memory_allocated", number)
        return 10**8

    def max_memory_reserved(self, number: int) -> int:
        """Return the largest batch since the peak was forgotten."""
        self.note("max_memory_reserved", number)
        return self._peaks[number]

    def max_memory_allocated(self, number: int) -> int:
        """Return the same: a batch fills what is reserved for it."""
        self.note("max_memory_allocated", number)
        return self._peaks[number]

    def reset_peak_memory_stats(self, number: int) -> None:
        """Forget the peak."""
        self.note("reset_peak_memory_stats", number)
        self._peaks[number] = 0

    def empty_cache(self) -> None:
        """Take notice."""
        self.note("empty_cache")

    def synchronize(self, number: int) -> None:
        """Take notice."""
        self.note("synchronize", number)


class RecordedGpu(Gpu):
    """A card whose tensors are on the CPU."""

    backend: ClassVar[str] = "gloo"

    def __init__(self, number: int, cuda: RecordedCuda) -> None:
        super().__init__(number, cuda)
        self.device = CPU
        self.recorded = cuda

    @property
    def generators(self) -> Sequence[torch.device]:
        """Return none: the CPU's numbers are always put back."""
        return ()

    def send(self, tensor: Tensor) -> Tensor:
        """Let the images of a batch take their memory."""
        self.recorded.note("send", list(tensor.shape))
        if tensor.dtype is torch.uint8:
            self.recorded.take(self.number, len(tensor))
        return super().send(tensor)


class RecordedProcessor(Processor):
    """The CPU beside such cards: what is on it is a card's while one is in use."""

    def __init__(self, cuda: RecordedCuda) -> None:
        super().__init__(CPU)
        self._recorded = cuda

    def use(self) -> None:
        """Leave the cards."""
        self._recorded.current = None


class RecordedMachine(Machine):
    """A machine with such cards."""

    def __init__(
        self, *cards: Card, failures: Sequence[Failure] = (), notes: Path | None = None
    ) -> None:
        super().__init__()
        self.cuda = RecordedCuda(cards, failures, notes)
        self._gpus = tuple(RecordedGpu(number, self.cuda) for number in range(len(cards)))
        self._processor = RecordedProcessor(self.cuda)

    @property
    def processor(self) -> Hardware:
        """Return the CPU."""
        return self._processor

    def gpus(self) -> tuple[Hardware, ...]:
        """Return the cards."""
        return self._gpus

    def of(self, device: torch.device) -> Hardware:
        """Return the card in use, since all tensors are on the CPU."""
        number = self.cuda.current
        return self._processor if number is None else self._gpus[number]

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each call of a function."""
        return [tuple(arguments) for called, *arguments in self.cuda.calls if called == name]

    def as_variable(self) -> str:
        """Return it as `VARIABLE` has it."""
        cuda = self.cuda
        return json.dumps(
            {
                "cards": [asdict(one) for one in cuda.cards],
                "failures": [asdict(one) for one in cuda.failures],
                "notes": None if cuda.notes is None else str(cuda.notes),
            }
        )


def machine_from(text: str) -> RecordedMachine:
    """Return the machine of `VARIABLE`."""
    told = json.loads(text)
    return RecordedMachine(
        *(Card(**one) for one in told["cards"]),
        failures=[Failure(**one) for one in told["failures"]],
        notes=None if told["notes"] is None else Path(told["notes"]),
    )


@contextmanager
def standing_in(recorded: RecordedMachine) -> Iterator[RecordedMachine]:
    """Let it be this process's machine until the block ends."""

    def strike(_part: nn.Module, _inputs: Any) -> None:
        if recorded.cuda.current is not None:
            recorded.cuda.strike("forward")

    before, hook = machine.HERE, register_module_forward_pre_hook(strike)
    machine.HERE = recorded
    try:
        yield recorded
    finally:
        machine.HERE = before
        hook.remove()


def _takes(mark: str) -> bool:
    if not mark:
        return True
    try:
        Path(mark).unlink()
    except FileNotFoundError:
        return False
    return True
