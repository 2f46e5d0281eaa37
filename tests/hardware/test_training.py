"""Runs on recorded cards: budgets, precision, which card, and what a failure leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, distributed
from torch.utils.data._utils.pin_memory import pin_memory

from tests.hardware.recorded import (
    LOST,
    OF_11_GB,
    OF_80_GB,
    OUT_OF_MEMORY,
    Card,
    Failure,
    RecordedMachine,
    standing_in,
)
from tests.training.tiny import course_in, stopping_before, tiny_config, tiny_dict
from umnist_core.bench.ports import free_port
from umnist_core.cli import root
from umnist_core.errors import DeviceLostError, InvalidValueError, TooLargeError
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.reduced import ReducedBatch
from umnist_core.training.config import OptimizerPart, config_from
from umnist_core.training.course import Phase, run_course
from umnist_core.training.distributed import joined_group
from umnist_core.training.loop import train
from umnist_core.training.state import STATE_FILE, find_progress

FIRST, SECOND = "NVIDIA GeForce RTX 2080 Ti, 11 GiB", "NVIDIA A100-SXM4-80GB, 79 GiB"

PARTS = 5
"""Parts of the tiny model, each with a forward pass, the model itself included."""

STEPS = 5
"""Of an epoch of it."""


def _on_gpu(**run: Any) -> dict[str, Any]:
    return tiny_dict(**{"device": "cuda", "save_minutes": 0.0, **run})


def _weights(path: Path) -> dict[str, Tensor]:
    return load_checkpoint(path)[0].state_dict()


def _assert_same_bits(left: Path, right: Path) -> None:
    ours, theirs = _weights(left), _weights(right)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def _after(step: int) -> int:
    """Return how many parts have run in the middle of a step, after an epoch's validation."""
    epochs = step // STEPS
    return (step + epochs) * (PARTS + 1) + 2


# -- failures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "sentence"),
    [
        (
            OUT_OF_MEMORY,
            TooLargeError,
            f"A step of 8 images does not fit into the memory of this device ({SECOND}); free some "
            "there, raise run.accumulate in another folder, or search with `umnist train "
            "--memory-budget`; {} holds where it was at epoch 2, step 2, and the same command goes "
            "on from there.",
        ),
        (
            LOST,
            DeviceLostError,
            f"Expected cuda:0 ({SECOND}) to go on, found that it no longer computes (CUDA error: "
            "unspecified launch failure); {} holds where it was at epoch 2, step 2, and the same "
            "command goes on from there, or choose another device.",
        ),
    ],
    ids=["memory", "lost"],
)
def test_run_whose_card_fails_in_a_step_says_what_is_saved_and_goes_on(
    tmp_path: Path, kind: str, error: type[Exception], sentence: str
) -> None:
    """Nothing is half written, and the same command ends with the bits of a run that was not."""
    config, out = config_from(_on_gpu(epochs=2)), tmp_path / "run"
    failing = RecordedMachine(OF_80_GB, failures=[Failure("forward", _after(7), kind)])
    with standing_in(failing), pytest.raises(error) as raised:
        train(config, out)
    assert str(raised.value) == sentence.format(out / STATE_FILE)
    kinds = {one.suffix for one in out.iterdir() if one.is_file()}
    assert kinds == {".safetensors", ".json", ".csv"}
    load_checkpoint(out / "best.safetensors")
    progress = find_progress(out / STATE_FILE)
    assert progress is not None
    assert (progress.epoch, progress.step) == (1, 2)
    with standing_in(RecordedMachine(OF_80_GB)):
        resumed = train(config, out)
        whole = train(config, tmp_path / "whole")
    _assert_same_bits(resumed.last, whole.last)
    _assert_same_bits(whole.last, train(tiny_config(epochs=2), tmp_path / "cpu").last)


@pytest.mark.parametrize(("at", "after"), [("forward", 3), ("send", 1), ("max_memory_reserved", 0)])
def test_card_that_is_lost_before_anything_was_saved_is_said(
    tmp_path: Path, at: str, after: int
) -> None:
    """In the first step, before it, and between its epoch and the saving of that."""
    failing = RecordedMachine(OF_80_GB, failures=[Failure(at, after, LOST)])
    with (
        standing_in(failing),
        pytest.raises(DeviceLostError, match="nothing was saved yet, so the same command begins"),
    ):
        train(config_from(_on_gpu(save_minutes=10.0)), tmp_path)
    assert not (tmp_path / STATE_FILE).exists()


