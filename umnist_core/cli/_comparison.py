"""Data sets side by side, as lines of a terminal, each figure beside the document's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from umnist_core.datasets.compare import Quartiles, ShapeFigures, SharedImages, SideBySide


def comparison_lines(found: SideBySide) -> list[str]:
    """Return the lines of a comparison."""
    lines = ["Side by side, and what the document of MetH says:"]
    for one in found.shapes:
        lines += _shape_lines(one)
    return lines + [line for one in found.shared for line in _shared_lines(one)]


def _shape_lines(found: ShapeFigures) -> Iterator[str]:
    published: Mapping[str, Any] = found.published
    yield f"{found.folder}: {found.kind}, {found.images} images"
    if found.megapixels is None or found.aspect is None:
        return
    mean = published.get("mean_mpx")
    said = "" if mean is None else f"  (document, beside figure 2: mean {mean})"
    yield f"  megapixels    {_spread(found.megapixels)}{said}"
    yield f"  width/height  {_spread(found.aspect)}"
    shapes = published.get("shapes")
    said = "" if shapes is None else f"  (document: {shapes})"
    yield (
        f"  shapes        portrait {_percent(found.portraits, found.images)}  square "
        f"{_percent(found.squares, found.images)}  landscape "
        f"{_percent(found.landscapes, found.images)}{said}"
    )
    for split, bins in found.years.items():
        expected = published.get("years", {}).get(split, {})
        listed = "  ".join(
            f"{name}: {count}{f' ({expected[name]})' if name in expected else ''}"
            for name, count in bins.items()
        )
        said = "  (document, figure 5 and text, in brackets)" if expected else ""
        yield f"  years {split:<7} {listed}{said}"


def _shared_lines(found: SharedImages) -> Iterator[str]:
    said = found.published_percent
    both = [f"{_percent(found.by_name, found.images, digits=2)} by name"]
    if found.by_bytes is not None:
        both.append(f"{_percent(found.by_bytes, found.images, digits=2)} by bytes")
    beside = "" if said is None else f"  (document, table 1: {said} %)"
    yield f"images of {found.first} in {found.second}: {', '.join(both)}{beside}"


def _spread(spread: Quartiles) -> str:
    quartiles = (spread.lower_quartile, spread.median, spread.upper_quartile)
    return (
        f"mean {spread.mean:.2f}  quartiles {' '.join(f'{one:.2f}' for one in quartiles)}  "
        f"from {spread.least:.2f} to {spread.most:.2f}"
    )


def _percent(count: int, total: int, *, digits: int = 1) -> str:
    return f"{100 * count / total if total else 0:.{digits}f} %"
