"""A comparison of people and models as one HTML file: readable without us, and printable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from umnist_core import __version__
from umnist_core.experiments.drawing.picture import Drawing, svg_text
from umnist_core.experiments.people import plots
from umnist_core.experiments.people.breakdowns import PEOPLE
from umnist_core.experiments.people.compare import PeopleReport

Row = Mapping[str, Any]
Figures = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f23; --soft: #5b6169;
  --line: #c9ced4; }
@media (prefers-color-scheme: dark) { :root { --ground: #16191d; --ink: #e8eaed;
  --soft: #a9b0b8; --line: #3c434b; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--ink); margin: 0 auto; max-width: 60rem;
  padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p, li { max-width: 46rem; } .soft { color: var(--soft); }
figure { margin: 1rem 0; overflow-x: auto; } figure:focus-visible { outline: 2px solid; }
figcaption { color: var(--soft); font-size: .9rem; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 2px solid; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem; }
.pair figure { flex: 1 1 20rem; } .pair svg { min-width: 20rem; }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .7rem .25rem 0; text-align: left; }
td.number, th.number { text-align: right; white-space: nowrap; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } figure, tr { break-inside:
  avoid; } h2 { break-after: avoid; } .wide, figure { overflow: visible; }
  svg { min-width: 0; max-width: 40rem; } }
"""


def report_html(report: PeopleReport) -> str:
    """Return the report: figures inline, light and dark, no script and nothing from elsewhere."""
    figures = report.to_dict()
    title = f"People against models: {figures['study'] or 'a study'}"
    parts = [part for section in _SECTIONS for part in section(figures)]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</main></body></html>",
            "",
        ]
    )


# -- parts ----------------------------------------------------------------------------


def _summary(figures: Figures) -> Iterator[str]:
    yield "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in figures["sentences"]) + "</ul>"
    if figures["left_out"]:
        yield "<p class='soft'>Not compared: " + escape(" ".join(figures["left_out"])) + "</p>"


def _accuracy(figures: Figures) -> Iterator[str]:
    yield "<h2>Accuracy</h2>"
    rows = [row for row in figures["accuracy"] if row["by"] == "all"]
    yield _table(
        "Accuracy of all images",
        ("who", "answers", "right, %", "95 % interval", "persons: least, median, greatest"),
        [
            (row["group"], row["answers"], _percent(row["accuracy"]), _ends(row), _spread(row))
            for row in rows
        ],
    )
    for by, words in (
        ("smallest_side_px", "side of the smallest digit, px"),
        ("n_digits", "number of digits"),
        ("truth", "true sum"),
    ):
        yield _figure(plots.accuracy_chart(figures["accuracy"], by, words))
    shown = {"all", "smallest_side_px", "n_digits", "truth", "digit"}
    for by in dict.fromkeys(row["by"] for row in figures["accuracy"]):
        if by not in shown:
            yield _figure(plots.accuracy_chart(figures["accuracy"], by, by.replace("_", " ")))


def _spread(row: Row) -> str:
    own = row["spread"]
    if not own:
        return ""
    names = ("least", "median", "greatest")
    return ", ".join(_percent(own[name]) for name in names) + f" of {own['persons']}"


def _consistency(figures: Figures) -> Iterator[str]:
    yield "<h2>Error consistency</h2>"
    yield (
        "<p>Kappa of right and wrong: 0 where errors are independent, 1 where the same images are "
        "wrong. The null band holds 95 % of what independent errors of these accuracies give.</p>"
    )
    yield _table(
        "Error consistency",
        ("pairs of", "pairs", "observed", "expected", "kappa", "null band"),
        [
            (
                row["kind"] if row["model"] is None else f"person-{row['model']}",
                row["pairs"],
                _number(row["observed"]),
                _number(row["expected"]),
                f"{_number(row['kappa'])} ({_number(row['low'])} to {_number(row['high'])})",
                f"{_number(row['null_low'])} to {_number(row['null_high'])}",
            )
            for row in figures["consistency"]["groups"]
        ],
    )
    yield _figure(plots.kappa_matrix_picture(figures), "Kappa of each two raters.")
    yield from _ceiling(figures["ceiling"])


