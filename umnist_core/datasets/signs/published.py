"""What is published of the Swedish traffic signs, and what a file says beside it.

Counts: Katharopoulos and Fleuret (ICML 2019) and the logs of Riffi-Aslett and Fell
(arXiv 2412.11237), whose text gives 744, 372 and 184 images for 100, 50 and 25 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from umnist_core.datasets.signs.filters import (
    ATS,
    FIRST,
    SIGN_FILTERS,
    choose_images,
    count_classes,
    image_class,
)
from umnist_core.datasets.signs.grammar import SignedImage

RAW_COUNTS: Mapping[int, int] = MappingProxyType({1: 1970, 2: 1807})
"""Lines of the annotations of each set."""

COUNTS: Mapping[tuple[int, float], tuple[int, int, int, int]] = MappingProxyType(
    {
        (1, 1.0): (486, 79, 123, 59),
        (2, 1.0): (451, 86, 83, 64),
        (1, 0.5): (243, 39, 61, 29),
        (2, 0.5): (225, 43, 41, 32),
        (1, 0.25): (121, 19, 30, 14),
        (2, 0.25): (112, 21, 20, 16),
    }
)
"""Images of each class by set and share, as the codes and their logs have them."""


def set_notes(
    shown: str, number: int | None, images: Sequence[SignedImage], empty: int = 0
) -> Iterator[str]:
    """Yield what an annotation file has, beside what is published of its set.

    Parameters
    ----------
    shown
        What the file is called.
    number
        Of the set; None where that is not known.
    images
        What its lines say.
    empty
        How many of them have no row in a table.
    """
    raw = RAW_COUNTS.get(number or 0)
    names = f"{shown} names {_images(len(images))}"
    yield f"{names}; published are {raw} of Set{number}." if raw else f"{names}."
    if empty:
        yield (
            f"{_images(empty)} {'has' if empty == 1 else 'have'} no row in {shown}, which "
            "is taken to mean EMPTY, since such exports leave out images without signs."
        )
    classes = {name: [image_class(image, name) for image in images] for name in SIGN_FILTERS}
    for name, found in classes.items():
        yield f"The filter {name} keeps {_beside(found, number, 1.0)}."
    differing = sum(len(set(both)) > 1 for both in zip(*classes.values(), strict=True))
    if differing:
        yield f"The filters differ in the class of {differing} of them."
    for share in (0.5, 0.25):
        places = choose_images(classes[ATS], FIRST, share)
        part = [classes[ATS][place] for place in places]
        yield f"The first {share:.0%} of each class are {_beside(part, number, share)}."


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _beside(classes: Sequence[int | None], number: int | None, share: float) -> str:
    counts = count_classes(classes)
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    words = f"{sum(counts.values())} ({listed})"
    published = COUNTS.get((number or 0, share))
    if published is None:
        return words
    if tuple(counts.values()) == published:
        return f"{words}, as published"
    return f"{words}; published are {sum(published)} ({', '.join(map(str, published))})"