def test_card_that_does_not_answer_at_all_is_said(tmp_path: Path) -> None:
    """Before anything is made in the folder; its name is not known then."""
    failing = RecordedMachine(OF_80_GB, failures=[Failure("get_device_properties", 0, LOST)])
    with standing_in(failing), pytest.raises(DeviceLostError, match=r"cuda:0 \(unknown GPU\)"):
        train(config_from(_on_gpu()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_phase_of_our_own_whose_card_fails_says_so_too(tmp_path: Path) -> None:
    """Its state has its own name; no settings of batches are advised that it does not have."""
    net = torch.nn.Linear(4, 1)
    phase = Phase(
        name="spots",
        net=net,
        steps=6,
        draw=lambda now, part: (torch.full((2, 4), float(now.step + part)),),
        loss_of=lambda net, drawn: net(drawn).square().mean(),
        rate_at=lambda now: 0.1,
        optimizer=OptimizerPart("adam", 0.1, 0.0),
    )
    failing = RecordedMachine(OF_80_GB, failures=[Failure("forward", 8, OUT_OF_MEMORY)])
    with standing_in(failing), joined_group("cuda"), pytest.raises(TooLargeError) as raised:
        run_course(course_in(tmp_path), [phase])
    assert str(raised.value) == (
        f"A step of spots does not fit into the memory of this device ({SECOND}); free some there, "
        f"or set run.device to cpu; {tmp_path / 'spots.safetensors'} holds where it was at step 4, "
        "and the same command goes on from there."
    )


def test_evaluation_that_runs_out_of_memory_is_one_sentence(tmp_path: Path) -> None:
    """The command exits with 1, and says what to choose."""
    failing = RecordedMachine(OF_11_GB, failures=[Failure("forward", 3, OUT_OF_MEMORY)])
    command = ["evaluate", "additive-pyramid", "--count", "1", "--set", "canvas=300"]
    with standing_in(failing):
        done = CliRunner().invoke(root, [*command, "--set", "factor=1..2"])
    assert done.exit_code == 1, done.output
    assert str(done.exception) == (
        f"A batch of 16 does not fit into the memory of this device ({FIRST}); free some there, or "
        "choose a smaller --batch-size or --device cpu; the same command tries again."
    )


# -- budgets --------------------------------------------------------------------------


def _budgeted(**run: Any) -> dict[str, Any]:
    return _on_gpu(epochs=1, batch_size=0, memory_budget="11GB", **run)


def test_budget_caps_the_card_and_the_search_fills_it(tmp_path: Path) -> None:
    """11 GB of a card of 80: the share is asked for, and a batch is as large as fits below it."""
    card = Card(OF_80_GB.name, OF_80_GB.total_bytes, OF_80_GB.major, image_bytes=5 * 10**8)
    with standing_in(RecordedMachine(card)) as recorded:
        result = train(config_from(_budgeted()), tmp_path)
    assert recorded.called("set_per_process_memory_fraction") == [(11e9 / card.total_bytes, 0)]
    assert result.batch_size == 22  # x 0.5 GB, of 40 images
    assert result.rows[-1]["peak_bytes"] <= 11 * 10**9
    assert len(recorded.called("empty_cache")) >= 2


def test_step_that_no_budget_holds_is_said(tmp_path: Path) -> None:
    """Where not one image fits: what a step needs at least, and what there is."""
    card = Card(OF_80_GB.name, OF_80_GB.total_bytes, OF_80_GB.major, image_bytes=12 * 10**9)
    with standing_in(RecordedMachine(card)), pytest.raises(TooLargeError) as raised:
        train(config_from(_budgeted()), tmp_path)
    assert "budget of 11.00 GB" in str(raised.value)
    assert "choose a smaller image size or model, or a larger budget" in str(raised.value)
    assert " 0.0 MB more" not in str(raised.value)


def test_step_beyond_the_budget_that_was_set_is_said(tmp_path: Path) -> None:
    """One that was set by hand is not searched for; it fails as on a card of the budget."""
    card = Card(OF_80_GB.name, OF_80_GB.total_bytes, OF_80_GB.major, image_bytes=2 * 10**9)
    config = config_from(_on_gpu(memory_budget="11GB"))
    with standing_in(RecordedMachine(card)), pytest.raises(TooLargeError) as raised:
        train(config, tmp_path / "capped")
    assert str(raised.value).startswith("A step of 8 images does not fit into the memory of 11GB;")
    config = config_from(_on_gpu(epochs=1))
    with standing_in(RecordedMachine(card)):
        assert len(train(config, tmp_path / "whole").rows) == 1


def test_budget_beyond_the_card_is_refused(tmp_path: Path) -> None:
    """By what the card has."""
    with (
        standing_in(RecordedMachine(OF_11_GB)),
        pytest.raises(TooLargeError, match=r"24\.00 GB needs .* found 11\.55 GB \(NVIDIA GeForce"),
    ):
        train(config_from(_on_gpu(memory_budget="24GB")), tmp_path)


# -- precision ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "precision"), [(OF_11_GB, "torch.float16"), (OF_80_GB, "torch.bfloat16")]
)
def test_mixed_run_is_in_what_the_card_multiplies_and_goes_on_to_the_same_bits(
    tmp_path: Path, card: Card, precision: str
) -> None:
    """Float16 with scaled gradients, whose scale is part of the state; bfloat16 with none."""
    config = config_from(_on_gpu(precision="mixed", epochs=1))
    with standing_in(RecordedMachine(card)) as recorded:
        whole = train(config, tmp_path / "whole")
        with stopping_before(3), pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "stopped")
        text = (tmp_path / "stopped" / STATE_FILE).read_bytes()
        assert (b'\\"scale\\"' in text) is (card is OF_11_GB)
        resumed = train(config, tmp_path / "stopped")
    _assert_same_bits(resumed.last, whole.last)
    told = json.loads((tmp_path / "whole/run.json").read_text())
    assert (told["precision"], told["hardware"]) == (precision, recorded.gpus()[0].description)
    card_of_run = load_checkpoint(whole.last)[1]
    assert card_of_run.hardware == recorded.gpus()[0].description
    with standing_in(RecordedMachine(card)):
        plain = train(config_from(_on_gpu(epochs=1)), tmp_path / "plain")
    ours, theirs = _weights(whole.last), _weights(plain.last)
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


