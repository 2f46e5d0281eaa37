"""How large the digits of a study may be, and how many: what is known of all its images at once."""

from __future__ import annotations

from umnist_core.digits import GLYPH_PX
from umnist_core.labeling.factors import cells_of
from umnist_core.labeling.records import StudySpec
from umnist_core.scenes import UltraMnistParameters, get_preset

_PAPER_SIZES_PX = (14, 2128)
_PAPER_COUNTS = (3, 5)
"""What the paper's guided annotators were told of the digits (UltraMNIST, "Human baseline")."""

_PAPER_SIDES_PX = (4000, 4000)
"""Shortest and longest side of the paper's images: those of a folder are taken for such by it."""

_TOLD_OF = ("canvas", "digits", "factor")
"""Parameters by which guided people are told what there is."""


def digit_ranges(
    spec: StudySpec, sides_px: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return smallest and largest side of a digit, px, and fewest and most digits of an image.

    Those that the images are drawn from; of a folder the paper's, if its images have the paper's
    size, and otherwise None: nobody knows.

    Parameters
    ----------
    spec
        Of the study.
    sides_px
        Shortest and longest side of its images.
    """
    preset = None if spec.folder else get_preset(spec.preset)
    if not isinstance(preset, UltraMnistParameters):
        return (_PAPER_SIZES_PX, _PAPER_COUNTS) if sides_px == _PAPER_SIDES_PX else None
    # People are told of all images together, so of those factors alone that this depends on.
    crossed = {name: spec.factors[name] for name in _TOLD_OF if name in spec.factors}
    told = spec.cells if spec.adaptive else cells_of(crossed)
    cells = [preset.with_overrides({**spec.overrides, **cell}) for cell in told]
    smallest = min(round(GLYPH_PX * one.factor.low) for one in cells)
    largest = max(min(round(GLYPH_PX * one.factor.high), one.canvas) for one in cells)
    counts = [one.digits.ints for one in cells]
    return (smallest, largest), (min(low for low, _ in counts), max(high for _, high in counts))
