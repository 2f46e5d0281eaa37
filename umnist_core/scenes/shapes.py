"""The shapes that invert the ground, by their kind.

Whatever counts, stores or shows shapes goes by `SHAPES`, so a new shape is a class here, with its
place in `SHAPES`, and the parameter of how many there are (`umnist_core.scenes.parameters`). A
`Polygon` is drawn and shown as it is; another outline needs its spans in
`umnist_core.rendering.crossings`, and where its mark is no circle either, the viewer's
``overlays.js`` has to draw it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

Point = tuple[int, int]
"""Row and column, whole canvas px."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a shape is drawn from at random.

    Attributes
    ----------
    point
        Returns a point anywhere on the canvas.
    radius
        Returns half the width of a shape, px.
    """

    point: Callable[[], Point]
    radius: Callable[[], int]


class Shape(ABC):
    """A filled shape.

    Attributes
    ----------
    kind
        Its name in files and in the viewer.
    plural
        The parameter of how many there are, and their column in tables.
    """

    __slots__ = ()
    kind: ClassVar[str]
    plural: ClassVar[str]

    @classmethod
    @abstractmethod
    def drawn(cls, draw: Draw) -> Self:
        """Draw one at random."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read its fields from JSON; errors are those of Python."""

    @abstractmethod
    def mark(self) -> dict[str, Any]:
        """Return what the viewer draws as its outline: ``kind``, and lengths in canvas px."""


@dataclass(frozen=True, slots=True)
class Circle(Shape):
    """A filled circle; centre between pixels and radius in whole canvas px."""

    kind: ClassVar[str] = "circle"
    plural: ClassVar[str] = "circles"

    row: int
    col: int
    radius_px: int

    def mark(self) -> dict[str, Any]:
        """Return its centre ``x``, ``y`` and radius ``r``."""
        return {"kind": self.kind, "x": self.col, "y": self.row, "r": self.radius_px}

    @classmethod
    def drawn(cls, draw: Draw) -> Self:
        """Draw one at random."""
        return cls(*draw.point(), draw.radius())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read its fields from JSON."""
        return cls(data["row"], data["col"], data["radius_px"])


class Polygon(Shape):
    """A filled convex shape with corners (row, col) in whole canvas px."""

    __slots__ = ()

    @property
    @abstractmethod
    def points(self) -> tuple[Point, ...]:
        """The corners, one after the other along the edge."""

    def mark(self) -> dict[str, Any]:
        """Return its corners, ``points`` of (x, y)."""
        return {"kind": self.kind, "points": [(col, row) for row, col in self.points]}


@dataclass(frozen=True, slots=True)
class Triangle(Polygon):
    """A filled triangle; its corners (row, col) in whole canvas px."""

    kind: ClassVar[str] = "triangle"
    plural: ClassVar[str] = "triangles"

    corners: tuple[Point, Point, Point]

    @property
    def points(self) -> tuple[Point, ...]:
        """The corners."""
        return self.corners

    @classmethod
    def drawn(cls, draw: Draw) -> Self:
        """Draw one at random."""
        return cls((draw.point(), draw.point(), draw.point()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read its fields from JSON."""
        first, second, third = ((int(row), int(col)) for row, col in data["corners"])
        return cls((first, second, third))


SHAPES: Mapping[str, type[Shape]] = MappingProxyType(
    {shape.kind: shape for shape in (Circle, Triangle)}
)
"""Kind -> shape, in the order in which a scene has them; a new one comes last."""


def count_shapes(shapes: Iterable[Shape]) -> dict[str, int]:
    """Return how many there are, of every kind, by their plural."""
    there = [type(shape) for shape in shapes]
    return {shape.plural: there.count(shape) for shape in SHAPES.values()}