# -- which card -----------------------------------------------------------------------


def test_run_takes_the_first_card_and_the_cpu_if_it_is_told_to(tmp_path: Path) -> None:
    """Auto is a GPU where there is one; where there is none, asking for one is refused."""
    with standing_in(RecordedMachine(OF_11_GB, OF_80_GB)) as recorded:
        for device, title in (("auto", FIRST), ("cuda", FIRST)):
            train(config_from(_on_gpu(device=device, epochs=1)), tmp_path / device)
            assert json.loads((tmp_path / device / "run.json").read_text())["hardware"] == title
        assert set(recorded.called("set_device")) == {(0,)}
        recorded.cuda.calls.clear()
        train(config_from(_on_gpu(device="cpu", epochs=1)), tmp_path / "cpu")
        assert recorded.cuda.calls == []
    with standing_in(RecordedMachine()), pytest.raises(InvalidValueError, match="auto or cpu"):
        train(config_from(_on_gpu()), tmp_path / "none")


def test_process_of_torchrun_takes_the_card_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that has none says how many there are."""
    told = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "1", "TORCHELASTIC_RUN_ID": "one"}
    told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with standing_in(RecordedMachine(OF_11_GB, OF_80_GB)), joined_group("auto") as group:
        assert group.hardware.key == "cuda:1"
        assert (distributed.get_backend(), group.world) == ("gloo", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with (
        standing_in(RecordedMachine(OF_11_GB, OF_80_GB)),
        pytest.raises(InvalidValueError, match=r"2 GPUs .* --nproc-per-node to 2 or less"),
        joined_group("cuda"),
    ):
        pass


# -- copies ---------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_that_processes_read_are_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """The loader is asked to, and PyTorch says that it cannot where no GPU is; else it is not."""
    config = _on_gpu(epochs=1)
    config["data"]["workers"] = workers
    asked: list[bool] = []
    loader = torch.utils.data.DataLoader

    class Noting(loader):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments: Any, pin_memory: bool, **settings: Any) -> None:
            asked.append(pin_memory)
            super().__init__(*arguments, **settings)

    monkeypatch.setattr("umnist_core.training.data.DataLoader", Noting)
    with standing_in(RecordedMachine(OF_80_GB)):
        train(config_from(config), tmp_path / "gpu")
    assert set(asked) == {workers > 0}
    asked.clear()
    train(config_from({**config, "run": {**config["run"], "device": "cpu"}}), tmp_path / "cpu")
    assert set(asked) == {False}


def test_batch_is_pinned_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's loader asks a batch of ours to do it itself; what is no tensor stays."""
    batch = ReducedBatch(torch.zeros(1, 8, 8, dtype=torch.uint8), ((8, 9),))
    # Without a GPU PyTorch has no such memory.
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor, *_: tensor + 1)
    pinned, targets = pin_memory(  # type: ignore[no-untyped-call]
        (batch, {"sum": torch.zeros(1)})
    )
    assert isinstance(pinned, ReducedBatch)
    assert (int(pinned.pixels.min()), targets["sum"].tolist()) == (1, [1])
    assert pinned.sizes == ((8, 9),)
