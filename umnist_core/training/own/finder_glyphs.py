"""Train the digit finder's reader of glyphs, on glyphs bent, thresholded and XORed with grounds.

What the finder reads off a staircase is a glyph's ink, exactly where its cells are large; so
most samples are ink alone. The rest is what small digits suffer: outlines of the ground that
run through them, half the pixels (14 px), a place that is off, and no digit at all.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.own.edge_levels import Bits
from umnist_core.models.own.finder_nets import NOTHING, glyph_input
from umnist_core.models.own.staircase import GRID_CELLS, black_margin, recover_ink

THRESHOLDS = (92, 120)
"""Of 150 scenes of ``released``, Otsu's threshold lay between 94 and 118."""

STRAIGHT_SHARE = 0.5
"""Of glyphs that are not bent: those that stand in images are the set's own, cell for cell."""

HALF_SHARE = 0.15
"""Much more than the one in forty of ``released``: with a quarter of the pixels, digits of
14 px are the hardest to tell apart."""

CROSSED_SHARE = 0.15
NOTHING_SHARE = 0.08
MOST_LINES = 5
BUSY_SHARE = 0.2
BUSY_LINES = 24
"""A digit of half the image has that many outlines of the ground in its square."""

BEND_DEG = 9.0
BEND_ZOOM = 0.1
BEND_SHEAR = 0.12


def bend(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Rotate, zoom and shear some glyphs a little, and move all; float (B, C, 28, 28)."""
    batch = len(images)
    bent = rng.random(batch) >= STRAIGHT_SHARE
    angle = np.radians(rng.uniform(-BEND_DEG, BEND_DEG, batch)) * bent
    zoom = np.exp(rng.uniform(-BEND_ZOOM, BEND_ZOOM, (batch, 2)) * bent[:, None])
    shear = rng.uniform(-BEND_SHEAR, BEND_SHEAR, batch) * bent
    cos, sin = np.cos(angle), np.sin(angle)
    theta = np.zeros((batch, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = cos * zoom[:, 0], (-sin + shear) * zoom[:, 0]
    theta[:, 1, 0], theta[:, 1, 1] = sin * zoom[:, 1], cos * zoom[:, 1]
    shift = np.rint(rng.normal(0, 0.6, (batch, 2))).clip(-2, 2)
    theta[:, :, 2] = shift * 2 / GLYPH_PX
    grid = nn.functional.affine_grid(
        torch.from_numpy(theta), list(images.shape), align_corners=False
    )
    moved: Tensor = nn.functional.grid_sample(
        images, grid, align_corners=False, padding_mode="zeros"
    )
    return moved


def random_grounds(
    batch: int, size: int, lines: NDArray[np.int64], rng: np.random.Generator
) -> Bits:
    """Return black-and-white grounds of half-planes; uint8 (B, size, size) of 0 and 1.

    Parameters
    ----------
    lines
        int (B,): how many outlines run through each.
    """
    rows, cols = np.mgrid[:size, :size] - (size - 1) / 2
    grounds = (rng.random(batch) < 0.5).astype(np.uint8)[:, None, None]
    grounds = np.broadcast_to(grounds, (batch, size, size)).copy()
    for number in range(int(lines.max(initial=0))):
        angle = rng.uniform(0, 2 * math.pi, batch)
        offset = rng.uniform(-0.6, 0.6, batch) * GLYPH_PX
        crossed = np.flatnonzero(number < lines)
        angle, offset = angle[crossed, None, None], offset[crossed, None, None]
        grounds[crossed] ^= np.cos(angle) * rows + np.sin(angle) * cols > offset
    return grounds


def read_crossed(pictures: Bits) -> Bits:
    """Recover ink as the finder does from cells of one px; uint8 (B, N, N), same shape."""
    between_rows = (pictures[:, 1:] ^ pictures[:, :-1]).astype(np.float32)
    between_cols = (pictures[:, :, 1:] ^ pictures[:, :, :-1]).astype(np.float32)
    return recover_ink(between_rows, between_cols)


def draw_glyph_batch(
    glyphs: GlyphSet, chosen: NDArray[np.int64], rng: np.random.Generator, *, plain: bool = False
) -> tuple[Tensor, Tensor]:
    """Draw what the reader sees of glyphs.

    Parameters
    ----------
    glyphs, chosen
        Which glyphs of which set.
    rng
        For everything that is drawn.
    plain
        Neither bent nor crossed nor nothing: for validation.

    Returns
    -------
    tuple of Tensor
        float (B, 2, 28, 28), and classes int64 (B,), 10 for nothing.
    """
    batch = len(chosen)
    images = torch.from_numpy(glyphs.images[chosen].astype(np.float32))
    labels = glyphs.labels[chosen].astype(np.int64)
    images = images if plain else bend(images[:, None], rng)[:, 0]
    thresholds = rng.integers(*THRESHOLDS, batch)[:, None, None]
    ink = (images.numpy() > thresholds).astype(np.uint8)
    if plain:
        return glyph_input(torch.from_numpy(ink), torch.from_numpy(ink)), torch.from_numpy(labels)
    _halve(ink, rng)
    _spoil(ink, labels, rng)
    pad = (GRID_CELLS - GLYPH_PX) // 2
    is_crossed = rng.random(batch) < CROSSED_SHARE
    most = np.where(rng.random(batch) < BUSY_SHARE, BUSY_LINES, MOST_LINES)
    lines = np.where(is_crossed, rng.integers(1, 3, batch), rng.integers(0, most))
    grounds = random_grounds(batch, GRID_CELLS, lines, rng)
    wide = np.pad(ink, ((0, 0), (pad, pad), (pad, pad))) ^ grounds
    inner = slice(pad, pad + GLYPH_PX)
    ink[is_crossed] = read_crossed(wide[is_crossed])[:, inner, inner]
    seen = black_margin(np.ascontiguousarray(wide[:, inner, inner]))
    return glyph_input(torch.from_numpy(ink), torch.from_numpy(seen)), torch.from_numpy(labels)


def _halve(ink: Bits, rng: np.random.Generator) -> None:
    """Keep every second pixel of some, as digits of 14 px do, each two by two cells."""
    half = np.flatnonzero(rng.random(len(ink)) < HALF_SHARE)
    kept = np.repeat(np.repeat(ink[half, ::2, ::2], 2, axis=1), 2, axis=2)
    ink[half] = kept


def _spoil(ink: Bits, labels: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Make some of them nothing: empty, far off their place, too large, or two pieces."""
    spoilt = np.flatnonzero(rng.random(len(ink)) < NOTHING_SHARE)
    labels[spoilt] = NOTHING
    for place in spoilt:
        kind = rng.integers(4)
        glyph = ink[place].copy()
        if kind == 0:
            glyph[:] = 0
        elif kind == 1:
            moved = rng.integers(9, 20) * rng.choice([-1, 1])
            glyph = np.roll(glyph, moved, axis=int(rng.integers(2)))
        elif kind == 2:
            row, col = rng.integers(0, GLYPH_PX // 2, 2)
            part = glyph[row : row + GLYPH_PX // 2, col : col + GLYPH_PX // 2]
            glyph = np.repeat(np.repeat(part, 2, axis=0), 2, axis=1)
        else:
            glyph = (rng.random((GLYPH_PX, GLYPH_PX)) < rng.uniform(0.02, 0.4)).astype(np.uint8)
        ink[place] = glyph
