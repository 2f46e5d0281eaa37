"""Predictions on recorded cards: which card, and what happens when it fails."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from tests.hardware.recorded import (
    LOST,
    OF_11_GB,
    OF_80_GB,
    OUT_OF_MEMORY,
    Failure,
    RecordedMachine,
    standing_in,
)
from tests.inference.images import IPS, MEGAPIXEL, ask, save_small
from umnist_core.errors import DeviceLostError, OutOfMemoryError
from umnist_core.inference.prediction import Prediction
from umnist_core.inference.predictor import Predictor

FIRST, OTHER = "digit-finder", "additive-pyramid"


@pytest.fixture(scope="module")
def on_the_cpu() -> Prediction:
    """Predict without any card."""
    return Predictor("cpu").predict(ask(FIRST))


def _assert_same(found: Prediction, expected: Prediction) -> None:
    assert found.tasks == expected.tasks
    assert found.found == expected.found


def test_card_is_chosen_by_name_and_only_it_is_asked(on_the_cpu: Prediction) -> None:
    """Each of two predictors uses its own, in turns; the answers are the model's."""
    with standing_in(RecordedMachine(OF_11_GB, OF_80_GB)) as recorded:
        first, second = Predictor("auto"), Predictor("cuda:1")
        for predictor, number in ((second, 1), (first, 0), (second, 1)):
            recorded.cuda.calls.clear()
            found = predictor.predict(ask(FIRST))
            _assert_same(found, on_the_cpu)
            assert found.device == predictor.hardware.title
            assert recorded.called("set_device") == [(number,)]
            assert recorded.called("reset_peak_memory_stats") == [(number,)]
            assert recorded.called("max_memory_reserved") == [(number,)]
        assert "A100" in found.device


@pytest.fixture(scope="module")
def middle() -> int:
    """Return how many parts of the model have run in the middle of a prediction."""
    seen: list[nn.Module] = []
    hook = register_module_forward_hook(lambda part, *_: seen.append(part))
    try:
        Predictor("cpu").predict(ask(FIRST))
    finally:
        hook.remove()
    return len(seen) // 2


def test_out_of_memory_drops_the_models_and_tries_once_more_alone(
    on_the_cpu: Prediction, middle: int
) -> None:
    """What the first try had computed is free when the second begins; its answer is the same."""
    failure = Failure("forward", middle, OUT_OF_MEMORY)
    with standing_in(RecordedMachine(OF_80_GB, failures=[failure])) as recorded:
        predictor = Predictor("cuda:0")
        predictor.load(OTHER)
        alive: list[weakref.ref[Tensor]] = []
        left: list[int] = []

        def keep(_part: nn.Module, _inputs: object, output: object) -> None:
            if len(alive) < middle - 1:
                alive.extend([weakref.ref(output)] if isinstance(output, Tensor) else [])

        hook = register_module_forward_hook(keep)
        recorded.cuda.watchers["empty_cache"] = lambda: left.append(
            sum(one() is not None for one in alive)
        )
        try:
            found = predictor.predict(ask(FIRST))
        finally:
            hook.remove()
        _assert_same(found, on_the_cpu)
        assert predictor.loaded == (FIRST,)
        assert len(alive) > 0
        assert left == [0]


def test_out_of_memory_again_is_one_sentence_and_the_next_request_is_answered(
    on_the_cpu: Prediction, middle: int
) -> None:
    """Alone it was tried once, and no more; nothing stays loaded."""
    failures = [Failure("forward", count, OUT_OF_MEMORY) for count in (middle, middle + 1)]
    with standing_in(RecordedMachine(OF_11_GB, failures=failures)) as recorded:
        predictor = Predictor("cuda:0")
        predictor.load(OTHER)
        with pytest.raises(OutOfMemoryError) as raised:
            predictor.predict(ask(FIRST))
        assert str(raised.value) == (
            "Expected enough memory for running digit-finder on an image of 600 x 600 px, found "
            "that NVIDIA GeForce RTX 2080 Ti, 11 GiB has too little free; choose the CPU, or a "
            "smaller image or model."
        )
        assert predictor.loaded == ()
        assert len(recorded.called("empty_cache")) == 2
        _assert_same(predictor.predict(ask(FIRST)), on_the_cpu)


def test_card_that_disappears_is_one_sentence_and_is_asked_nothing_more(middle: int) -> None:
    """The card is named although it can be asked no more."""
    failure = Failure("forward", middle, LOST)
    with standing_in(RecordedMachine(OF_80_GB, failures=[failure])) as recorded:
        predictor = Predictor("cuda:0")
        predictor.load(OTHER)
        with pytest.raises(DeviceLostError) as raised:
            predictor.predict(ask(FIRST))
        assert str(raised.value) == (
            "Expected cuda:0 (NVIDIA A100-SXM4-80GB, 79 GiB) to answer, found that it no longer "
            "computes (CUDA error: unspecified launch failure); ask again, which begins anew with "
            "it, or choose another device."
        )
        assert recorded.called("empty_cache") == []


@pytest.mark.parametrize("at", ["set_device", "reset_peak_memory_stats", "max_memory_reserved"])
def test_card_that_is_lost_wherever_it_is_asked_is_said(at: str) -> None:
    """A failure is told at whatever is asked next, not where it was."""
    with standing_in(RecordedMachine(OF_80_GB, failures=[Failure(at, 0, LOST)])):
        predictor = Predictor("cuda:0")
        with pytest.raises(DeviceLostError, match="no longer computes"):
            predictor.predict(ask(OTHER))


def test_where_a_cap_leaves_little_only_the_model_in_use_is_kept() -> None:
    """However much of the card is free for others."""
    with standing_in(RecordedMachine(OF_80_GB)):
        predictor = Predictor("cuda:0")
        predictor.load(OTHER)
        predictor.load(FIRST)
        before = predictor.loaded
        predictor.hardware.cap(10**9)
        predictor.load(OTHER)
        assert [before, predictor.loaded] == [(OTHER, FIRST), (OTHER,)]


def test_ips_encodes_in_16_bits_on_a_card_alone(tmp_path: Path) -> None:
    """With its setting ``mixed``: float16 inside of the encoder, 32 bits outside."""
    path = save_small(tmp_path, "ips", **IPS, mixed=True)
    kinds: set[torch.dtype] = set()

    def note(part: nn.Module, _inputs: object, output: Tensor) -> None:
        if isinstance(part, nn.Conv2d):
            kinds.add(output.dtype)

    hook = register_module_forward_hook(note)
    try:
        plain = Predictor("cpu").predict(ask(path, MEGAPIXEL))
        assert kinds == {torch.float32}
        kinds.clear()
        with standing_in(RecordedMachine(OF_11_GB)):
            found = Predictor("cuda:0").predict(ask(path, MEGAPIXEL))
        assert kinds == {torch.float16}
    finally:
        hook.remove()
    assert found.attention is not None
    for one, other in zip(found.tasks, plain.tasks, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-2)