def _ceiling(own: Figures) -> Iterator[str]:
    if own["persons"]:
        yield (
            f"<p>The human ceiling, each person against the others: {_number(own['mean']['kappa'])}"
            f" ({_number(own['mean']['low'])} to {_number(own['mean']['high'])}); persons lie from "
            f"{_number(min(_known(own['persons'])))} to {_number(max(_known(own['persons'])))}."
            "</p>"
        )
    if own["persons"] and own["models"]:
        yield _table(
            "Models and the human ceiling",
            ("model", "kappa with people", "95 % interval", "share of the ceiling"),
            [
                (
                    row["name"],
                    _number(row["kappa"]),
                    f"{_number(row['low'])} to {_number(row['high'])}",
                    _number(row["share_of_ceiling"]),
                )
                for row in own["models"]
            ],
        )


def _known(rows: Sequence[Row]) -> list[float]:
    return [row["kappa"] for row in rows if row["kappa"] is not None] or [float("nan")]


def _mixed(figures: Figures) -> Iterator[str]:
    mixed = figures["mixed"]
    if mixed and mixed["effects"]:
        yield "<h2>Models against the mean person</h2>"
        yield (
            "<p>A logistic model with crossed person and image; persons differ by a standard "
            f"deviation of {_number(mixed['person_sd'])}, images of {_number(mixed['image_sd'])} "
            f"logits. {escape(mixed['note'])}</p>"
        )
        yield _table(
            "Models against the mean person",
            ("model", "logits", "95 % interval", "odds ratio", "p"),
            [
                (
                    row["model"],
                    _number(row["log_odds"]),
                    f"{_number(row['low'])} to {_number(row['high'])}",
                    _number(row["odds_ratio"]),
                    _p(row["p_value"]),
                )
                for row in mixed["effects"]
            ],
        )


def _mcnemar(figures: Figures) -> Iterator[str]:
    rows = [row for row in figures["paired_tests"] if row["kind"] == "model-model"]
    if rows:
        yield "<h2>Models against each other</h2><p>McNemar's exact test on the same images.</p>"
        yield _table(
            "Models against each other",
            ("a", "b", "images", "a alone right", "b alone right", "difference, %", "p"),
            [
                (
                    row["a"],
                    row["b"],
                    row["images"],
                    row["a_only"],
                    row["b_only"],
                    f"{_percent(row['difference'])} ({_ends(row)})",
                    _p(row["p_value"]),
                )
                for row in rows
            ],
        )


def _failures(figures: Figures) -> Iterator[str]:
    yield "<h2>Who fails on what</h2>"
    yield _figure(
        plots.reason_chart(figures["reasons"]),
        "Unseen: of people, a digit that was never legible on screen; of a model that names "
        "digits, one at whose place it found nothing.",
    )
    pictures = [
        _figure(plots.confusion_picture(row), f"Sums that {row['name']} gave.")
        for row in figures["confusion"]
        if row["cells"]
    ]
    yield f'<div class="pair">{"".join(pictures)}</div>'


def _scale(figures: Figures) -> Iterator[str]:
    if figures["scale"] is None:
        return
    rasch, two = figures["scale"]["rasch"], figures["scale"]["two_parameter"]
    yield "<h2>Ability and difficulty on one scale</h2>"
    yield _figure(plots.ability_picture(rasch), "Rasch model; images of mean difficulty are 0.")
    gained = two["log_likelihood"] - rasch["log_likelihood"]
    yield (
        "<p>With a discrimination for each image, whose logarithms are taken to have a standard "
        f"deviation of {_number(two['discrimination_sd'])}, the log likelihood is {gained:+.1f} "
        "of that.</p>"
    )
    hardest = sorted(rasch["difficulties"], key=lambda row: -row["difficulty"])[:10]
    yield "<h3>Hardest images</h3>"
    yield _table(
        "Hardest images",
        ("image", "difficulty, logits", "95 % interval", "answers"),
        [
            (
                row["image"],
                _number(row["difficulty"]),
                f"{_number(row['low'])} to {_number(row['high'])}",
                row["answers"],
            )
            for row in hardest
        ],
    )


