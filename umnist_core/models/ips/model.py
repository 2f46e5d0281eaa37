"""IPS: look at all patches of an image, remember the few that matter, answer from those.

Bergner, Lippert and Mahendran, "Iterative Patch Selection for High-Resolution Image
Recognition", ICLR 2023, arXiv 2210.13007; settings for Megapixel MNIST as Riffi-Aslett and
Fell, arXiv 2412.11237. As the released code: selection without gradients and in evaluation
mode, fixed positions in one dimension, the chosen patches encoded again for the gradient.

Differs from the paper in that an image of any size is taken, patches being read as they are
needed; rows and columns that fill no whole patch are padded, not dropped; logits are returned,
so the loss is cross-entropy without the original's 1e-6; patches are shuffled in training only;
and outside training `fast` skips what is known (`umnist_core.models.ips.selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import (
    MEGAPIXEL_TASKS,
    NEEDLE_TASK,
    SUM_TASK,
    Model,
    ModelOutput,
    Task,
)
from umnist_core.models.ips.cross_attention import CrossAttention, positions_1d
from umnist_core.models.ips.patch_encoders import PatchEncoder, fold_encoder, make_encoder
from umnist_core.models.ips.patches import EDGES, PatchGrid, PatchReader, Pixels, open_patches
from umnist_core.models.ips.selection import (
    CachedEmbedder,
    Order,
    PlainEmbedder,
    Selection,
    SelectionTrace,
    select_patches,
)
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

ATTENTION_KIND = "cross-attention over the patches in memory"

_KNOWN_TASKS = {task.name: task for task in (SUM_TASK, NEEDLE_TASK, *MEGAPIXEL_TASKS)}

_AT_LEAST_1 = (
    "patch_px",
    "width",
    "memory",
    "iteration",
    "heads",
    "key_width",
    "value_width",
    "inner_width",
)


@dataclass(frozen=True)
class IPSConfig:
    """Settings of `IPS`; the defaults are those of Megapixel MNIST.

    Attributes
    ----------
    patch_px, stride_px, edges
        As of `PatchGrid`; they and the image give N.
    channels
        1 for grey, 3 for RGB.
    encoder, blocks, width
        As of `make_encoder`; ``width`` is D, even where there are positions.
    memory, iteration
        M and I: patches that are remembered, and that each round adds.
    heads, key_width, value_width, inner_width
        H, D_k, D_v and D_inner.
    positions
        Whether the place of a patch is added to its embedding.
    tasks
        ``"sum"``, ``"majority"``, ``"max"``, ``"top"``, ``"multi"``, or a new one as
        ``"name:classes"`` or ``"name:classes:multi"``.
    shuffle
        Whether patches are read in random order in training, alike for the whole batch.
    attention_dropout, dropout
        In training, 0 to 1.
    mean, deviation
        Subtracted from pixels of 0 to 1, and what they are then divided by.
    fast
        Whether outside training known work is skipped; the outputs are the same.
    mixed
        Whether a GPU encodes in 16 bits; outputs then differ by rounding.
    """

    patch_px: int = 50
    stride_px: int = 50
    edges: str = "pad"
    channels: int = 1
    encoder: str = "resnet18"
    blocks: int = 2
    width: int = 128
    memory: int = 100
    iteration: int = 100
    heads: int = 8
    key_width: int = 16
    value_width: int = 16
    inner_width: int = 512
    positions: bool = True
    tasks: tuple[str, ...] = tuple(task.name for task in MEGAPIXEL_TASKS)
    shuffle: bool = True
    attention_dropout: float = 0.1
    dropout: float = 0.1
    mean: float = 0.0
    deviation: float = 1.0
    fast: bool = True
    mixed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))  # JSON and TOML give lists
        for name in _AT_LEAST_1:
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name} is 1 or more; got {getattr(self, name)}.")
        if self.channels not in (1, 3):
            raise InvalidValueError(f"channels is 1 or 3; got {self.channels}.")
        if self.edges not in EDGES or not 1 <= self.stride_px <= self.patch_px:
            PatchGrid(self.patch_px, self.patch_px, self.patch_px, self.stride_px, self.edges)
        if self.positions and self.width % 2:
            raise InvalidValueError(f"With positions width is even; got {self.width}.")
        if not self.deviation > 0:
            raise InvalidValueError(f"deviation is more than 0; got {self.deviation}.")
        self.parsed_tasks()

    def parsed_tasks(self) -> tuple[Task, ...]:
        """Return the tasks.

        Raises
        ------
        InvalidValueError
            If there is none, one twice, or one that says no number of classes.
        """
        tasks = tuple(_KNOWN_TASKS.get(text) or _parse_task(text) for text in self.tasks)
        if not tasks or len({task.name for task in tasks}) < len(tasks):
            raise InvalidValueError(
                f"Expected one task or more, each once; got {', '.join(self.tasks) or 'none'}."
            )
        return tasks


def _parse_task(text: str) -> Task:
    name, *rest = text.split(":")
    if not name.isidentifier() or not rest or not rest[0].isdigit() or int(rest[0]) < 1:
        raise InvalidValueError(
            f"A task is one of {', '.join(_KNOWN_TASKS)}, or name:classes, or name:classes:multi; "
            f"got {text[:60]!r}."
        )
    if rest[1:] not in ([], ["multi"]):
        raise InvalidValueError(f"After its classes a task says multi or nothing; got {text!r}.")
    return Task(name, int(rest[0]), is_multi=len(rest) == 2)


@register_model("ips", IPSConfig)
class IPS(Model):
    """Iterative patch selection; a batch is a tuple of `PatchReader` of images of one size.

    Parameters
    ----------
    config
        Its settings.
    """

    paper = "Bergner, Lippert, Mahendran 2023, arXiv 2210.13007"
    config: IPSConfig

    def __init__(self, config: IPSConfig) -> None:
        super().__init__()
        self.config = config
        self.tasks = config.parsed_tasks()
        self.encoder = make_encoder(config.encoder, config.channels, config.blocks, config.width)
        self.attention = CrossAttention(
            tasks=len(self.tasks),
            width=config.width,
            heads=config.heads,
            key_width=config.key_width,
            value_width=config.value_width,
            inner_width=config.inner_width,
            attention_dropout=config.attention_dropout,
            dropout=config.dropout,
        )
        self.answers = nn.ModuleDict(
            {task.name: nn.Linear(config.width, task.classes) for task in self.tasks}
        )

    def prepare(self, source: TileSource) -> PatchReader:
        """Open the patches of an image: small ones are read, of larger ones nothing is.

        Raises
        ------
        InvalidValueError
            If no patch fits.
        """
        return open_patches(source, self.prepare_grid(source), self.config.channels)

    def prepare_grid(self, source: TileSource) -> PatchGrid:
        """Return where the patches of an image lie."""
        config = self.config
        return PatchGrid(
            source.height, source.width, config.patch_px, config.stride_px, config.edges
        )

    def collate(self, prepared: Sequence[PatchReader]) -> tuple[PatchReader, ...]:
        """Join images of one size.

        Raises
        ------
        InvalidValueError
            If there is none, or they differ in size.
        """
        if len({reader.grid for reader in prepared}) != 1:
            sizes = sorted({f"{one.grid.width} x {one.grid.height}" for one in prepared})
            raise InvalidValueError(
                f"Expected images of one size in a batch; got {', '.join(sizes) or 'none'} px."
            )
        return tuple(prepared)

    def forward(self, batch: Sequence[PatchReader]) -> ModelOutput:
        """Return logits, and outside training the attention over the patches in memory.

        Parameters
        ----------
        batch
            Of `collate`. Outside training and with ``fast``, no gradient reaches the encoder.
        """
        return self._look(batch, None)

    def attend(self, batch: Sequence[PatchReader]) -> ModelOutput:
        """Return logits and attention as in evaluation, and the rounds of the selection."""
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                return self._look(batch, SelectionTrace())
        finally:
            self.train(was_training)

    def select(
        self, batch: Sequence[PatchReader], trace: SelectionTrace | None = None
    ) -> Selection:
        """Return which patches the model remembers, without gradients, in evaluation mode.

        Parameters
        ----------
        batch
            Of `collate`.
        trace
            Where the rounds are written down.
        """
        self.collate(batch)
        count = batch[0].grid.count
        order: Order = range(count)
        if self.config.shuffle and self.training and count > self.config.memory:
            order = torch.randperm(count).numpy()
        modules: tuple[nn.Module, ...] = (self.encoder, self.attention)
        modes = [module.training for module in modules]
        for module in modules:
            module.eval()
        try:
            with torch.no_grad():
                if self.config.fast:
                    return self._select_fast(batch, order, trace)
                return self._run(PlainEmbedder(batch, self._encode), len(batch), order, trace)
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.train(mode)

    def _select_fast(
        self, batch: Sequence[PatchReader], order: Order, trace: SelectionTrace | None
    ) -> Selection:
        """Select with equal patches encoded once, folded; the undecided again without folding."""
        folded = fold_encoder(self.encoder)

        def encode_folded(pixels: Pixels) -> Tensor:
            return self._encode(pixels, folded)

        width, device = self.config.width, self.device
        embed = CachedEmbedder(batch, encode_folded, width, device)
        found = self._run(embed, len(batch), order, trace)
        images = found.is_undecided.nonzero().flatten()
        if len(images):
            again = None if trace is None else SelectionTrace()
            embed = CachedEmbedder([batch[image] for image in images], self._encode, width, device)
            found.put(images, self._run(embed, len(images), order, again))
            if trace is not None and again is not None:
                trace.put(images.cpu(), again)
        return found

    def _run(
        self,
        embed: PlainEmbedder | CachedEmbedder,
        images: int,
        order: Order,
        trace: SelectionTrace | None,
    ) -> Selection:
        config = self.config
        if config.memory >= len(order):  # all fit: nothing is selected
            every = np.asarray(order)  # (N,)
            indices = torch.from_numpy(every).to(self.device).repeat(images, 1)  # (B, N)
            is_undecided = torch.zeros(images, dtype=torch.bool, device=self.device)
            return Selection(indices, embed(every).values, is_undecided)
        return select_patches(
            order,
            config.memory,
            config.iteration,
            embed,
            self._weigh,
            equal_is_same=not config.positions,
            trace=trace,
        )

    def _weigh(self, embeddings: Tensor, indices: Tensor) -> Tensor:
        # In 64 bits, so that rounding of the sums hardly ever decides between two patches.
        return self.attention.weigh(self._with_positions(embeddings.double(), indices))

    def _with_positions(self, embeddings: Tensor, indices: Tensor) -> Tensor:
        """Add the places of patches, (B, n), to their embeddings, (B, n, D)."""
        if not self.config.positions:
            return embeddings
        return embeddings + positions_1d(indices, self.config.width)

    def _encode(self, pixels: Pixels, encoder: PatchEncoder | None = None) -> Tensor:
        """Encode patches, uint8 (n, side, side, C), to float (n, D)."""
        hardware = hardware_of(self.device)
        patches = hardware.send(torch.from_numpy(pixels)).permute(0, 3, 1, 2)  # (n, C, h, w)
        scaled = patches.float() / 255
        if (self.config.mean, self.config.deviation) != (0.0, 1.0):
            scaled = (scaled - self.config.mean) / self.config.deviation
        if encoder is None:
            encoder, scaled = self.encoder, scaled.contiguous()
        if not self.config.mixed or hardware.is_processor:
            return encoder(scaled)  # type: ignore[no-any-return]
        with hardware.mixed(torch.float16):
            embeddings: Tensor = encoder(scaled)
        return embeddings.float()

    def _look(self, batch: Sequence[PatchReader], trace: SelectionTrace | None) -> ModelOutput:
        chosen = self.select(batch, trace)
        embeddings = chosen.embeddings
        if self.training or not self.config.fast:
            places = chosen.indices.cpu().numpy()  # (B, M)
            pixels = [reader.read(row) for reader, row in zip(batch, places, strict=True)]
            embeddings = self._encode(np.concatenate(pixels)).view(*places.shape, -1)  # (B, M, D)
        pooled, weights = self.attention(self._with_positions(embeddings, chosen.indices))
        logits = {
            task.name: self.answers[task.name](pooled[:, place])  # (B, classes)
            for place, task in enumerate(self.tasks)
        }
        if self.training:
            return ModelOutput(logits, no_attention="Attention is not kept during training.")
        maps = self._maps(batch, chosen.indices.cpu(), weights.detach().float().cpu())
        rounds = [
            self._maps(batch, one.indices, one.weights.float())
            for one in (trace.rounds if trace is not None else ())
        ]
        return ModelOutput(logits, attention=maps, rounds=tuple(zip(*rounds, strict=True)))

    def _maps(
        self, batch: Sequence[PatchReader], indices: Tensor, weights: Tensor
    ) -> tuple[AttentionMap, ...]:
        """Return a map for each image from indices (B, M) and weights (B, H, T, M)."""
        by_task = weights.transpose(1, 2)  # (B, T, H, M)
        shares = by_task / by_task.sum(dim=3, keepdim=True).clamp_min(1e-30)  # sum to 1
        names = tuple(task.name for task in self.tasks)
        return tuple(
            AttentionMap(
                share.numpy(),
                reader.grid.boxes(row.numpy()),
                reader.grid.height,
                reader.grid.width,
                names,
                ATTENTION_KIND,
            )
            for reader, row, share in zip(batch, indices, shares, strict=True)
        )
