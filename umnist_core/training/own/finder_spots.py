"""Train the digit finder's net of places, on windows of scenes.

Windows lie about digits, on their own level and those beside it, and wherever else the
finder would look: at corners of cells, tips of triangles, arcs that turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.own.edge_levels import is_dense_level, level_count
from umnist_core.models.own.edge_planes import TILE_PX, WINDOW_PX, box_planes, level_edges
from umnist_core.models.own.finder_nets import STRIDE_PX, SpotNet
from umnist_core.models.own.spots import HALO_PX, busy_tiles
from umnist_core.pyramid import TileSource
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import Scene, plan_scene

FACTORS = ("0.5..75", "0.5..6", "0.5..75", "0.5..1")
"""In turn: small digits are rare in ``released``, and the hardest."""

CROPS_PER_DIGIT = 3
CROPS_PER_ONE = 6
"""A plain 1 has the fewest edges of all digits, and is the one that is not seen most often."""

BLOCKS_PER_LEVEL = 2
BLOCKS_PX = (512, 384, 256, 192)
"""Level px a side, for levels 0 to 3 and above, where a px stands for more to be read."""

NEGATIVES_PER_BLOCK = 4

PLACES = TILE_PX // STRIDE_PX


@dataclass(frozen=True)
class Windows:
    """Windows of scenes with what is there.

    Attributes
    ----------
    edges
        uint8 (N, 4, 128, 128): edges times 255.
    kinds
        int8 (N, 2, 8, 8): 1 where a digit of the kind is centred, 0 where none is, -1 where
        either answer will do.
    shapes
        float32 (N, 3, 8, 8), where a digit is centred.
    """

    edges: NDArray[np.uint8]
    kinds: NDArray[np.int8]
    shapes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.edges)


def draw_windows(glyphs: GlyphSet, seed: int, first: int, last: int) -> Windows:
    """Draw windows of the scenes ``first .. last - 1`` of a seed's training split."""
    rng = np.random.default_rng((seed, first))
    parts = []
    for index in range(first, last):
        overrides = {"factor": FACTORS[index % len(FACTORS)]}
        scene = plan_scene("released", seed, "train", index, glyphs=glyphs, overrides=overrides)
        parts += list(_scene_windows(scene, HeldScene(scene, glyphs), rng))
    edges, kinds, shapes = (np.stack(one) for one in zip(*parts, strict=True))
    return Windows(edges, kinds, shapes)


Window = tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.float32]]


