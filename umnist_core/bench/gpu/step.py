"""A training step of IPS beside the way in which the authors' code runs it, on the same card.

That way is written anew here from its description (Bergner, Lippert and Mahendran, ICLR 2023,
arXiv 2210.13007, eager loading): the whole batch goes to the card as patches; every patch is
encoded there, I of each image at a time, without gradients and in evaluation mode, and the best M
are remembered; those are encoded again with gradients. It skips nothing. Both have the same
weights, the same patches in the same order, and the same optimiser.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from umnist_core.bench.gpu.agreement import fit_norms
from umnist_core.bench.gpu.figures import CURVES, LINES, OURS, OURS_MIXED, REFERENCE
from umnist_core.bench.gpu.work import Work
from umnist_core.models.base import ModelOutput
from umnist_core.models.ips.cross_attention import mean_score, positions_1d
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patches import PatchReader
from umnist_core.models.targets import collate_targets, scene_targets
from umnist_core.pyramid import scene_source
from umnist_core.training.config import load_config
from umnist_core.training.runs import find_configs

RECIPE = "ips-megapixel-1500"


@dataclass(frozen=True)
class StepBatch:
    """Images of a step.

    Attributes
    ----------
    readers
        As our way takes them.
    patches
        float32 (B, N, C, side, side), 0 to 1, as the reference's takes them.
    targets
        Of the four tasks.
    """

    readers: tuple[PatchReader, ...]
    patches: Tensor
    targets: dict[str, Tensor]


class ReferenceWay:
    """The model, run as the authors' code does in training; it shares our modules.

    Parameters
    ----------
    model
        Whose weights they are.
    """

    def __init__(self, model: IPS) -> None:
        self.model = model

    @torch.no_grad()
    def select(self, patches: Tensor) -> Tensor:
        """Return which patches are remembered, int64 (B, M), of patches on the device."""
        model, count = self.model, patches.shape[1]
        memory, iteration = model.config.memory, model.config.iteration
        modules = (model.encoder, model.attention)
        for module in modules:
            module.eval()
        kept = self._encode(patches[:, :memory])  # (B, M, D)
        indices = torch.arange(memory, device=patches.device).expand(len(patches), -1)  # (B, M)
        for start in range(memory, count, iteration):
            stop = min(start + iteration, count)
            pool = torch.cat([kept, self._encode(patches[:, start:stop])], dim=1)  # (B, M + I, D)
            added = torch.arange(start, stop, device=patches.device).expand(len(patches), -1)
            indices = torch.cat([indices, added], dim=1)  # (B, M + I)
            score = mean_score(model.attention.weigh(self._placed(pool, indices)))  # (B, M + I)
            best = score.topk(memory, dim=1).indices  # (B, M)
            kept = pool.gather(1, best.unsqueeze(2).expand(-1, -1, pool.shape[2]))
            indices = indices.gather(1, best)
        for module in modules:
            module.train()
        return indices

    def forward(self, patches: Tensor) -> ModelOutput:
        """Return logits, with gradients, of patches on the device."""
        model = self.model
        indices = self.select(patches)
        places = indices[:, :, None, None, None].expand(-1, -1, *patches.shape[2:])
        chosen = self._encode(patches.gather(1, places))  # (B, M, D)
        pooled, _ = model.attention(self._placed(chosen, indices))
        names = [task.name for task in model.tasks]
        return ModelOutput({one: model.answers[one](pooled[:, at]) for at, one in enumerate(names)})

    def _encode(self, patches: Tensor) -> Tensor:
        """Encode patches (B, n, C, h, w) in one go to (B, n, D)."""
        values: Tensor = self.model.encoder(patches.flatten(0, 1))
        return values.view(*patches.shape[:2], -1)

    def _placed(self, embeddings: Tensor, indices: Tensor) -> Tensor:
        return embeddings + positions_1d(indices, embeddings.shape[2])


def run(work: Work) -> None:
    """Measure a step on images with 800 curves, and with 50 lines."""
    for preset in (CURVES, LINES):
        work.check_time()
        with work.trying(preset, "step.same_selection"):
            _measure(work, preset)
        work.say(f"{preset}: stepped")


def _measure(work: Work, preset: str) -> None:
    model = make_model(work)
    batch = make_batch(work, model, preset)
    fit_norms(model, batch.readers[:1])
    start = copy.deepcopy(model.state_dict())
    work.hardware.place(model)
    same = same_selection(work, model, batch)
    work.put("step.same_selection", preset, same, images=len(batch.readers))
    times: dict[str, list[float]] = {}
    for way in (REFERENCE, OURS, OURS_MIXED):
        work.check_time()
        key = f"{preset}/{way}"
        with work.trying(key, "step.ms", "step.peak_mib"):
            model.load_state_dict(start)
            times[way] = _time_steps(work, key, _step_of(work, model, batch, way))
    for way in (OURS, OURS_MIXED):
        if times.get(way) and times.get(REFERENCE):
            pairs = zip(times[REFERENCE], times[way], strict=False)
            work.put("step.times_as_fast", f"{preset}/{way}", [one / two for one, two in pairs])


def make_model(work: Work) -> IPS:
    """Return the published model with fresh weights; patches come in the order of the image."""
    sizes, part = work.sizes, load_config(find_configs()[RECIPE]).model
    torch.manual_seed(0)
    config = IPSConfig(**part.settings)
    return IPS(replace(config, memory=sizes.memory, iteration=sizes.iteration, shuffle=False))


def make_batch(work: Work, model: IPS, preset: str) -> StepBatch:
    """Draw the images of a step, and cut them for both ways."""
    sizes = work.sizes
    refs = [sizes.scene(preset, sizes.megapixel_px, index) for index in range(sizes.batch)]
    scenes = [ref.plan(work.glyphs) for ref in refs]
    readers = model.collate([model.prepare(scene_source(one, work.glyphs)) for one in scenes])
    every = np.arange(readers[0].grid.count)
    pixels = torch.from_numpy(np.stack([reader.read(every) for reader in readers]))
    patches = pixels.permute(0, 1, 4, 2, 3).float() / 255  # (B, N, C, h, w)
    if work.hardware.is_fed_from_pinned:
        patches = patches.pin_memory()
    targets = [scene_targets(one, model.tasks, with_digits=False) for one in scenes]
    return StepBatch(readers, patches, collate_targets(targets))


def same_selection(work: Work, model: IPS, batch: StepBatch) -> float:
    """Return the share of the patches of the reference's way that ours keeps as well."""
    theirs = ReferenceWay(model).select(work.hardware.send(batch.patches)).cpu()
    mine = model.train().select(batch.readers).indices.cpu()
    both = [len({*one.tolist()} & {*two.tolist()}) for one, two in zip(mine, theirs, strict=True)]
    return sum(both) / theirs.numel()


