"""Iterative patch selection: keep the M patches of an image that are attended to most.

Bergner, Lippert and Mahendran, ICLR 2023, arXiv 2210.13007, algorithm 1, as their released
code does it: a buffer begins with the first M patches; each round adds the next I, weighs all
of them by cross-attention (softmax over the M + I, mean over heads, then over tasks) and keeps
the best M. Differs from the paper in that patches are read as rounds need them, scores are worked
out in 64 bits, and ties go to the patch that was read first.

The plain way (`PlainEmbedder`) encodes every patch and is the definition. The fast way
(`CachedEmbedder`) skips what is known: equal patches are encoded once, with batch norms folded,
and the embeddings of those that are kept are used again. Folding rounds differently, so where
the last patch that is kept and the first that is not score too close to call, the image is
undecided and is done again with the encoder as it is; equal patches are still encoded once,
which gives the numbers of the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from umnist_core.hardware import hardware_of
from umnist_core.models.ips.cross_attention import mean_score
from umnist_core.models.ips.patches import Indices, PatchReader, Pixels
from umnist_core.models.ips.regularisation import mask_top
from umnist_core.models.progress import Seen, Steps

TIE = 1e-9
TIE_PER_SPREAD = 4e-7
"""Relative difference of two scores below which rounding may decide: the first, and the second
times the spread of the logits of attention. Measured: folding moves two scores apart by at most
1e-7 of them times the spread up to 5, 1.6e-7 at 15 (fresh and scaled weights, both encoders);
scores themselves are worked out in 64 bits, where 32 would add 4e-7."""

CACHE_MAX = 65_536
"""Embeddings that are kept at most: 32 MiB at 128 numbers."""

CPU_AT_ONCE = 32
"""Patches whose feature maps stay in a processor's second cache; measured best of 8 to 1600."""

GPU_AT_ONCE = 2048

TRACE_MAX = 128
"""Rounds of a trace at most; of longer ones every second is left out, again and again."""

Order = Indices | range
"""Patches as they are read, each once; a range takes no memory, however many there are."""

Encode = Callable[[Pixels], Tensor]
"""uint8 (n, side, side, C) -> float (n, D)."""

Weigh = Callable[[Tensor, Tensor], Tensor]
"""Embeddings (B, n, D) and their indices (B, n) -> weights of attention, double (B, H, T, n)."""


@dataclass(frozen=True)
class Embedded:
    """Patches of B images: embeddings (B, n, D), and int64 (B, n) equal for equal patches."""

    values: Tensor
    groups: Tensor


class Embedder(Protocol):
    """From the same patches of every image to embeddings."""

    def __call__(self, indices: Indices) -> Embedded:
        """Embed patches, int64 (n,)."""
        ...


class PlainEmbedder:
    """Encode every patch, all images in one batch.

    Parameters
    ----------
    readers
        B images.
    encode
        The encoder.
    """

    def __init__(self, readers: Sequence[PatchReader], encode: Encode) -> None:
        self.readers, self._encode = readers, encode

    def __call__(self, indices: Indices) -> Embedded:
        """Embed patches; no two count as equal."""
        pixels = np.concatenate([reader.read(indices) for reader in self.readers])
        values = self._encode(pixels)  # (B * n, D)
        shape = (len(self.readers), len(indices))
        groups = torch.arange(values.shape[0], device=values.device).view(shape)  # (B, n)
        return Embedded(values.view(*shape, -1), groups)


