"""Cross-attention of learned queries, one for each task, over the embeddings of patches.

Bergner, Lippert and Mahendran, "Iterative Patch Selection for High-Resolution Image
Recognition", ICLR 2023, arXiv 2210.13007: the module that scores patches during selection is
the one that pools them in the end. As the released code, not the paper's drawing: one layer,
residual to the queries, layer norm after each part, positions in one dimension. Differs in
that the weights are returned, never read off a layer.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError

_NORM_EPSILON = 1e-6


def positions_1d(indices: Tensor, width: int) -> Tensor:
    """Return sines and cosines of positions in a sequence, of wavelengths 2 pi to 20,000 pi.

    Computed for the positions that are asked for, so no table grows with the image.

    Parameters
    ----------
    indices
        int64 (...), below 2**24, from where 32-bit floats skip numbers.
    width
        D, even.

    Returns
    -------
    Tensor
        float32 (..., width), sine and cosine alternating.
    """
    evens = torch.arange(0, width, 2, dtype=torch.float32, device=indices.device)
    rates = torch.exp(evens * -(math.log(10_000.0) / width))  # (D / 2,)
    angles = indices.unsqueeze(-1).float() * rates  # (..., D / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (..., D)


class CrossAttention(nn.Module):
    """Pool the embeddings of patches into one embedding for each task.

    Parameters
    ----------
    tasks
        T, learned queries.
    width
        D, of embeddings.
    heads
        H.
    key_width, value_width
        D_k and D_v, of a head.
    inner_width
        D_inner, of the hidden layer.
    attention_dropout, dropout
        Of weights of attention, and of what each part adds; in training.
    head_answers
        Whether there is a projection, the same for all heads, by which each gives embeddings of
        its own (Riffi-Aslett and Fell, arXiv 2412.11237); it is not on the way to the answer.
    """

    def __init__(
        self,
        *,
        tasks: int,
        width: int,
        heads: int,
        key_width: int,
        value_width: int,
        inner_width: int,
        attention_dropout: float,
        dropout: float,
        head_answers: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.queries = nn.Parameter(torch.empty(1, tasks, width))
        bound = math.sqrt(1 / key_width)
        nn.init.uniform_(self.queries, -bound, bound)
        self.to_query = nn.Linear(width, heads * key_width, bias=False)
        self.to_key = nn.Linear(width, heads * key_width, bias=False)
        self.to_value = nn.Linear(width, heads * value_width, bias=False)
        self.join = nn.Linear(heads * value_width, width, bias=False)
        self.join_norm = nn.LayerNorm(width, eps=_NORM_EPSILON)
        self.inner = nn.Linear(width, inner_width)
        self.outer = nn.Linear(inner_width, width)
        self.outer_norm = nn.LayerNorm(width, eps=_NORM_EPSILON)
        self.attention_dropout = nn.Dropout(attention_dropout)
        self.dropout = nn.Dropout(dropout)
        # Last, so that the weights of the others are drawn as without it.
        self.project_head = nn.Linear(value_width, width, bias=False) if head_answers else None

    def weigh(self, patches: Tensor) -> Tensor:
        """Return the weights of attention, softmax over the patches, in the patches' precision.

        Parameters
        ----------
        patches
            float or double (B, n, D), with their positions added.

        Returns
        -------
        Tensor
            (B, H, T, n), of the same type.

        Raises
        ------
        InvalidValueError
            If the shape is another.
        """
        width = self.queries.shape[2]
        if patches.ndim != 3 or patches.shape[2] != width:
            raise InvalidValueError(
                f"Expected embeddings (images, patches, {width}); got {tuple(patches.shape)}."
            )
        precision = patches.dtype
        queries = self.to_query(self.queries).to(precision)  # (1, T, H * D_k)
        keys = nn.functional.linear(patches, self.to_key.weight.to(precision))  # (B, n, H * D_k)
        query, key = self._split(queries), self._split(keys)  # (1, H, T, D_k), (B, H, n, D_k)
        logits = (query / query.shape[3] ** 0.5) @ key.transpose(2, 3)  # (B, H, T, n)
        weights: Tensor = self.attention_dropout(logits.softmax(dim=-1))
        return weights

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Pool patches.

        Parameters
        ----------
        patches
            As of `weigh`.

        Returns
        -------
        tuple of Tensor
            Embeddings of the tasks (B, T, D), and the weights (B, H, T, n).
        """
        embeddings, weights, _ = self.pool(patches)
        return embeddings, weights

    def pool(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` does, and what each head gives before they are joined.

        Returns
        -------
        tuple of Tensor
            As of `forward`, and (B, H, T, D_v).
        """
        weights = self.weigh(patches)
        heads = weights @ self._split(self.to_value(patches))  # (B, H, T, D_v)
        pooled = heads.transpose(1, 2).flatten(2)  # (B, T, H * D_v)
        joined = self.join_norm(self.dropout(self.join(pooled)) + self.queries)  # (B, T, D)
        return self._refine(joined), weights, heads

    def embed_heads(self, heads: Tensor) -> Tensor:
        """Return embeddings of the tasks by each head alone, (B, H, T, D), from (B, H, T, D_v).

        Raises
        ------
        InvalidValueError
            If the model was made without.
        """
        if self.project_head is None:
            raise InvalidValueError(
                "Expected heads that answer alone, found a model without; set head_answers."
            )
        return self._refine(self.project_head(heads))

    def _refine(self, embeddings: Tensor) -> Tensor:
        inner = self.dropout(self.outer(self.inner(embeddings).relu()))  # (..., D)
        refined: Tensor = self.outer_norm(inner + embeddings)
        return refined

    def _split(self, joined: Tensor) -> Tensor:
        """Return (B, n, H * d) as (B, H, n, d)."""
        images, items, _ = joined.shape
        return joined.view(images, items, self.heads, -1).transpose(1, 2)


def mean_score(weights: Tensor) -> Tensor:
    """Return the score of each patch, float (B, n): mean over heads, then over tasks.

    Parameters
    ----------
    weights
        float (B, H, T, n).
    """
    return weights.mean(dim=1).transpose(1, 2).mean(dim=-1)
