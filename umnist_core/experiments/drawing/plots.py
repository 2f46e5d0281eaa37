"""Charts and heat maps as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10

from umnist_core.experiments.drawing.chart import (
    LOGS,
    OTHERS,
    OURS,
    PUBLISHED,
    ChartPoint,
    ChartSeries,
    HeatMap,
    SeriesChart,
)
from umnist_core.experiments.drawing.picture import (
    CIRCLE,
    DIAMOND,
    FAINT,
    SQUARE,
    Area,
    Dot,
    Drawing,
    Label,
    Mark,
    Stroke,
)

WIDTH, HEIGHT = 860, 440
LEFT, TOP, FOOT = 64, 18, 62
LEGEND = 270

COLOURS = ("#b45309", "#0b6b78", "#8a3d8f", "#0072b2", "#d55e00", "#009e73", "#aa4499", "#6b6b6b")
"""Each has 3:1 against white and against black, and a mark beside it."""

SHAPES = {PUBLISHED: DIAMOND, LOGS: SQUARE, OURS: CIRCLE, OTHERS: SQUARE}
DASHES = {PUBLISHED: "6 4", LOGS: "2 4", OURS: "", OTHERS: "10 3 2 3"}


def chart_picture(chart: SeriesChart) -> Drawing:
    """Return a chart as a picture; its legend stands on the right."""
    axes = _Axes(chart)
    marks: list[Mark] = [*axes.marks()]
    for place, series in enumerate(chart.series):
        colour = COLOURS[place % len(COLOURS)]
        marks += _series_marks(series, axes, colour, place, len(chart.series))
        marks += _legend_marks(series, colour, place)
    height = max(HEIGHT, TOP + 26 * len(chart.series) + 30)
    return Drawing(WIDTH, height, chart.title, tuple(marks))


_LETTER_PX, _LETTERS = 6.0, 30
"""Width of a letter of a bar's name, and how many are shown."""


class _Axes:
    """Where values lie on the sheet."""

    def __init__(self, chart: SeriesChart) -> None:
        self.chart = chart
        self.right, self.foot = WIDTH - LEGEND, HEIGHT - FOOT
        names = chart.names
        # Names that have no room beside each other stand upright.
        room = (self.right - LEFT) / max(1, len(names)) / _LETTER_PX
        self.is_turned = any(len(one) > room for one in names)
        if self.is_turned:
            self.foot -= round(_LETTER_PX * min(_LETTERS, max(map(len, names)))) - 10
        points = [point for series in chart.series for point in series.points]
        self.top = _nice_top(points)
        self.low = min([0.0, *(end for one in points if (end := _low(one)) < 0)])
        placed = [one for series in chart.series if not series.is_across for one in series.points]
        places = [self._raw(float(one.x)) for one in placed if not isinstance(one.x, str)]
        self.first, self.last = (min(places), max(places)) if places else (0.0, 1.0)
        if self.first == self.last:
            self.first, self.last = self.first - 1, self.last + 1

    def _raw(self, x: float) -> float:
        return log10(x) if self.chart.log and x > 0 else x

    def x(self, place: float | str) -> float:
        """Return where a place is; a name is in the middle of its bar."""
        width = self.right - LEFT
        if isinstance(place, str):
            names = self.chart.names
            return LEFT + width * (names.index(place) + 0.5) / len(names)
        share = (self._raw(place) - self.first) / (self.last - self.first)
        return LEFT + 24 + share * (width - 48)

    def y(self, value: float) -> float:
        """Return where a value is."""
        share = (min(self.top, max(self.low, value)) - self.low) / (self.top - self.low)
        return self.foot - share * (self.foot - TOP)

    def marks(self) -> Iterator[Mark]:
        """Yield grid, ticks and titles."""
        for value in _ticks(self.low, self.top):
            y = self.y(value)
            yield Stroke(((LEFT, y), (self.right, y)), FAINT)
            yield Label((LEFT - 8, y + 4), f"{value:g}", "end")
        names = self.chart.names
        for tick in names or self._places():
            said = _cut(tick, _LETTERS) if isinstance(tick, str) else f"{tick:g}"
            size = 11.0 if names else 13.0
            if self.is_turned:
                place = (self.x(tick) + 4, self.foot + 8)
                yield Label(place, said, "end", size, turned=True)
            else:
                yield Label((self.x(tick), self.foot + 18), said, "middle", size)
        title = (LEFT + self.right) / 2, HEIGHT - FOOT + 50 if self.is_turned else self.foot + 44
        yield Label(title, self.chart.x_title, "middle")
        middle = (TOP + self.foot) / 2
        yield Label((16, middle), self.chart.y_title, "middle", turned=True)

    def _places(self) -> list[float]:
        """Return the places that have room for their numbers."""
        series = self.chart.series
        lines = [one for one in series if not one.is_across]
        found = sorted({float(p.x) for one in lines for p in one.points if not _is_name(p)})
        shown: list[float] = []
        for one in found:
            if not shown or self.x(one) - self.x(shown[-1]) >= 34:
                shown.append(one)
        return shown


