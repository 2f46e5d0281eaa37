"""What IPS may be trained with against overfitting: unlike heads, heads that answer, STKIM.

Riffi-Aslett and Fell, arXiv 2412.11237, section 5, by their released code; after Zhang et al.,
"Attention-Challenging Multiple Instance Learning", arXiv 2311.07125. Differs from the code in that
patches are masked in training alone (there in tests, too), and that one draw of dropout serves the
answer and those of the heads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from umnist_core.models.base import ModelOutput


@dataclass(frozen=True)
class OutputOfHeads(ModelOutput):
    """What a model gives in training, with what its loss asks of its heads.

    Attributes
    ----------
    head_logits
        Task name -> float (B, H, classes); empty without answers of heads.
    similarity
        Of `head_similarity`, float (); None where it is not asked for.
    """

    head_logits: dict[str, Tensor] = field(default_factory=dict)
    similarity: Tensor | None = None


def head_similarity(heads: Tensor) -> Tensor:
    """Return the mean cosine similarity of two heads, over pairs and images, float (), -1 to 1.

    Parameters
    ----------
    heads
        float (B, H, ...), with two heads or more.
    """
    one = nn.functional.normalize(heads.flatten(2).float(), dim=2)  # (B, H, n)
    cosines = one @ one.transpose(1, 2)  # (B, H, H)
    count = heads.shape[1]
    rows, cols = torch.triu_indices(count, count, 1, device=heads.device)
    return cosines[:, rows, cols].mean()


def flatten_heads(
    logits: dict[str, Tensor], targets: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return logits of heads (B, H, classes) and targets as those of B * H images."""
    repeated = {
        name: targets[name].repeat_interleave(value.shape[1], dim=0)
        for name, value in logits.items()
    }
    return {name: value.flatten(0, 1) for name, value in logits.items()}, repeated


def draw_masked(images: int, rounds: int, top: int, share: float) -> Tensor:
    """Draw which of the patches that score highest are masked, bool (images, rounds, top), CPU."""
    return torch.rand(images, rounds, top) < share


def mask_top(scores: Tensor, is_masked: Tensor) -> Tensor:
    """Return scores with some of the highest set to 0.

    Parameters
    ----------
    scores
        0 or more, (B, n).
    is_masked
        Whether the highest is, the second, and so on, bool (B, K); more than n count for nothing.
    """
    top = min(is_masked.shape[1], scores.shape[1])
    places = scores.argsort(dim=1, descending=True, stable=True)[:, :top]  # (B, top)
    kept = scores.gather(1, places).masked_fill(is_masked[:, :top], 0)
    return scores.scatter(1, places, kept)
