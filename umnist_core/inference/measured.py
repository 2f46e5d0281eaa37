"""How each warning is measured, in words for people. No torch."""

from __future__ import annotations

from collections.abc import Mapping

MEASURED: Mapping[str, str] = {
    "none-found": "Every place that the model looked at was given less than even odds of a digit.",
    "count": "The digits that the model found are counted and added up.",
    "canvas": "Height and width of the image are compared with those of the images that the model "
    "learned from, which its card names. By itself this is no fault.",
    "rescaled": "Up to fifteen windows of 256 px are read at full resolution, nine on a grid and "
    "six where most edges are. Of 100 px at edges five or more are halfway between black and "
    "white.",
    "turned": "The digits are read upright and turned by each quarter; turned they are read much "
    "better.",
    "photograph": "Up to fifteen windows of 256 px are read at full resolution and divided into "
    "blocks of 8 px. A quarter or more of the blocks are neither black nor white and hold no edge.",
    "unsure": "The model's confidence is below one half.",
    "no-digits": "The image is generated, so what is in it is known.",
    "blank": "Every pixel of the image was read.",
    "colour": "Nine windows of 256 px on a grid are read at full resolution. Of 100 px five or "
    "more have channels that differ by more than 24 of 255.",
    "ground": "Nine windows of 256 px on a grid are read at full resolution. Fewer than three "
    "quarters of their px are dark, at most 24 of 255; of generated images of this kind nine in "
    "ten are. Of a generated image it is known what it is drawn as.",
}
"""Kind of a warning, of `umnist_core.models.base.DOUBTS` and ``IMAGE_DOUBTS``, -> a sentence or
two."""
