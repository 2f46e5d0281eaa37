"""Figures of the report: from a comparison's figures to pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

from umnist_core.experiments.drawing.chart import OTHERS, OURS, ChartPoint, ChartSeries, SeriesChart
from umnist_core.experiments.drawing.picture import (
    FAINT,
    INK,
    Area,
    Dot,
    Drawing,
    Label,
    Mark,
    Stroke,
)
from umnist_core.experiments.drawing.plots import COLOURS, chart_picture, heat_colour
from umnist_core.experiments.people.breakdowns import PEOPLE

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, FOOT = 64, 620, 18, 358
SUMS = 28
MOST_RATERS = 24
"""More raters than this make no matrix that could be read; people are then drawn together."""

Row = Mapping[str, Any]
Figures = Mapping[str, Any]


def accuracy_chart(rows: Sequence[Row], by: str, x_title: str) -> Drawing | None:
    """Return accuracy over one quantity, of people and models; None without rows."""
    own = [row for row in rows if row["by"] == by]
    names = tuple(dict.fromkeys(_bin_name(row) for row in own))
    if not names:
        return None
    series = tuple(
        ChartSeries(
            group,
            OURS if group == PEOPLE else OTHERS,
            tuple(_accuracy_point(row) for row in own if row["group"] == group),
        )
        for group in dict.fromkeys(row["group"] for row in own)
    )
    title = f"Accuracy by {x_title}"
    return chart_picture(SeriesChart(title, x_title, "right answers, %", series, names=names))


def _bin_name(row: Row) -> str:
    if row["value"] is not None:
        return str(row["value"])
    if row["from"] is None:
        return "all"
    low = f"{row['from']:.3g}"
    return f"{low} on" if row["below"] is None else f"{low} to {row['below']:.3g}"


def _accuracy_point(row: Row) -> ChartPoint:
    low, high = (None if row[end] is None else 100 * row[end] for end in ("low", "high"))
    said = f"{row['group']}, {_bin_name(row)}: {100 * row['accuracy']:.1f} % of {row['answers']}"
    return ChartPoint(_bin_name(row), 100 * row["accuracy"], low, high, said)


def ability_picture(scale: Row) -> Drawing:
    """Return abilities of people and models, drawn."""
    return chart_picture(ability_chart(scale))


def ability_chart(scale: Row) -> SeriesChart:
    """Return abilities of people and models, the lowest first."""
    rows = sorted(scale["abilities"], key=lambda row: row["ability"])
    names = tuple(row["name"] for row in rows)
    series = tuple(
        ChartSeries(
            {"person": "people", "model": "models"}[kind],
            OURS if kind == "person" else OTHERS,
            tuple(
                ChartPoint(row["name"], row["ability"], row["low"], row["high"], row["name"])
                for row in rows
                if row["kind"] == kind
            ),
        )
        for kind in dict.fromkeys(row["kind"] for row in rows)
    )
    return SeriesChart("Ability", "rater", "ability, logits", series, names=names)


def reason_chart(rows: Sequence[Row]) -> Drawing | None:
    """Return why wrong answers were wrong, of people together and of each model."""
    own = [row for row in rows if row["kind"] != "person" and row["wrong"] and row["answers"]]
    if not own:
        return None
    titles = {
        "not_looked_at": "unseen",
        "misread": "misread",
        "misadded": "misadded",
        "misread_or_misadded": "either",
        "unknown": "unknown",
    }
    series = tuple(
        ChartSeries(
            name,
            OURS if name == PEOPLE else OTHERS,
            tuple(
                ChartPoint(
                    titles[row["reason"]],
                    100 * row["share"],
                    100 * row["low"],
                    100 * row["high"],
                    f"{name}: {row['answers']} of {row['wrong']} wrong answers",
                )
                for row in own
                if row["name"] == name
            ),
        )
        for name in dict.fromkeys(row["name"] for row in own)
    )
    named = {point.x for one in series for point in one.points}
    names = tuple(title for title in titles.values() if title in named)
    chart = SeriesChart(
        "Why answers are wrong", "reason", "of wrong answers, %", series, names=names
    )
    return chart_picture(chart)


# -- matrices -------------------------------------------------------------------------


def kappa_matrix_picture(figures: Figures) -> Drawing | None:
    """Return the error consistency of each two raters; None where there are too many, or one."""
    names = [row["name"] for row in figures["raters"]]
    pairs = {(row["a"], row["b"]): row for row in figures["consistency"]["pairs"]}
    if not pairs or len(names) > MOST_RATERS:
        return None
    size, left = min(48, 560 // len(names)), 150
    marks: list[Mark] = []
    for down, one in enumerate(names):
        y = TOP + size * down
        marks.append(Label((left - 8, y + size / 2 + 4), _cut(one, 20), "end", 11.0))
        for along, two in enumerate(names[:down]):
            row = pairs.get((two, one)) or pairs.get((one, two))
            marks += _matrix_cell(left + size * along, y, size, row)
    foot = TOP + size * len(names)
    for along, name in enumerate(names):
        middle = left + size * (along + 0.5)
        marks.append(Label((middle + 4, foot + 8), _cut(name, 14), "end", 11.0, turned=True))
    width = left + size * len(names) + 16
    return Drawing(width, foot + 110, "Error consistency of each two", tuple(marks))


def _matrix_cell(x: float, y: float, size: float, row: Row | None) -> Iterator[Mark]:
    if row is None or row["kappa"] is None:
        return
    share = min(1.0, max(0.0, row["kappa"]))
    yield _square(x, y, size, heat_colour(share))
    if size >= 30:
        colour = "#111111" if share > 0.55 else "#ffffff"
        text = f"{row['kappa']:.2f}"
        yield Label((x + size / 2, y + size / 2 + 4), text, "middle", 11.0, colour)


def _square(x: float, y: float, size: float, colour: str) -> Area:
    ends = ((x, y), (x + size, y), (x + size, y + size), (x, y + size))
    return Area(ends, colour)


def confusion_picture(row: Row) -> Drawing:
    """Return how often each sum was given for each true one."""
    size, left = 13.0, 60.0
    counts = {(truth, answer): count for truth, answer, count in row["cells"]}
    most: dict[int, int] = {}
    for (truth, _), count in counts.items():
        most[truth] = most.get(truth, 0) + count
    foot = TOP + size * SUMS
    marks: list[Mark] = [
        _square(left + size * answer, TOP + size * truth, size, heat_colour(count / most[truth]))
        for (truth, answer), count in counts.items()
        if 0 <= truth < SUMS and 0 <= answer < SUMS
    ]
    frame = ((left, TOP), (left + size * SUMS, TOP), (left + size * SUMS, foot), (left, foot))
    marks.append(Stroke((*frame, frame[0]), FAINT))
    for value in range(0, SUMS, 3):
        marks.append(Label((left - 6, TOP + size * (value + 0.8)), str(value), "end", 11.0))
        at = left + size * (value + 0.5)
        marks.append(Label((at, foot + 14), str(value), "middle", 11.0))
    marks.append(Label((left + size * SUMS / 2, foot + 34), "answer", "middle"))
    marks.append(Label((16, (TOP + foot) / 2), "true sum", "middle", turned=True))
    width = int(left + size * SUMS + 12)
    return Drawing(width, int(foot + 46), f"Sums that {row['name']} gave", tuple(marks))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


# -- curves and points ----------------------------------------------------------------


class _Plane:
    """Where two quantities lie on the sheet; drawn with a grid and titles."""

    def __init__(self, x: Sequence[float], y: Sequence[float], titles: tuple[str, str]) -> None:
        self.ends = [(min(values), max(values)) for values in (x, y)]
        self.ends = [
            (low, high) if high > low else (low - 0.5, high + 0.5) for low, high in self.ends
        ]
        self.titles = titles

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point is."""
        (left, right), (low, high) = self.ends
        across = LEFT + (x - left) / (right - left) * (RIGHT - LEFT)
        return across, FOOT - (y - low) / (high - low) * (FOOT - TOP)

    def marks(self, powers_of_two: bool = False) -> Iterator[Mark]:
        """Yield grid, ticks and titles."""
        for value in _ticks(*self.ends[1]):
            y = self.at(self.ends[0][0], value)[1]
            yield Stroke(((LEFT, y), (RIGHT, y)), FAINT)
            yield Label((LEFT - 8, y + 4), f"{value:g}", "end")
        for value in _ticks(*self.ends[0]):
            x = self.at(value, self.ends[1][0])[0]
            said = f"{2**value:.0f}" if powers_of_two else f"{value:g}"
            yield Stroke(((x, FOOT), (x, FOOT + 5)), FAINT)
            yield Label((x, FOOT + 20), said, "middle")
        yield Label(((LEFT + RIGHT) / 2, FOOT + 46), self.titles[0], "middle")
        yield Label((16, (TOP + FOOT) / 2), self.titles[1], "middle", turned=True)