def _is_name(point: ChartPoint) -> bool:
    return isinstance(point.x, str)


def _low(point: ChartPoint) -> float:
    return point.y if point.low is None else point.low


def _nice_top(points: Sequence[ChartPoint]) -> float:
    highest = max([one.y if one.high is None else one.high for one in points], default=1.0)
    if highest <= 0:
        return 1.0
    step = 10.0 ** floor(log10(highest))
    top = ceil(highest / step) * step
    return 100.0 if highest <= 100 < top else top


def _ticks(low: float, top: float) -> list[float]:
    size = 10.0 ** floor(log10(top - low))
    step = next(one * size for one in (0.1, 0.2, 0.5, 1, 2) if (top - low) / (one * size) <= 6)
    first = ceil(low / step)
    return [round(step * at, 10) for at in range(first, floor(top / step + 1e-9) + 1)]


def _series_marks(
    series: ChartSeries, axes: _Axes, colour: str, place: int, count: int
) -> Iterator[Mark]:
    if series.is_across:
        yield from _across_marks(series.points[0], series.kind, axes, colour)
        return
    shift = (place - (count - 1) / 2) * (9 if axes.chart.names else 12 / max(4, count))
    at = [(axes.x(one.x) + shift, axes.y(one.y), one) for one in series.points]
    ended = [(x, one) for x, _, one in at if one.low is not None and one.high is not None]
    if not axes.chart.names and len(at) > 1:
        if len(ended) == len(at):
            upper = [(x, axes.y(one.high or 0.0)) for x, one in ended]
            lower = [(x, axes.y(one.low or 0.0)) for x, one in reversed(ended)]
            yield Area((*upper, *lower), colour, 0.12)
        yield Stroke(tuple((x, y) for x, y, _ in at), colour, 1.6, DASHES[series.kind])
    for x, one in ended:
        yield Stroke(((x, axes.y(one.low or 0.0)), (x, axes.y(one.high or 0.0))), colour, 2.0)
    for x, y, one in at:
        is_filled = series.kind in (OURS, OTHERS)
        yield Dot((x, y), colour, SHAPES[series.kind], is_filled, told=one.said)


def _across_marks(point: ChartPoint, kind: str, axes: _Axes, colour: str) -> Iterator[Mark]:
    if point.low is not None and point.high is not None:
        low, high = axes.y(point.low), axes.y(point.high)
        ends = ((LEFT, low), (axes.right, low), (axes.right, high), (LEFT, high))
        yield Area(ends, colour, 0.12)
    y = axes.y(point.y)
    yield Stroke(((LEFT, y), (axes.right, y)), colour, 1.6, DASHES[kind])