class CachedEmbedder:
    """Encode each distinct patch of a batch of images once.

    Parameters
    ----------
    readers
        B images.
    encode
        The encoder, best folded.
    width
        D.
    device
        Of the embeddings.
    """

    def __init__(
        self, readers: Sequence[PatchReader], encode: Encode, width: int, device: torch.device
    ) -> None:
        self.readers, self._encode = readers, encode
        self._at_once = CPU_AT_ONCE if hardware_of(device).is_processor else GPU_AT_ONCE
        self._rows: dict[bytes, int] = {}
        self._table = torch.empty(0, width, device=device)
        self.encoded = 0
        """Patches that were encoded."""

    def __call__(self, indices: Indices) -> Embedded:
        """Embed patches, looking up those that were seen before."""
        keys: list[bytes] = []
        blocks: list[Pixels] = []
        for reader in self.readers:
            pixels = reader.read(indices)
            keys += reader.keys(indices, pixels)
            blocks.append(pixels)
        if len(self._rows) + len(keys) > CACHE_MAX:
            self._rows.clear()
            self._table = self._table[:0]
        self._add_missing(keys, blocks)
        rows = torch.tensor([self._rows[key] for key in keys], device=self._table.device)
        shape = (len(blocks), len(indices))
        names = np.frombuffer(b"".join(keys), np.int64)[::2].copy()  # half of each key
        groups = torch.from_numpy(names).to(self._table.device).view(shape)  # (B, n)
        return Embedded(self._table[rows].view(*shape, -1), groups)

    def _add_missing(self, keys: Sequence[bytes], blocks: Sequence[Pixels]) -> None:
        count = len(blocks[0])
        missing: list[Pixels] = []
        for place, key in enumerate(keys):
            if key not in self._rows:
                self._rows[key] = len(self._rows)
                missing.append(blocks[place // count][place % count])
        parts = [
            self._encode(np.stack(missing[start : start + self._at_once])).float()
            for start in range(0, len(missing), self._at_once)
        ]
        self._table = torch.cat([self._table, *parts])  # (distinct patches, D)
        self.encoded += len(missing)


@dataclass(frozen=True)
class Round:
    """The buffer after a round: indices (B, M), and weights (B, H, T, M) among M + I patches."""

    indices: Tensor
    weights: Tensor


@dataclass
class SelectionTrace:
    """The rounds of a selection, at most `TRACE_MAX` of them, and the last one always."""

    rounds: list[Round] = field(default_factory=list)
    _seen: int = 0
    _step: int = 1

    def add(self, one: Round, is_last: bool) -> None:
        """Keep a round, or leave it out of a long trace."""
        if self._seen % self._step == 0 or is_last:
            self.rounds.append(one)
        self._seen += 1
        if len(self.rounds) > TRACE_MAX and not is_last:
            self.rounds = self.rounds[::2]
            self._step *= 2

    def put(self, images: Tensor, other: SelectionTrace) -> None:
        """Replace the rounds of some images, int64 (n,), by those of another selection."""
        for mine, theirs in zip(self.rounds, other.rounds, strict=True):
            mine.indices[images] = theirs.indices
            mine.weights[images] = theirs.weights


@dataclass(frozen=True)
class Selection:
    """What was kept of B images.

    Attributes
    ----------
    indices
        int64 (B, M), of patches.
    embeddings
        float (B, M, D), without positions.
    is_undecided
        bool (B,), whether rounding could have kept others.
    """

    indices: Tensor
    embeddings: Tensor
    is_undecided: Tensor

    def put(self, images: Tensor, other: Selection) -> None:
        """Replace what was kept of some images, int64 (n,), by another selection of them."""
        self.indices[images] = other.indices
        self.embeddings[images] = other.embeddings


@torch.no_grad()
def select_patches(
    order: Order,
    memory: int,
    iteration: int,
    embed: Embedder,
    weigh: Weigh,
    *,
    equal_is_same: bool,
    masked: Tensor | None = None,
    trace: SelectionTrace | None = None,
    places: Callable[[Indices], Seen] | None = None,
) -> Selection:
    """Run the rounds of the selection for a batch of images.

    Parameters
    ----------
    order
        The N patches as they are read; N is more than ``memory``.
    memory, iteration
        M and I.
    embed, weigh
        As their types say.
    equal_is_same
        Whether it does not matter which of two equal patches is kept: without positions.
    masked
        Of `draw_masked`, for the images and rounds; None to mask none.
    trace
        Where the rounds are written down.
    places
        Where patches of the first image are, for whoever watches: those that a round keeps.
    """
    begin = np.asarray(order[:memory])  # (M,)
    first = embed(begin)
    kept, groups = first.values, first.groups  # (B, M, D), (B, M)
    images = kept.shape[0]
    indices = _as_tensor(begin, images, kept.device)  # (B, M)
    is_undecided = torch.zeros(images, dtype=torch.bool, device=kept.device)
    steps = Steps(count_rounds(len(order), memory, iteration))
    for place, (start, stop) in enumerate(_rounds(len(order), memory, iteration)):
        added = np.asarray(order[start:stop])  # (I,)
        more = embed(added)
        pool = torch.cat([kept, more.values], dim=1)  # (B, M + I, D)
        groups = torch.cat([groups, more.groups], dim=1)  # (B, M + I)
        added_to_all = _as_tensor(added, images, kept.device)  # (B, I)
        indices = torch.cat([indices, added_to_all], dim=1)  # (B, M + I)
        weights = weigh(pool, indices)  # (B, H, T, M + I)
        score = mean_score(weights)  # (B, M + I)
        if masked is not None:
            score = mask_top(score, masked[:, place])
        ranks = score.argsort(dim=1, descending=True, stable=True)  # (B, M + I)
        is_undecided |= _undecided(
            score.gather(1, ranks),
            _tie(weights),
            memory,
            groups.gather(1, ranks) if equal_is_same else None,
        )
        best = ranks[:, :memory]  # (B, M)
        kept = pool.gather(1, best.unsqueeze(2).expand(-1, -1, pool.shape[2]))  # (B, M, D)
        groups, indices = groups.gather(1, best), indices.gather(1, best)
        if trace is not None:
            chosen = best[:, None, None].expand(-1, *weights.shape[1:3], -1)  # (B, H, T, M)
            trace.add(Round(indices.cpu(), weights.gather(3, chosen).cpu()), stop == len(order))
        if places is None:
            steps.step()
        else:
            new = indices[0].cpu().numpy()
            steps.step(seen=places(new[np.isin(new, added)]))
    return Selection(indices, kept, is_undecided)


def count_rounds(count: int, memory: int, iteration: int) -> int:
    """Return how many rounds there are for so many patches; 0 where all fit."""
    return max(0, -(-(count - memory) // iteration))


def _rounds(count: int, memory: int, iteration: int) -> Iterator[tuple[int, int]]:
    """Yield which patches each round adds; the last may add fewer."""
    for start in range(memory, count, iteration):
        yield start, min(start + iteration, count)


def _as_tensor(indices: Indices, images: int, device: torch.device) -> Tensor:
    """Return indices for every image, int64 (B, n)."""
    return torch.from_numpy(indices).to(device).expand(images, -1)


def _tie(weights: Tensor) -> Tensor:
    """Return the relative difference of scores that is too close to call, (B,)."""
    spread = (weights.amax(dim=3) / weights.amin(dim=3).clamp_min(1e-30)).log()  # (B, H, T)
    return TIE + TIE_PER_SPREAD * spread.amax(dim=(1, 2))


def _undecided(ranked: Tensor, tie: Tensor, memory: int, groups: Tensor | None) -> Tensor:
    """Return for which images a patch that is kept and one that is not are too close, (B,).

    Parameters
    ----------
    ranked
        Scores in descending order, (B, M + I).
    tie
        Of `_tie`.
    memory
        M.
    groups
        Of the patches as ranked, (B, M + I), where two of one group do not count.
    """
    last, after = ranked[:, memory - 1], ranked[:, memory]  # (B,)
    is_close = last - after <= tie * last
    if groups is None or not bool(is_close.any()):
        return is_close
    is_near = (ranked - last[:, None]).abs() <= (tie * last)[:, None]  # (B, M + I)
    is_other = groups != groups[:, memory - 1 : memory]  # (B, M + I)
    return is_close & (is_near & is_other).any(dim=1)
