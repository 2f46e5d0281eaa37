"""The exact ink of a scene's digits, as attention is compared with it."""

from __future__ import annotations

from umnist_core.attention import DigitMask
from umnist_core.digits import GlyphSet
from umnist_core.rendering.render import digit_mask
from umnist_core.scenes import Scene


def digit_masks(scene: Scene, glyphs: GlyphSet) -> list[DigitMask]:
    """Return the exact ink of each digit of a scene, for `umnist_core.attention.compare`.

    Raises
    ------
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    return [
        DigitMask(digit.row, digit.col, digit_mask(scene, glyphs, place))
        for place, digit in enumerate(scene.digits)
    ]