def _legend_marks(series: ChartSeries, colour: str, place: int) -> Iterator[Mark]:
    x, y = WIDTH - LEGEND + 22, TOP + 14 + 26 * place
    yield Stroke(((x, y - 4), (x + 26, y - 4)), colour, 1.6, DASHES[series.kind])
    yield Dot((x + 13, y - 4), colour, SHAPES[series.kind], series.kind in (OURS, OTHERS))
    yield Label((x + 34, y), _cut(series.name, 37), size_px=12.0)


def _cut(text: str, most: float) -> str:
    return text if len(text) <= most else f"{text[: max(1, int(most) - 1)]}\N{HORIZONTAL ELLIPSIS}"


# -- heat maps ------------------------------------------------------------------------

CELL_WIDTH, CELL_HEIGHT, NAMES = 74, 34, 150

_DARK, _MIDDLE, _BRIGHT = (13, 42, 74), (33, 130, 140), (253, 231, 130)
"""From little to much; told apart by lightness alone."""


def heat_picture(heat: HeatMap) -> Drawing:
    """Return a heat map as a picture, a number in each cell that has one."""
    width = NAMES + CELL_WIDTH * len(heat.x_names) + 16
    height = TOP + CELL_HEIGHT * len(heat.y_names) + FOOT
    low, high = heat_ends(heat)
    marks: list[Mark] = []
    for down, (name, row) in enumerate(zip(heat.y_names, heat.values, strict=True)):
        y = TOP + CELL_HEIGHT * down
        marks.append(Label((NAMES - 8, y + 22), _cut(name, 21), "end"))
        for along, value in enumerate(row):
            share = None if value is None else _share(value, low, high)
            marks += _heat_cell(NAMES + CELL_WIDTH * along, y, share, heat_text(heat, value))
    foot = TOP + CELL_HEIGHT * len(heat.y_names)
    for along, name in enumerate(heat.x_names):
        middle = NAMES + CELL_WIDTH * (along + 0.5)
        marks.append(Label((middle, foot + 18), _cut(name, 11), "middle"))
    middle = NAMES + CELL_WIDTH * len(heat.x_names) / 2
    marks.append(Label((middle, foot + 44), f"{heat.x_title}; {heat.unit}", "middle"))
    return Drawing(width, height, heat.title, tuple(marks))


def heat_ends(heat: HeatMap) -> tuple[float, float]:
    """Return the values of the first and the last colour: of shares always 0 and 100."""
    if "%" in heat.unit:
        return 0.0, 100.0
    known = [one for row in heat.values for one in row if one is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def heat_text(heat: HeatMap, value: float | None) -> str:
    """Return what stands in a cell; with two places where all are of 1 at most, as of kappa."""
    if value is None:
        return ""
    known = [one for row in heat.values for one in row if one is not None]
    places = 2 if max(map(abs, known)) <= 1 else 1
    return f"{round(value, places) + 0.0:.{places}f}"  # no minus before nought


def _share(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (value - low) / (high - low)


def _heat_cell(x: float, y: float, share: float | None, text: str) -> Iterator[Mark]:
    ends = ((x, y), (x + CELL_WIDTH, y), (x + CELL_WIDTH, y + CELL_HEIGHT), (x, y + CELL_HEIGHT))
    if share is None:
        yield Stroke((*ends, ends[0]), FAINT)
        return
    yield Area(ends, heat_colour(share))
    middle = (x + CELL_WIDTH / 2, y + 22)
    yield Label(middle, text, "middle", colour="#111111" if share > 0.55 else "#ffffff")


def heat_colour(share: float) -> str:
    """Return the colour of a share, 0 to 1."""
    below, above, part = (
        (_DARK, _MIDDLE, 2 * share) if share < 0.5 else (_MIDDLE, _BRIGHT, 2 * share - 1)
    )
    mixed = (round(a + (b - a) * part) for a, b in zip(below, above, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)