def _step_of(work: Work, model: IPS, batch: StepBatch, way: str) -> Callable[[], None]:
    """Return a step of one way, from the batch in the host's memory to new weights."""
    part = load_config(find_configs()[RECIPE]).optimizer
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=part.learning_rate, weight_decay=part.weight_decay
    )
    hardware = work.hardware
    kind = hardware.find_short_type() or torch.bfloat16
    forward: Callable[[], ModelOutput] = lambda: model(batch.readers)  # noqa: E731
    if way == REFERENCE:
        reference = ReferenceWay(model)
        forward = lambda: reference.forward(hardware.send(batch.patches))  # noqa: E731

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with hardware.mixed(kind if way == OURS_MIXED else None):
            targets = {name: hardware.send(one) for name, one in batch.targets.items()}
            loss = model.loss(forward(), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        hardware.wait()

    model.train()
    return step


def _time_steps(work: Work, key: str, step: Callable[[], None]) -> list[float]:
    """Put the time and the memory of a step; return the times of the repeats, in ms."""
    for _ in range(2):
        work.check_time()
        step()
    work.forget_peak()
    taken: list[float] = []
    for _ in work.rounds(min(work.sizes.repeats, 20), 2):
        started = time.perf_counter()
        step()
        taken.append((time.perf_counter() - started) * 1e3)
    work.put("step.ms", key, taken, batch=work.sizes.batch, memory=work.sizes.memory)
    work.put("step.peak_mib", key, work.peak_mib())
    return taken
