"""What a chart says, whoever draws it: series of points with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PUBLISHED, LOGS, OURS, OTHERS = "published", "logs", "ours", "others"
KINDS = (PUBLISHED, LOGS, OURS, OTHERS)
"""Whose a series is; each has a mark of its own."""


@dataclass(frozen=True)
class ChartPoint:
    """A figure at a place.

    Attributes
    ----------
    x
        A number on the axis; a text is the name of a bar.
    y, low, high
        In the unit of the chart; the ends are None where there is no interval.
    said
        What is told of it where a pointer rests, in words.
    place
        What a click on it leads to, for whoever draws.
    """

    x: float | str
    y: float
    low: float | None = None
    high: float | None = None
    said: str = ""
    place: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChartSeries:
    """Points of one kind under one name, in the order of their places.

    One that is across has no place on the axis: its first point is a line from end to end.
    """

    name: str
    kind: str
    points: tuple[ChartPoint, ...]
    is_across: bool = False


@dataclass(frozen=True)
class SeriesChart:
    """A chart.

    Attributes
    ----------
    title
        What it is of.
    x_title, y_title
        With their units.
    series
        Drawn one over the other; the first lowest.
    log
        Whether equal steps of its axis are equal factors.
    names
        Of the bars, in order; none where places are numbers.
    """

    title: str
    x_title: str
    y_title: str
    series: tuple[ChartSeries, ...]
    log: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeatMap:
    """Values over two quantities, as colours and numbers.

    Attributes
    ----------
    title, x_title, y_title, unit
        What it is of.
    x_names, y_names
        Of its columns, and of its rows from the top.
    values
        A row each; None where there is nothing.
    places
        As `ChartPoint.place`, a row each; may be empty.
    """

    title: str
    x_title: str
    y_title: str
    unit: str
    x_names: tuple[str, ...]
    y_names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    places: tuple[tuple[Mapping[str, Any], ...], ...] = ()
