"""Which images of the Swedish traffic signs are used, and of which of four classes they are.

Both published filters keep the same images: those without any sign that was drawn (``EMPTY``),
and those in which at least one 50, 70 or 80 is visible. They differ where several are: ATS takes
the largest (Katharopoulos and Fleuret, "Processing Megapixel Images with Deep Attention-Sampling
Models", ICML 2019; IPS follows it), Google's differentiable top-k the first of the line
(Cordonnier et al., "Differentiable Patch Selection for Image Recognition", CVPR 2021).

The subsets are those of Riffi-Aslett and Fell (arXiv 2412.11237), whose text and code differ;
see `SUBSETS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from umnist_core.datasets.signs.grammar import VISIBILITIES, Sign, SignedImage
from umnist_core.errors import InvalidValueError
from umnist_core.seeds import sample_rng

LIMITS = ("50_SIGN", "70_SIGN", "80_SIGN")
CLASS_NAMES = ("EMPTY", *LIMITS)

ATS, GOOGLE = "ats", "google"

ALL, FIRST, RANDOM = "all", "first", "random"
SUBSETS = (ALL, FIRST, RANDOM)
"""All; the first of each class in the order of the file, ``int(count * share)`` of them, as the
code does and the published counts are (184 and 372 of 747; the same for every seed, the test set
cut as well); or drawn by a seed, as many in all, half of them ``EMPTY`` and a sixth of each limit,
as the text says. A class that has fewer gives all that it has, and the others the rest: of 372
images of Set1 a sixth would be 62, and there are 59 of 80."""

_SHARES = (1 / 2, 1 / 6, 1 / 6, 1 / 6)


def ats_class(signs: Sequence[Sign]) -> int | None:
    """Return the class of the best seen and then largest limit; None where an image is not used.

    Parameters
    ----------
    signs
        Those of the image that were drawn, in the order of its line.

    Returns
    -------
    int or None
        Place in `CLASS_NAMES`.
    """
    if not signs:
        return 0
    limits = [sign for sign in signs if sign.name in LIMITS]
    if not limits:
        return None
    # Of equals the first: as Python's sort of the original keeps the order of the line.
    best = min(limits, key=lambda sign: (VISIBILITIES.index(sign.visibility), -sign.area))
    return CLASS_NAMES.index(best.name) if best.visibility == VISIBILITIES[0] else None


def google_class(signs: Sequence[Sign]) -> int | None:
    """Return the class of the first visible limit; takes and returns what `ats_class` does."""
    if not signs:
        return 0
    seen = (sign.name for sign in signs if sign.visibility == VISIBILITIES[0])
    return next((CLASS_NAMES.index(name) for name in seen if name in LIMITS), None)


SIGN_FILTERS: Mapping[str, Callable[[Sequence[Sign]], int | None]] = {
    ATS: ats_class,
    GOOGLE: google_class,
}


def image_class(image: SignedImage, chosen: str) -> int | None:
    """Return the class of an image by a filter; None where it is not used or lost a sign.

    Raises
    ------
    InvalidValueError
        If there is no such filter.
    """
    if chosen not in SIGN_FILTERS:
        raise InvalidValueError(
            f"Expected one of the filters {', '.join(SIGN_FILTERS)}, got {chosen!r}; choose one of "
            "them."
        )
    return SIGN_FILTERS[chosen](image.signs) if image.is_whole else None


def choose_images(
    classes: Sequence[int | None],
    subset: str = ALL,
    share: float = 1.0,
    *,
    seed: int = 0,
    split: str = "train",
) -> list[int]:
    """Return the places of the images of a subset, ascending.

    Parameters
    ----------
    classes
        Of all images of a set in the order of its file; None for those that are not used.
    subset
        One of `SUBSETS`.
    share
        Of each class, above 0 to 1; 0.25 and 0.5 are published.
    seed, split
        Of the draw of ``random``; ``split`` is one of `umnist_core.seeds.SPLITS`.

    Raises
    ------
    InvalidValueError
        If there is no such subset, or the share is not in that range.
    """
    if subset not in SUBSETS or not 0 < share <= 1:
        raise InvalidValueError(
            f"Expected a subset of {', '.join(SUBSETS)} and a share above 0 to 1, got {subset!r} "
            f"and {share:g}; correct them."
        )
    by_class = [
        [place for place, found in enumerate(classes) if found == one]
        for one in range(len(CLASS_NAMES))
    ]
    if subset == ALL:
        return sorted(place for places in by_class for place in places)
    counts = [int(len(places) * share) for places in by_class]
    if subset == RANDOM:
        counts = _stratified([len(places) for places in by_class], sum(counts))
        order = sample_rng(seed, split, 0, "signs").random(len(classes))
        by_class = [sorted(places, key=order.__getitem__) for places in by_class]
    return sorted(
        place for places, count in zip(by_class, counts, strict=True) for place in places[:count]
    )


def count_classes(classes: Sequence[int | None]) -> dict[str, int]:
    """Return the images of each class by its name; of those that are used."""
    found = Counter(classes)
    return {name: found[place] for place, name in enumerate(CLASS_NAMES)}


def _stratified(available: Sequence[int], total: int) -> list[int]:
    """Return how many of each class make up a total, in the shares of the text as far as can be."""
    counts = [0] * len(available)
    while (left := min(total, sum(available)) - sum(counts)) > 0:
        is_open = [count < most for count, most in zip(counts, available, strict=True)]
        shares = np.array(_SHARES) * is_open
        wanted = left * shares / shares.sum()
        whole = np.floor(wanted).astype(int)
        # The largest remainders are rounded up, the first of equals before the others.
        for place in np.argsort(whole - wanted, kind="stable")[: left - int(whole.sum())]:
            whole[place] += 1
        counts = [
            min(most, count + int(more))
            for count, most, more in zip(counts, available, whole, strict=True)
        ]
    return counts