def _curves(figures: Figures) -> Iterator[str]:
    rows = figures["psychometric"]
    if rows:
        yield "<h2>Right answers over the size of the smallest digit</h2>"
        yield _figure(plots.curve_picture(rows))
        yield _table(
            "Curves",
            ("who", "threshold, px", "95 % interval", "slope, logits a doubling", "lapse", "note"),
            [
                (
                    row["name"],
                    _px(row["threshold"]),
                    f"{_px(row['threshold_low'])} to {_px(row['threshold_high'])}",
                    f"{_number(row['slope'])} ({_number(row['slope_low'])} to "
                    f"{_number(row['slope_high'])})",
                    _number(row["lapse"]),
                    row["note"],
                )
                for row in rows
            ],
        )
    times = [row for row in figures["times"] if row["points"]]
    if times:
        yield "<h2>People's times and models' margins</h2>"
        yield _figure(plots.time_picture(times))
        for row in times:
            yield (
                f"<p>{escape(row['model'])}: rank correlation {_number(row['spearman'])} "
                f"({_number(row['low'])} to {_number(row['high'])}) over {row['images']} images. "
                f"{escape(row['note'])}</p>"
            )


def _gaze(figures: Figures) -> Iterator[str]:
    if figures["gaze"]:
        yield "<h2>Gaze and attention</h2>"
        yield _table(
            "Gaze and attention",
            ("who", "images", "similarity", "correlation"),
            [
                (
                    "people, each with the others" if row["name"] == PEOPLE else row["name"],
                    row["images"],
                    _between(row, "similarity"),
                    _between(row, "correlation"),
                )
                for row in figures["gaze"]
            ],
        )
        yield (
            "<p class='soft'>What was on screen stands for gaze: nobody knows where the eyes were."
            "</p>"
        )


def _budget(figures: Figures) -> Iterator[str]:
    if figures["viewing_budget"]:
        yield "<h2>The same viewing budget</h2>"
        yield (
            "<p>The model is given what a person had on screen, as sharp as their screen showed "
            "it, and mid-grey elsewhere.</p>"
        )
        yield _table(
            "The same viewing budget",
            ("model", "answers", "people, %", "model, as seen, %", "model, whole, %", "p"),
            [
                (
                    row["model"],
                    row["answers"],
                    *(
                        f"{_percent(row[part]['accuracy'])} ({_ends(row[part])})"
                        for part in ("people", "as_seen", "whole")
                    ),
                    _p(row["p_value"]),
                )
                for row in figures["viewing_budget"]
            ],
        )


def _method(figures: Figures) -> Iterator[str]:
    yield (
        f"<p class='soft'>umnist {escape(__version__)}, seed {figures['seed']}, "
        f"{figures['draws']} draws. Images are paired by the hash of their pixels and by nothing "
        "else. Intervals are of 95 %, each for its own row. docs/people-and-models.md explains "
        "every figure.</p>"
    )


_SECTIONS = (
    _summary,
    _accuracy,
    _consistency,
    _mixed,
    _mcnemar,
    _failures,
    _scale,
    _curves,
    _gaze,
    _budget,
    _method,
)


# -- pieces ---------------------------------------------------------------------------


def _figure(picture: Drawing | None, caption: str = "") -> str:
    if picture is None:
        return ""
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    style = f'style="max-width: {picture.width}px"'
    # Focusable, as it scrolls sideways on a narrow screen.
    return f'<figure tabindex="0" {style}>{svg_text(picture)}{told}</figure>'


def _table(label: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="region" aria-label="Table: {label}">{table}</div>'


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None or value != value else f"{value:.2f}"  # noqa: PLR0124


def _ends(row: Row) -> str:
    return f"{_percent(row['low'])} to {_percent(row['high'])}"


def _between(row: Row, name: str) -> str:
    ends = f"{_number(row[f'{name}_low'])} to {_number(row[f'{name}_high'])}"
    return f"{_number(row[name])} ({ends})"


def _px(log_side: float | None) -> str:
    return "\N{EN DASH}" if log_side is None else f"{2**log_side:.1f}"


def _p(value: float | None) -> str:
    if value is None:
        return "\N{EN DASH}"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
