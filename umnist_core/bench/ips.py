"""How much sooner the fast path of IPS answers than the plain one, on real Megapixel MNIST.

Both are given the same weights and images, the plain path in the batches of the released code
(16 images, 100 patches of each a round), and timed from the pixels of the images to the logits;
what the fast path spends on finding equal patches counts. They take turns, so that a
disturbance of the machine touches both sides of a ratio.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from umnist_core.bench.spread import median_of, range_of
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import ModelOutput
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patches import HeldPatches, LazyPatches, PatchReader
from umnist_core.pyramid import ArraySource, TileSource
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

BATCH = 16
PRESETS = {50: "megapixel", 800: "megapixel-bezier"}
"""Noise strokes of an image -> preset, both of 1500 x 1500 px."""

SAME_WITHIN = 1e-5

_FITTED_ON = 200


@dataclass(frozen=True)
class IPSFigures:
    """What was measured.

    ``speedup_N`` is the median over the rounds of plain over fast time on images with N noise
    strokes, ``speedup_N_range`` its least and greatest; ``plain_ms_N`` and ``fast_ms_N`` are
    medians for one image. ``distinct_N`` is the share of patches that were encoded by the fast
    path, ``undecided`` the number of images that it did again because scores were too close.
    ``same_predictions`` says that every image kept the same patches, with logits within 1e-5;
    ``largest_difference`` is that of logits.
    """

    weights: str
    images: int
    rounds: int
    threads: int
    speedup_50: float
    speedup_50_range: tuple[float, float]
    speedup_800: float
    speedup_800_range: tuple[float, float]
    plain_ms_50: float
    fast_ms_50: float
    plain_ms_800: float
    fast_ms_800: float
    distinct_50: float
    distinct_800: float
    undecided: int
    same_predictions: bool
    largest_difference: float


@dataclass(frozen=True)
class _Timed:
    """One batch: seconds of each round, (rounds,), and how the outputs compare."""

    plain_s: np.ndarray
    fast_s: np.ndarray
    distinct: float
    undecided: int
    is_same: bool
    difference: float


def bench_ips(
    glyphs: GlyphSet,
    *,
    rounds: int = 5,
    images: int = BATCH,
    threads: int = 2,
    checkpoint: Path | None = None,
    config: IPSConfig | None = None,
) -> IPSFigures:
    """Measure a batch of images with 50 and with 800 noise strokes, on a processor.

    Parameters
    ----------
    glyphs
        Where the digits come from.
    rounds
        How often each path is timed, after one that warms up.
    images
        In the batch; 16 in the released code.
    threads
        Of torch.
    checkpoint
        Of IPS. Where there is none, weights are fresh (seed 0), with batch norms fitted to
        patches of the images.
    config
        Settings of fresh weights; those of Megapixel MNIST by default.

    Raises
    ------
    InvalidValueError
        If the checkpoint is of another model.
    """
    sources = {strokes: _draw(glyphs, preset, images) for strokes, preset in PRESETS.items()}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        if checkpoint is None:
            name, model = "fresh", _make_fresh(config or IPSConfig(), sources[800][0])
        else:
            name, model = checkpoint.stem, _load(checkpoint)
        timed = {strokes: _time_batch(model, batch, rounds) for strokes, batch in sources.items()}
    finally:
        torch.set_num_threads(before)
    return IPSFigures(
        weights=name,
        images=images,
        rounds=rounds,
        threads=threads,
        **_figures(timed[50], 50, images),
        **_figures(timed[800], 800, images),
        undecided=sum(one.undecided for one in timed.values()),
        same_predictions=all(one.is_same for one in timed.values()),
        largest_difference=max(one.difference for one in timed.values()),
    )


def _draw(glyphs: GlyphSet, preset: str, images: int) -> list[TileSource]:
    scenes = (plan_scene(preset, seed=1, index=index, glyphs=glyphs) for index in range(images))
    return [ArraySource(render(scene, glyphs), "nearest") for scene in scenes]


def _make_fresh(config: IPSConfig, source: TileSource) -> IPS:
    """Return a model whose batch norms have seen patches, so embeddings are of a usual size."""
    torch.manual_seed(0)
    model = IPS(config)
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    reader = model.prepare(source)
    places = np.linspace(0, reader.grid.count - 1, min(_FITTED_ON, reader.grid.count))
    with torch.no_grad():
        model.train()._encode(reader.read(places.astype(np.int64)))
    return model.eval()


def _load(checkpoint: Path) -> IPS:
    model, card = load_checkpoint(checkpoint)
    if not isinstance(model, IPS):
        raise InvalidValueError(f"Expected a checkpoint of ips; {checkpoint} is of {card.model}.")
    return model


def _time_batch(model: IPS, sources: Sequence[TileSource], rounds: int) -> _Timed:
    plain = IPS(dataclasses.replace(model.config, fast=False))
    plain.load_state_dict(model.state_dict())
    plain.eval()
    plain_s, fast_s = [], []
    with torch.no_grad():
        for _ in range(rounds + 1):
            start = time.perf_counter()
            wanted = plain(_read_lazily(plain, sources))
            middle = time.perf_counter()
            found = model(model.collate([model.prepare(source) for source in sources]))
            plain_s.append(middle - start)
            fast_s.append(time.perf_counter() - middle)
        batch = model.collate([model.prepare(source) for source in sources])
        mine, theirs = model.select(batch), plain.select(batch)
    difference = _difference(found, wanted)
    is_same = torch.equal(mine.indices.sort().values, theirs.indices.sort().values)
    held = [reader for reader in batch if isinstance(reader, HeldPatches)]
    return _Timed(
        plain_s=np.array(plain_s[1:]),
        fast_s=np.array(fast_s[1:]),
        distinct=float(np.mean([one.distinct_count / one.grid.count for one in held])),
        undecided=int(mine.is_undecided.sum()),
        is_same=is_same and difference <= SAME_WITHIN,
        difference=difference,
    )


def _read_lazily(model: IPS, sources: Sequence[TileSource]) -> tuple[PatchReader, ...]:
    """Return patches that are cut when a round needs them, without looking for equal ones."""
    grids = [model.prepare_grid(source) for source in sources]
    channels = model.config.channels
    readers = [LazyPatches(*both, channels) for both in zip(sources, grids, strict=True)]
    return model.collate(readers)


def _difference(found: ModelOutput, wanted: ModelOutput) -> float:
    """Return the largest difference of two logits."""
    return max(
        float((found.logits[name] - logits).abs().max()) for name, logits in wanted.logits.items()
    )


def _figures(timed: _Timed, strokes: int, images: int) -> dict[str, Any]:
    ratio = timed.plain_s / timed.fast_s  # (rounds,)
    return {
        f"speedup_{strokes}": median_of(ratio, 2),
        f"speedup_{strokes}_range": range_of(ratio, 2),
        f"plain_ms_{strokes}": round(float(np.median(timed.plain_s)) / images * 1e3, 1),
        f"fast_ms_{strokes}": round(float(np.median(timed.fast_s)) / images * 1e3, 1),
        f"distinct_{strokes}": round(timed.distinct, 3),
    }
