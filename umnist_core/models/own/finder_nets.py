"""The two small nets of the digit finder: one finds places, the other reads glyphs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.own.edge_levels import CHANNELS

STRIDE_PX = 8
"""Level px between two places that the net of places looks at."""

KINDS = 2
"""Digits of 28 to 55 level px, and those of 14 px, which have no level of their own."""

NOTHING = 10
"""Class of a glyph that is none."""

GLYPH_CLASSES = 11

MARGIN_CELLS = 2
"""Cells on each side of a glyph's square that do not count as its own: there is no ink, and
its centre of mass tells the square no better."""


def _block(channels_in: int, channels: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            channels_in, channels, 3, stride, padding=dilation, dilation=dilation, bias=False
        ),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class SpotNet(nn.Module):
    """Says for each place of a level how likely a digit is centred there, where and how large.

    Parameters
    ----------
    width
        Channels of the first block; later ones have two and four times as many.
    """

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _block(CHANNELS, width, 2),
            _block(width, 2 * width, 2),
            _block(2 * width, 2 * width),
            _block(2 * width, 4 * width, 2),
            _block(4 * width, 4 * width),
            _block(4 * width, 4 * width, dilation=2),
        )
        self.head = nn.Conv2d(4 * width, KINDS + 3, 1)

    def forward(self, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Look at windows of a level.

        Parameters
        ----------
        edges
            float (B, 4, H, W) of `level_edges`; H and W are multiples of 8.

        Returns
        -------
        tuple of Tensor
            Logits (B, 2, H/8, W/8) of a digit centred in each 8 x 8 px, of both kinds; and
            (B, 3, H/8, W/8): its centre from the middle of the 8 x 8 px, in 8 px, and the
            natural logarithm of its side over 40 px.
        """
        if edges.ndim != 4 or edges.shape[1] != CHANNELS or any(n % 8 for n in edges.shape[2:]):
            raise InvalidValueError(
                f"Expected edges (B, {CHANNELS}, H, W) with H and W multiples of 8; got "
                f"{tuple(edges.shape)}."
            )
        seen = self.head(self.trunk(edges))  # (B, 4, H, W) -> (B, 5, H/8, W/8)
        return seen[:, :KINDS], seen[:, KINDS:]

    def look_within(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Look at the middle of windows: of `forward` the entries that are 32 px from the border.

        The last layers are reckoned only where they reach the middle.

        Parameters
        ----------
        windows
            float (B, 4, H, W) of `level_edges`, H and W more than 64.

        Returns
        -------
        tuple of Tensor
            Logits (B, 2, (H - 64)/8, (W - 64)/8), and as many shapes, (B, 3, ...).
        """
        *first, last_but_one, last = self.trunk
        seen = windows
        for block in first:
            seen = block(seen)  # (B, 4, H, W) -> (B, C, H/8, W/8)
        seen = _cut(last_but_one(_cut(seen, 1)), 1)  # each layer spoils what it reaches beyond
        seen = self.head(_cut(last(seen), 2))
        return seen[:, :KINDS], seen[:, KINDS:]


def _cut(maps: Tensor, places: int) -> Tensor:
    return maps[..., places:-places, places:-places]


class GlyphNet(nn.Module):
    """Reads a glyph from its ink and from the pixels as they are.

    Parameters
    ----------
    width
        Channels of the first block; the last one has four times as many.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _block(2, width),
            _block(width, 2 * width, 2),
            _block(2 * width, 2 * width),
            _block(2 * width, 3 * width, 2),
            _block(3 * width, 4 * width),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(4 * width * 49, 96),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(96, GLYPH_CLASSES),
        )

    def forward(self, glyphs: Tensor) -> Tensor:
        """Return logits (B, 11) of the ten digits and of nothing.

        Parameters
        ----------
        glyphs
            float (B, 2, 28, 28) of 0 and 1: `Reading.ink` and `Reading.seen`.
        """
        if glyphs.shape[1:] != (2, GLYPH_PX, GLYPH_PX):
            raise InvalidValueError(
                f"Expected glyphs (B, 2, 28, 28): ink and pixels; got {tuple(glyphs.shape)}."
            )
        logits: Tensor = self.head(self.trunk(glyphs))  # (B, 2, 28, 28) -> (B, 96, 7, 7) -> (B, 11)
        return logits


def glyph_input(ink: Tensor, seen: Tensor) -> Tensor:
    """Join ink and pixels, each uint8 (B, 28, 28), to float (B, 2, 28, 28)."""
    return torch.stack([ink, seen], dim=1).float()
