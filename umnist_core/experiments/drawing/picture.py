"""A picture as a list of marks, which SVG and PNG are made of: lines, areas, dots and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Place = tuple[float, float]
"""x and y in px, from the upper left."""

INK, FAINT = "ink", "faint"
"""Colours that follow the page; all others are given as ``#rrggbb``."""

_SVG_COLOURS = {INK: "currentColor", FAINT: "currentColor"}
_FAINT_OPACITY = 0.2

CIRCLE, DIAMOND, SQUARE = "circle", "diamond", "square"


@dataclass(frozen=True)
class Stroke:
    """A line through places."""

    places: tuple[Place, ...]
    colour: str
    width_px: float = 1.0
    dashes: str = ""


@dataclass(frozen=True)
class Area:
    """A filled polygon."""

    places: tuple[Place, ...]
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A mark of `CIRCLE`, `DIAMOND` or `SQUARE`, filled or hollow, with what is told of it."""

    place: Place
    colour: str
    shape: str = CIRCLE
    is_filled: bool = True
    radius_px: float = 4.5
    told: str = ""

    def corners(self) -> tuple[Place, ...]:
        """Return the corners of a diamond or a square."""
        (x, y), r = self.place, self.radius_px
        if self.shape == DIAMOND:
            return ((x, y - 1.3 * r), (x + 1.3 * r, y), (x, y + 1.3 * r), (x - 1.3 * r, y))
        return ((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r))


@dataclass(frozen=True)
class Label:
    """A text; ``anchor`` is ``start``, ``middle`` or ``end``, ``turned`` reads upwards."""

    place: Place
    text: str
    anchor: str = "start"
    size_px: float = 13.0
    colour: str = INK
    turned: bool = False


Mark = Stroke | Area | Dot | Label


@dataclass(frozen=True)
class Drawing:
    """Marks on a sheet, the first lowest; the title is for who does not see it."""

    width: int
    height: int
    title: str
    marks: tuple[Mark, ...]


def svg_text(picture: Drawing, *, ground: str = "") -> str:
    """Return a picture as SVG.

    Parameters
    ----------
    ground
        Colour of the sheet; none by default, so that it lies on any page, whose ink it takes.
    """
    sheet = f"0 0 {picture.width} {picture.height}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{sheet}" font-family="sans-serif" '
        f'role="img" aria-label="{_quoted(picture.title)}">',
        f"<title>{escape(picture.title)}</title>",
    ]
    if ground:
        parts.append(f'<rect width="{picture.width}" height="{picture.height}" fill="{ground}"/>')
    return "\n".join([*parts, *map(_svg_mark, picture.marks), "</svg>"]) + "\n"


def _svg_mark(mark: Mark) -> str:
    if isinstance(mark, Stroke):
        dashes = f' stroke-dasharray="{mark.dashes}"' if mark.dashes else ""
        return (
            f'<polyline points="{_points(mark.places)}" fill="none" {_paint("stroke", mark.colour)}'
            f' stroke-width="{mark.width_px:g}"{dashes}/>'
        )
    if isinstance(mark, Area):
        opacity = f' fill-opacity="{mark.opacity:g}"'
        return f'<polygon points="{_points(mark.places)}" fill="{_colour(mark.colour)}"{opacity}/>'
    if isinstance(mark, Dot):
        return _svg_dot(mark)
    (x, y), anchor = mark.place, mark.anchor
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if mark.turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{mark.size_px:g}" '
        f'fill="{_colour(mark.colour)}"{turned}>{escape(mark.text)}</text>'
    )


def _svg_dot(dot: Dot) -> str:
    fill = _colour(dot.colour) if dot.is_filled else "none"
    look = f'fill="{fill}" stroke="{_colour(dot.colour)}" stroke-width="2"'
    told = f"<title>{escape(dot.told)}</title>" if dot.told else ""
    if dot.shape == CIRCLE:
        x, y = dot.place
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{dot.radius_px:g}" {look}>{told}</circle>'
    return f'<polygon points="{_points(dot.corners())}" {look}>{told}</polygon>'


def _points(places: Sequence[Place]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _colour(colour: str) -> str:
    return _SVG_COLOURS.get(colour, colour)


def _paint(what: str, colour: str) -> str:
    faint = f' {what}-opacity="{_FAINT_OPACITY}"' if colour == FAINT else ""
    return f'{what}="{_colour(colour)}"{faint}'


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})