def _scene_windows(scene: Scene, source: TileSource, rng: np.random.Generator) -> list[Window]:
    found = []
    levels = level_count(scene.height, scene.width)
    for digit in scene.digits:
        own = max(0, (digit.side_px // GLYPH_PX).bit_length() - 1)
        centre = (digit.row + digit.side_px / 2, digit.col + digit.side_px / 2)
        beside = min(max(own + int(rng.choice([-1, 1, 2])), 0), levels - 1)
        crops = CROPS_PER_ONE if digit.label == 1 else CROPS_PER_DIGIT
        for level in (*[own] * crops, beside):
            tops = [int(middle / 2**level - rng.uniform(2, TILE_PX - 2)) for middle in centre]
            edges = level_edges(source, level, _window_box(*tops))
            found.append(_window(scene, level, tops[0], tops[1], edges))
    for level in range(levels):
        for _ in range(BLOCKS_PER_LEVEL):
            found += _busy_windows(scene, source, level, rng)
    return found


def _window_box(top: int, left: int) -> Box:
    return Box.from_size(top - HALO_PX, left - HALO_PX, WINDOW_PX, WINDOW_PX)


def _busy_windows(
    scene: Scene, source: TileSource, level: int, rng: np.random.Generator
) -> list[Window]:
    """Return some windows of a random block that the finder would look at."""
    size = reduced_size_px(scene.height, 1 << level)
    side = min(BLOCKS_PX[min(level, 3)], -(-size // TILE_PX) * TILE_PX)
    room = max(1, size - side)
    top, left = (int(n) for n in rng.integers(0, room, 2))
    halo = 2 * HALO_PX
    box = Box.from_size(top - HALO_PX, left - HALO_PX, side + halo, side + halo)
    planes = box_planes(source, level, box)
    busy = busy_tiles(planes.cell_counts(), is_dense=is_dense_level(level))
    edges = planes.edges()
    places = np.argwhere(busy) * TILE_PX
    rng.shuffle(places)
    return [
        _window(
            scene,
            level,
            top + int(down),
            left + int(right),
            edges[:, down : down + WINDOW_PX, right : right + WINDOW_PX],
        )
        for down, right in places[:NEGATIVES_PER_BLOCK]
    ]


def _window(scene: Scene, level: int, top: int, left: int, edges: NDArray[np.float32]) -> Window:
    kinds = np.zeros((2, PLACES, PLACES), np.int8)
    shapes = np.zeros((3, PLACES, PLACES), np.float32)
    for digit in scene.digits:
        side = digit.side_px / 2**level
        row = ((digit.row + digit.side_px / 2) / 2**level - top) / STRIDE_PX
        col = ((digit.col + digit.side_px / 2) / 2**level - left) / STRIDE_PX
        _mark(kinds, shapes, side, row, col, is_half=digit.side_px < GLYPH_PX)
    return (edges * 255).astype(np.uint8), kinds, shapes


def _mark(
    kinds: NDArray[np.int8],
    shapes: NDArray[np.float32],
    side: float,
    row: float,
    col: float,
    *,
    is_half: bool,
) -> None:
    """Mark a digit's centre, given in places, and leave open what is next to it."""
    if not 12 <= side <= 72:
        return
    is_own = is_half if side < GLYPH_PX else side < 2 * GLYPH_PX
    kind = int(is_half)
    rows, cols = np.mgrid[:PLACES, :PLACES] + 0.5
    reach = 1.3 if is_half else 1.8
    near = np.maximum(abs(rows - row), abs(cols - col)) < reach
    if is_half and not is_own:
        return
    if not is_own and not 22 <= side <= 68:
        return
    kinds[kind][near & (kinds[kind] == 0)] = -1
    if not is_own:
        return
    centre = np.maximum(abs(rows - row), abs(cols - col)) <= 0.75
    kinds[kind][centre] = 1
    shapes[0][centre], shapes[1][centre] = (row - rows)[centre], (col - cols)[centre]
    shapes[2][centre] = np.log(side / 40)


def spot_loss(net: SpotNet, edges: Tensor, kinds: Tensor, shapes: Tensor) -> Tensor:
    """Return the loss of a batch: focal cross-entropy of the kinds, and of the shapes' errors.

    Parameters
    ----------
    edges
        float (B, 4, 128, 128).
    kinds, shapes
        As in `Windows`.
    """
    logits, seen = net(edges)  # (B, 2, 16, 16), (B, 3, 16, 16)
    inner = slice(HALO_PX // STRIDE_PX, (HALO_PX + TILE_PX) // STRIDE_PX)
    logits, seen = logits[..., inner, inner], seen[..., inner, inner]
    decided = kinds >= 0
    wanted = (kinds == 1).float()
    each = nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    wrong = (logits.sigmoid() - wanted).abs().detach()
    kind_loss = (each * wrong.square() * decided).sum() / wanted.sum().clamp(min=1)
    is_there = wanted.amax(dim=1, keepdim=True)  # (B, 1, 8, 8)
    errors = nn.functional.smooth_l1_loss(seen, shapes, reduction="none", beta=0.1)
    loss: Tensor = kind_loss + (errors * is_there).sum() / is_there.sum().clamp(min=1)
    return loss


def turn_windows(
    edges: Tensor, kinds: Tensor, shapes: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror a batch at random: an outline stays one, and corners change their kind."""
    for axis in (-2, -1):
        if rng.random() < 0.5:
            edges, kinds, shapes = (one.flip(axis) for one in (edges, kinds, shapes))
            edges = edges[:, [0, 1, 3, 2]]
            sign = torch.ones(3, 1, 1)
            sign[axis + 2] = -1
            shapes = shapes * sign
    if rng.random() < 0.5:
        edges = edges.transpose(-1, -2)[:, [1, 0, 2, 3]]
        kinds, shapes = kinds.transpose(-1, -2), shapes.transpose(-1, -2)[:, [1, 0, 2]]
    return edges, kinds, shapes
