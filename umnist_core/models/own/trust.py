"""How far an answer of our own models can be trusted: its confidence, and what speaks against it.

A model answers for images as it learned from. One that was scaled is scaled back first, and read
as it was made; whatever else is unlike those images is said in a sentence (`Doubt`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import SUM_CLASSES, Doubt, FoundDigit, Model
from umnist_core.models.own.unlike import HALF, USUAL_SIDE_PX, image_doubts
from umnist_core.pyramid import ArraySource, TileSource
from umnist_core.pyramid.levels import as_grey
from umnist_core.pyramid.sources import WHOLE_MAX_PX, HeldScene, SceneSource

TURN_DOUBT = 0.3
"""Digits that may be missing to certainty before an image is tried turned."""

TURN_GAIN = 0.75
"""By how much a turned image must be read better than the upright one (`reading_score`)."""

UNSURE = 0.5
"""An answer of less confidence is as likely wrong as right."""

TURN_WORDS = ("", "a quarter to the left", "upside down", "a quarter to the right")
"""How an image stands that must be turned by so many quarters clockwise to be read."""


@dataclass(frozen=True, kw_only=True)
class SumConfig:
    """What the settings of our own models have in common.

    Attributes
    ----------
    fewest_digits, most_digits
        How many digits an image has; other numbers take plain evidence, and are warned of.
    confidence_slope, confidence_offset, confidence_scaled, confidence_halving, confidence_turned
        Weights of `calibrated`: of the log odds, of every image, of one that was scaled, of each
        halving of it, and of one that was read turned.
    """

    fewest_digits: int = 3
    most_digits: int = 5
    confidence_slope: float = 1.0
    confidence_offset: float = 0.0
    confidence_scaled: float = 0.0
    confidence_halving: float = 0.0
    confidence_turned: float = 0.0

    def check_digits(self, name: str, places: int) -> None:
        """Refuse more digits than a model has places for; ``name`` is of that setting.

        Raises
        ------
        InvalidValueError
            If it has fewer than the most digits, or these are fewer than the fewest.
        """
        if not 0 <= self.fewest_digits <= self.most_digits <= places:
            raise InvalidValueError(
                f"Expected fewest_digits <= most_digits <= {name}, all 0 or more; got "
                f"{self.fewest_digits}, {self.most_digits}, {places}."
            )


@dataclass(frozen=True)
class Readable:
    """An image as it is read.

    Attributes
    ----------
    source
        Of the usual size again if the image was scaled.
    scale
        Px of the source to a px of the image, down and across.
    doubts
        What its pixels say.
    """

    source: TileSource
    scale: tuple[float, float]
    doubts: tuple[Doubt, ...]


def check_holds_a_glyph(source: TileSource, model: str) -> None:
    """Refuse an image that is smaller than a glyph; ``model`` begins the sentence.

    Raises
    ------
    InvalidValueError
        If it is.
    """
    if min(source.height, source.width) < GLYPH_PX:
        raise InvalidValueError(
            f"{model} takes images of {GLYPH_PX} px and more a side; got "
            f"{source.width} x {source.height} px."
        )


def as_readable(source: TileSource) -> Readable:
    """Return an image as it is read: scaled back to the usual size if its edges are grey."""
    doubts = image_doubts(source)
    kinds = {doubt.kind for doubt in doubts}
    if {"canvas", "rescaled"} <= kinds and can_scale_back(source):
        return scaled_back(source, doubts)
    return Readable(black_and_white(source), (1.0, 1.0), doubts)


def black_and_white(source: TileSource) -> TileSource:
    """Return a source whose pixels are 0 or 255 where it can be held; scenes are so by themselves.

    A pixel of a level that lies half on an edge is the mean of black and white, so the least
    noise of a JPEG would decide it, and break long edges of every other level into pieces.
    """
    if isinstance(source, HeldScene | SceneSource) or source.height * source.width > WHOLE_MAX_PX:
        return source
    return ArraySource(_cut(as_grey(source.read_whole())))


def _cut(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(pixels, HALF - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)


def can_scale_back(source: TileSource) -> bool:
    """Return whether an image is a square of another size than the usual that can be held."""
    is_other = source.height == source.width != USUAL_SIDE_PX
    return is_other and source.height * source.width <= WHOLE_MAX_PX


def scaled_back(source: TileSource, doubts: tuple[Doubt, ...]) -> Readable:
    """Return an image at the usual size: where an edge was comes back from its grey."""
    pixels = as_grey(source.read_whole())
    is_smaller = source.height < USUAL_SIDE_PX
    method = cv2.INTER_LINEAR if is_smaller else cv2.INTER_AREA
    side = (USUAL_SIDE_PX, USUAL_SIDE_PX)
    image = np.asarray(cv2.resize(pixels, side, interpolation=method), np.uint8)
    scale = USUAL_SIDE_PX / source.height
    return Readable(ArraySource(_cut(image)), (scale, scale), doubts)


def count_doubts(labels: Sequence[int], fewest: int, most: int) -> tuple[Doubt, ...]:
    """Return what is odd about the digits that were found."""
    count, total = len(labels), sum(labels)
    usual = f"{fewest} to {most} digits" if fewest < most else f"{most} digits"
    if count == 0 < fewest:
        return (Doubt("none-found", f"Expected {usual}; found none."),)
    if not fewest <= count <= most:
        found = f"{count} digit{'' if count == 1 else 's'}"
        return (Doubt("count", f"Expected {usual}; found {found}."),)
    if total >= SUM_CLASSES:
        return (
            Doubt(
                "count",
                f"Expected a sum of at most {SUM_CLASSES - 1}; found digits that add up to "
                f"{total}.",
            ),
        )
    return ()


@contextmanager
def assuming_digits(model: Model, digits: tuple[int, int] | None) -> Iterator[None]:
    """Let a model assume another number of digits until the block ends.

    Parameters
    ----------
    model
        One of our own, which assume 3 to 5.
    digits
        Fewest and most digits of an image; None to leave the model as it is.

    Raises
    ------
    InvalidValueError
        If the model assumes no number, or cannot assume this one.
    """
    if digits is None:
        yield
        return
    usual = model.config
    if not hasattr(usual, "fewest_digits"):
        raise InvalidValueError(
            "Expected a model that assumes a number of digits, such as digit-finder, found one "
            "that does not; leave digits out."
        )
    model.config = replace(usual, fewest_digits=digits[0], most_digits=digits[1])
    try:
        yield
    finally:
        model.config = usual


def turn_doubts(quarters: int) -> tuple[Doubt, ...]:
    """Return the doubt about an image that was read turned; none for an upright one."""
    if quarters == 0:
        return ()
    words = TURN_WORDS[quarters]
    return (Doubt("turned", f"Expected upright digits; found digits that lie {words}."),)


def confidence_doubts(confidence: float) -> tuple[Doubt, ...]:
    """Return the doubt about an answer that is hardly likelier right than wrong."""
    if confidence >= UNSURE:
        return ()
    return (Doubt("unsure", f"The answer is right with a chance of {100 * confidence:.0f} %."),)


def answer_doubts(
    of_pixels: tuple[Doubt, ...],
    found: Sequence[FoundDigit],
    config: SumConfig,
    confidence: float,
    quarters: int = 0,
) -> tuple[Doubt, ...]:
    """Return all that speaks against an answer: what its pixels say, and what was found."""
    labels = [digit.label for digit in found]
    return (
        *of_pixels,
        *count_doubts(labels, config.fewest_digits, config.most_digits),
        *turn_doubts(quarters),
        *confidence_doubts(confidence),
    )


@dataclass(frozen=True)
class HowRead:
    """How an image had to be read: what was lost before it came, and what was guessed.

    Attributes
    ----------
    is_scaled
        Whether its edges are grey, as scaling leaves them.
    halvings
        How often its sides were halved, 0 or more, as far as its size tells.
    is_turned
        Whether its digits were turned to be read.
    """

    is_scaled: bool = False
    halvings: float = 0.0
    is_turned: bool = False

    def numbers(self) -> tuple[float, float, float]:
        """Return what `calibrated` weighs."""
        return float(self.is_scaled), self.halvings, float(self.is_turned)


def how_read(kinds: Collection[str], scale: float) -> HowRead:
    """Return how an image was read, from the kinds of its doubts and its scale."""
    is_scaled = "rescaled" in kinds
    halvings = max(0.0, math.log2(scale)) if is_scaled else 0.0
    return HowRead(is_scaled, halvings, "turned" in kinds)


def calibrated(logits: Tensor, config: SumConfig, read: Sequence[HowRead]) -> Tensor:
    """Return the chance that the likeliest class is right.

    The log odds are stretched and moved (Platt, "Probabilistic outputs for support vector
    machines", 1999), and moved again for what was lost of an image.

    Parameters
    ----------
    logits
        float (B, classes).
    config
        The weights; fitted by `umnist_core.training.own.confidence`.
    read
        How each image was read, B of them.

    Returns
    -------
    Tensor
        float (B,), 0 to 1.
    """
    chance = logits.detach().double().softmax(dim=1).amax(dim=1).clamp(1e-6, 1 - 1e-6)
    lost = torch.tensor([one.numbers() for one in read], dtype=torch.float64).to(chance)  # (B, 3)
    weights = (config.confidence_scaled, config.confidence_halving, config.confidence_turned)
    moved = lost @ torch.tensor(weights, dtype=torch.float64).to(chance)
    odds = config.confidence_slope * chance.logit() + config.confidence_offset + moved
    return torch.sigmoid(odds).float()


def weigh_answers(
    logits: Tensor,
    found: Sequence[Sequence[FoundDigit]],
    config: SumConfig,
    images: Sequence[tuple[tuple[Doubt, ...], float, int]],
) -> tuple[Tensor, tuple[tuple[Doubt, ...], ...]]:
    """Return how sure answers are, and all that speaks against each.

    Parameters
    ----------
    logits
        float (B, classes).
    found
        The digits of each image.
    config
        Of the model.
    images
        For each: what its pixels say, how many px were read to a px of it, and by how many
        quarters its digits had to be turned.

    Returns
    -------
    tuple
        float (B,), 0 to 1, and for each image its doubts.
    """
    read = [
        how_read([doubt.kind for doubt in (*of_pixels, *turn_doubts(quarters))], scale)
        for of_pixels, scale, quarters in images
    ]
    confidence = calibrated(logits, config, read)
    doubts = tuple(
        answer_doubts(of_pixels, digits, config, chance, quarters)
        for (of_pixels, _, quarters), digits, chance in zip(
            images, found, confidence.tolist(), strict=True
        )
    )
    return confidence, doubts


def turned(pictures: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    """Turn pictures, uint8 (..., 28, 28), clockwise by quarters."""
    return np.ascontiguousarray(np.rot90(pictures, -quarters, axes=(-2, -1)))


def reading_certainty(probabilities: Tensor) -> float:
    """Return how many digits are read, each counting by its likeliest class.

    Parameters
    ----------
    probabilities
        float (N, 11) of the ten digits and of nothing, for each place that is kept.
    """
    return float(probabilities[:, :-1].detach().amax(dim=1).sum())


def may_be_turned(probabilities: Tensor, fewest: int) -> bool:
    """Return whether too few digits are read, or too uncertainly, for an upright image."""
    count = int((probabilities[:, -1] <= 0.5).sum())
    return count < fewest or reading_certainty(probabilities) < count - TURN_DOUBT


def find_quarters(readings: Sequence[Tensor]) -> int:
    """Return by how many quarters an image has to be turned clockwise to be read.

    Parameters
    ----------
    readings
        The probabilities that are read upright, and after each quarter.
    """
    scores = [reading_score(one) for one in readings]
    best = int(np.argmax(scores))
    return best if scores[best] >= scores[0] + TURN_GAIN else 0


def reading_score(probabilities: Tensor) -> float:
    """Return how surely digits are read, less what is unsure about every place, in nats.

    Of 24 images of ``released`` turned by 90 degrees the right way had the highest score in 22,
    by `TURN_GAIN` or more over the upright one in 19; of the same 24 upright no other had it.
    """
    unsure = probabilities.detach().amax(dim=1).log().sum()
    return reading_certainty(probabilities) + float(unsure)