def _ticks(low: float, high: float) -> list[float]:
    size = 10.0 ** floor(log10(high - low))
    step = next(one * size for one in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (one * size) <= 7)
    return [
        round(step * at, 10) for at in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    ]


def curve_picture(rows: Sequence[Row]) -> Drawing:
    """Return the fitted curves over the smallest digit's side, with the shares they are of."""
    places = [at for row in rows for at, _ in row["curve"]]
    plane = _Plane(places, [0.0, 100.0], ("smallest digit's side, px", "right answers, %"))
    marks: list[Mark] = [*plane.marks(powers_of_two=True)]
    for number, row in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        line = tuple(plane.at(at, 100 * share) for at, share in row["curve"])
        marks.append(Stroke(line, colour, 2.0))
        for point in row["points"]:
            share = 100 * point["correct"] / point["answers"]
            said = f"{row['name']}: {point['correct']} of {point['answers']}"
            marks.append(Dot(plane.at(point["x"], share), colour, told=said))
        marks += _key(number, row["name"], colour)
    return Drawing(WIDTH, HEIGHT, "Right answers over the smallest digit's side", tuple(marks))


def time_picture(rows: Sequence[Row]) -> Drawing:
    """Return people's times over models' margins, a dot for each image."""
    points = [(at, seconds) for row in rows for at, seconds, _ in row["points"]]
    longest = max(seconds for _, seconds in points)
    titles = ("the model's margin", "people's median time, s")
    plane = _Plane([0.0, 1.0], [0.0, longest], titles)
    marks: list[Mark] = [*plane.marks()]
    for number, row in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        for at, seconds, image in row["points"]:
            told = f"{row['model']}, image {image}"
            marks.append(Dot(plane.at(at, seconds), colour, radius_px=3.0, told=told))
        marks += _key(number, row["model"], colour)
    return Drawing(WIDTH, HEIGHT, "People's times over a model's margin", tuple(marks))


def _key(number: int, name: str, colour: str) -> Iterator[Mark]:
    y = TOP + 14 + 26 * number
    yield Dot((RIGHT + 30, y - 4), colour)
    yield Label((RIGHT + 44, y), _cut(name, 28), size_px=12.0, colour=INK)
