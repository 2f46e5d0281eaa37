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

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, WeightsEnum

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import Model, ModelOutput
from umnist_core.models.ips.cross_attention import CrossAttention, positions_1d
from umnist_core.models.ips.patch_encoders import (
    RESNET18,
    PatchEncoder,
    fold_encoder,
    make_encoder,
    named_backbone,
)
from umnist_core.models.ips.patches import PatchGrid, PatchReader, Pixels, open_patches
from umnist_core.models.ips.regularisation import (
    OutputOfHeads,
    draw_masked,
    flatten_heads,
    head_similarity,
)
from umnist_core.models.ips.resized import read_resized, vary_picture
from umnist_core.models.ips.selection import (
    CachedEmbedder,
    Order,
    PlainEmbedder,
    Selection,
    SelectionTrace,
    count_rounds,
    select_patches,
)
from umnist_core.models.ips.settings import SIMILAR_OUTPUTS, IPSConfig
from umnist_core.models.registry import register_model
from umnist_core.models.views import DigitView, Ends, larger_side, shown_pixels
from umnist_core.pyramid import ArraySource, TileSource

__all__ = ["ATTENTION_KIND", "IPS", "IPSConfig"]

ATTENTION_KIND = "cross-attention over the patches in memory"


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
        # Of an instance: most models see colour or not, this one by its settings.
        vars(self)["sees_colour"] = config.channels == 3
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
            head_answers=config.has_head_answers,
        )
        if self.attention.project_head is not None and not config.head_loss:
            # Nothing learns it then; several processes would wait for its gradient.
            self.attention.project_head.requires_grad_(False)
        if config.frozen_encoder:
            self.encoder.requires_grad_(False)
        self.answers = nn.ModuleDict(
            {task.name: nn.Linear(config.width, task.classes) for task in self.tasks}
        )

    @property
    def backbone(self) -> nn.Module:
        """The encoder under torchvision's names, its weights shared, for published weights."""
        return named_backbone(self.encoder)

    @property
    def backbone_weights(self) -> WeightsEnum | None:
        """Those that torchvision publishes; None of an encoder for which it has none."""
        config = self.config
        is_published = config.encoder == RESNET18 and config.channels == 3
        return ResNet18_Weights.IMAGENET1K_V1 if is_published else None

    @property
    def head_prefixes(self) -> tuple[str, ...]:
        """Names in published weights of what the encoder has not."""
        return "fc.", *(f"layer{stage}." for stage in range(self.config.blocks + 1, 5))

    def prepare(self, source: TileSource) -> PatchReader:
        """Open the patches of an image: small ones are read, of larger ones nothing is.

        Raises
        ------
        InvalidValueError
            If no patch fits.
        TooLargeError
            If it is to be resized, and is too large for that.
        """
        return self._open(source, None)

    def prepare_to_learn(self, source: TileSource, rng: np.random.Generator | None) -> PatchReader:
        """Open them for training: where ``rng`` draws, of an image whose colours and place vary."""
        config = self.config
        return self._open(source, rng if config.jitter or config.shift_px else None)

    def _open(self, source: TileSource, rng: np.random.Generator | None) -> PatchReader:
        config, shown = self.config, (source.height, source.width)
        if config.resized_px or rng is not None:
            pixels = read_resized(source, config.resized_px)
            if rng is not None:
                pixels = vary_picture(pixels, rng, jitter=config.jitter, shift_px=config.shift_px)
            source = ArraySource(pixels, "nearest")
        reader = open_patches(source, self.prepare_grid(source), config.channels)
        reader.shown = shown
        return reader

    def prepare_grid(self, source: TileSource) -> PatchGrid:
        """Return where the patches of an image lie, in px of what it is resized to."""
        config = self.config
        height, width = config.resized_px or (source.height, source.width)
        return PatchGrid(height, width, config.patch_px, config.stride_px, config.edges)

    def view_place(self, batch: Sequence[PatchReader], canvas_box: Ends) -> DigitView | None:
        """Return the patch that most of a place lies in; None where it lies in none."""
        reader = batch[0]
        best = reader.find_patch(canvas_box)
        if best is None:
            return None
        pixels = reader.read(np.array([best]))[0]  # (side, side, C), beyond the image 0
        row0, col0, row1, col1 = reader.shown_boxes(np.array([best]))[0].tolist()
        return DigitView(
            shown_pixels(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels),
            (row0, col0, row1, col1),
            larger_side(canvas_box) * reader.grid.height / reader.shown_size[0],
            f"the patch of {self.config.patch_px} px that most of it is in",
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

    def train(self, mode: bool = True) -> IPS:
        """Change the mode; an encoder that is frozen stays in evaluation."""
        super().train(mode)
        if self.config.frozen_encoder:
            self.encoder.eval()
        return self

    def loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the loss of the answers, and in training what is asked of the heads.

        Parameters
        ----------
        output, targets
            As of `Model.loss`; the mean similarity of heads counts ``head_diversity``, the mean
            loss of the answers of each head ``head_loss``.
        """
        found = super().loss(output, targets)
        if not isinstance(output, OutputOfHeads):
            return found
        if output.similarity is not None:
            found = found + self.config.head_diversity * output.similarity
        if output.head_logits:
            logits, repeated = flatten_heads(output.head_logits, targets)
            found = found + self.config.head_loss * super().loss(ModelOutput(logits), repeated)
        return found

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
        masked = self._draw_masked(len(batch), count) if self.training else None
        modules: tuple[nn.Module, ...] = (self.encoder, self.attention)
        modes = [module.training for module in modules]
        for module in modules:
            module.eval()
        try:
            with torch.no_grad():
                if self.config.fast:
                    return self._select_fast(batch, order, masked, trace)
                embed = PlainEmbedder(batch, self._encode)
                return self._run(embed, len(batch), order, masked, trace)
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.train(mode)

    def _draw_masked(self, images: int, patches: int) -> Tensor | None:
        """Return which patches STKIM masks in each round; None without."""
        config = self.config
        rounds = count_rounds(patches, config.memory, config.iteration)
        if not config.stkim_top or not rounds:
            return None
        drawn = draw_masked(images, rounds, config.stkim_top, config.stkim_share)
        return hardware_of(self.device).send(drawn)

    def _select_fast(
        self,
        batch: Sequence[PatchReader],
        order: Order,
        masked: Tensor | None,
        trace: SelectionTrace | None,
    ) -> Selection:
        """Select with equal patches encoded once, folded; the undecided again without folding."""
        folded = fold_encoder(self.encoder)

        def encode_folded(pixels: Pixels) -> Tensor:
            return self._encode(pixels, folded)

        width, device = self.config.width, self.device
        embed = CachedEmbedder(batch, encode_folded, width, device)
        found = self._run(embed, len(batch), order, masked, trace)
        images = found.is_undecided.nonzero().flatten()
        if len(images):
            again = None if trace is None else SelectionTrace()
            embed = CachedEmbedder([batch[image] for image in images], self._encode, width, device)
            same = None if masked is None else masked[images]
            found.put(images, self._run(embed, len(images), order, same, again))
            if trace is not None and again is not None:
                trace.put(images.cpu(), again)
        return found

    def _run(
        self,
        embed: PlainEmbedder | CachedEmbedder,
        images: int,
        order: Order,
        masked: Tensor | None,
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
            masked=masked,
            trace=trace,
            places=embed.readers[0].shown_places,
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
        if self.config.means:
            means, deviations = (
                hardware.send(torch.tensor(one)).view(1, 3, 1, 1)
                for one in (self.config.means, self.config.deviations)
            )
            scaled = (scaled - means) / deviations
        elif (self.config.mean, self.config.deviation) != (0.0, 1.0):
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
        # A frozen encoder gives in training what it gave during selection.
        is_learned = self.training and not self.config.frozen_encoder
        if is_learned or not self.config.fast:
            places = chosen.indices.cpu().numpy()  # (B, M)
            pixels = [reader.read(row) for reader, row in zip(batch, places, strict=True)]
            embeddings = self._encode(np.concatenate(pixels)).view(*places.shape, -1)  # (B, M, D)
        pooled, weights, heads = self.attention.pool(
            self._with_positions(embeddings, chosen.indices)
        )
        logits = self._answer(pooled)
        if self.training:
            return self._learned_output(logits, weights, heads)
        maps = self._maps(batch, chosen.indices.cpu(), weights.detach().float().cpu())
        rounds = [
            self._maps(batch, one.indices, one.weights.float())
            for one in (trace.rounds if trace is not None else ())
        ]
        return ModelOutput(logits, attention=maps, rounds=tuple(zip(*rounds, strict=True)))

    def _answer(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Return logits (..., classes) by tasks from their embeddings (..., T, D)."""
        return {
            task.name: self.answers[task.name](embeddings[..., place, :])
            for place, task in enumerate(self.tasks)
        }

    def _learned_output(
        self, logits: dict[str, Tensor], weights: Tensor, heads: Tensor
    ) -> OutputOfHeads:
        """Return what the loss takes, from weights (B, H, T, M) and heads (B, H, T, D_v)."""
        config, similarity, head_logits = self.config, None, {}
        if config.head_diversity:
            is_of_outputs = config.diversity_of == SIMILAR_OUTPUTS
            similarity = head_similarity(heads if is_of_outputs else weights)
        if config.head_loss:
            head_logits = self._answer(self.attention.embed_heads(heads))
        return OutputOfHeads(
            logits,
            no_attention="Attention is not kept during training.",
            head_logits=head_logits,
            similarity=similarity,
        )

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
                reader.shown_boxes(row.numpy()),
                *reader.shown_size,
                names,
                ATTENTION_KIND,
            )
            for reader, row, share in zip(batch, indices, shares, strict=True)
        )
