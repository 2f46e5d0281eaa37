"""The reference's way of a training step of IPS, beside ours."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.bench.gpu.listening import listen
from umnist_core.bench.gpu import step
from umnist_core.bench.gpu.agreement import fit_norms
from umnist_core.bench.gpu.figures import CURVES, OURS, OURS_MIXED, REFERENCE
from umnist_core.bench.gpu.parts import DONE, PARTS
from umnist_core.bench.gpu.step import ReferenceWay, StepBatch
from umnist_core.bench.gpu.work import Work, run_part
from umnist_core.models.ips.model import IPS
from umnist_core.models.ips.patches import HeldPatches

(PART,) = (part for part in PARTS if part.name == "step")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Return what the part is given on the processor."""
    return listen(tmp_path).work


@pytest.fixture
def made(work: Work) -> tuple[IPS, StepBatch]:
    """Return the model with norms that have seen patches, and images of a step."""
    model = step.make_model(work)
    batch = step.make_batch(work, model, CURVES)
    fit_norms(model, batch.readers[:1])
    return model, batch


def test_both_ways_see_the_same_patches(made: tuple[IPS, StepBatch]) -> None:
    """All of each image, in its order, and more than are remembered."""
    model, batch = made
    images, count = batch.patches.shape[:2]
    assert count > model.config.memory + model.config.iteration
    for image in range(images):
        reader = batch.readers[image]
        assert isinstance(reader, HeldPatches)
        pixels = torch.from_numpy(reader.read(np.arange(count))).permute(0, 3, 1, 2)
        assert torch.equal((batch.patches[image] * 255).round().byte(), pixels)


def test_reference_keeps_what_the_plain_way_keeps(work: Work, made: tuple[IPS, StepBatch]) -> None:
    """Every round over all patches, none skipped; ours skips and keeps the same."""
    model, batch = made
    plain = IPS(replace(model.config, fast=False))
    plain.load_state_dict(model.state_dict())
    wanted = plain.train().select(batch.readers).indices.sort(dim=1).values
    found = ReferenceWay(model).select(batch.patches).sort(dim=1).values
    assert torch.equal(found, wanted)
    assert step.same_selection(work, model, batch) == 1
    assert model.training


def test_reference_learns_what_ours_learns(made: tuple[IPS, StepBatch]) -> None:
    """The same loss and gradients from the same weights, with the same dropout."""
    model, batch = made
    other = copy.deepcopy(model)
    losses = []
    for one, forward in (
        (model, lambda: model.train()(batch.readers)),
        (other, lambda: ReferenceWay(other.train()).forward(batch.patches)),
    ):
        # With 0 and 1 a value lies so close to 0 that one way cuts it and the other does not.
        torch.manual_seed(2)
        loss = one.loss(forward(), batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=2e-3, atol=2e-5)


def test_selection_that_differs_is_seen(
    work: Work, made: tuple[IPS, StepBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A way that kept the first patches whatever they show would not pass for the same."""
    model, batch = made
    memory = model.config.memory
    first = torch.arange(memory).expand(len(batch.readers), -1)
    monkeypatch.setattr(ReferenceWay, "select", lambda _self, _patches: first)
    assert step.same_selection(work, model, batch) < 1


def test_each_way_begins_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one learned is forgotten before the next is timed."""
    begun: list[torch.Tensor] = []
    make = step._step_of

    def watched(work: Work, model: IPS, batch: StepBatch, way: str) -> object:
        begun.append(torch.cat([one.detach().flatten().clone() for one in model.parameters()]))
        return make(work, model, batch, way)

    monkeypatch.setattr(step, "_step_of", watched)
    heard = listen(tmp_path)
    assert run_part(heard.work, PART, 1000)
    assert heard.end()["status"] == DONE
    assert len(begun) == 6
    for one in begun[1:3]:
        assert torch.equal(one, begun[0])
    figures = heard.figures()
    for way in (OURS, OURS_MIXED):
        ratio = figures[f"step.times_as_fast {CURVES}/{way}"]["value"]
        assert ratio > 0
    assert figures[f"step.ms {CURVES}/{REFERENCE}"]["count"] == heard.work.sizes.repeats
