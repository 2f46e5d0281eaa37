"""People's answers to the images of a study, as they are compared with models'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from umnist_core.errors import InvalidValueError
from umnist_core.scoring import Trace
from umnist_core.scoring.tables import LABEL

FIGURES = ("n_digits", "smallest_side_px", "ink_share")
"""Of an image, that every study's table has where the digits are known."""

_NOT_NOISE = {
    *("study", "stimulus", "truth", "digits", "canvas_height_px", "canvas_width_px", "file"),
    *("sha256", "pixels_sha256", "source", "labels_unguided", "labels_guided", *FIGURES),
}
_NEEDED = {
    "answers": ("annotator", "pool", "stimulus", "answer", "truth", "kind", "label_key"),
    "digits": ("label_key", "stimulus", "digit_class", "row0", "col0", "row1", "col1"),
    "stimuli": ("stimulus", "truth"),
}


@dataclass(frozen=True)
class TrueDigit:
    """A digit of an image: its class, and its square as row0, col0, row1, col1 in canvas px."""

    label: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image of a study.

    Attributes
    ----------
    id
        Within the study.
    pixels
        Its hash of `umnist_core.pyramid.pixel_hash`; None where it is not known.
    truth
        Sum of its digits.
    size
        Height and width, px; None where they are not known.
    digits
        With their places; None where only the sum is known.
    figures
        Numbers of `FIGURES` and of noise, such as ``cells`` and ``circles``.
    """

    id: str
    pixels: str | None
    truth: int
    size: tuple[int, int] | None
    digits: tuple[TrueDigit, ...] | None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PeopleData:
    """What people answered.

    Attributes
    ----------
    name
        Of the study.
    answers
        First answers that count, a row each, with the columns of the codebook.
    digits
        Of those answers, with how long each was looked at.
    images
        By id, all of the study.
    traces
        ``label_key`` -> parts of the viewport trace, where there is one.
    """

    name: str
    answers: pd.DataFrame
    digits: pd.DataFrame
    images: Mapping[str, ImageFacts]
    traces: Mapping[str, Trace]

    @property
    def noise(self) -> tuple[str, ...]:
        """Names of the figures of noise that any image has."""
        names = {name for one in self.images.values() for name in one.figures}
        return tuple(sorted(names - set(FIGURES)))


def people_of_tables(
    answers: pd.DataFrame,
    digits: pd.DataFrame,
    stimuli: pd.DataFrame,
    traces: pd.DataFrame | None = None,
    name: str = "",
    *,
    pixels: Mapping[str, str] | None = None,
) -> PeopleData:
    """Return people's answers from the tables of a study.

    Parameters
    ----------
    answers, digits, stimuli, traces
        As the codebook of a study has them; surplus answers and repeats are left out.
    name
        Of the study.
    pixels
        Image -> hash of its px, for studies whose table lacks them.

    Raises
    ------
    InvalidValueError
        If a table lacks a column that is needed.
    """
    for table, frame in (("answers", answers), ("digits", digits), ("stimuli", stimuli)):
        missing = [column for column in _NEEDED[table] if column not in frame]
        if missing:
            raise InvalidValueError(
                f"Expected the table {table} of a study with the column {missing[0]}, found none; "
                "export the study again."
            )
    if len(stimuli) and stimuli["truth"].isna().all():
        raise InvalidValueError(
            f"Study {name or 'given'} has images without truth, so nobody can say which answers of "
            "people or models are right; choose a study with truth."
        )
    kept = answers[answers["kind"] == LABEL]
    if "counted" in kept:
        kept = kept[kept["counted"].astype(bool)]
    kept = kept.assign(correct=kept["answer"] == kept["truth"]).reset_index(drop=True)
    own = digits[digits["label_key"].isin(set(kept["label_key"]))].reset_index(drop=True)
    parts = {} if traces is None else _traces(traces, set(kept["label_key"]))
    images = {
        row["stimulus"]: _facts(row, places, pixels or {})
        for row, places in _rows_with_digits(stimuli, digits)
    }
    return PeopleData(name, kept, own, images, parts)


def _rows_with_digits(
    stimuli: pd.DataFrame, digits: pd.DataFrame
) -> list[tuple[dict[str, Any], pd.DataFrame | None]]:
    by_image: dict[str, pd.DataFrame] = {}
    for image, group in digits.groupby("stimulus", sort=False):
        by_image[str(image)] = group[group["label_key"] == group["label_key"].iloc[0]]
    rows = ({str(key): one for key, one in row.items()} for row in stimuli.to_dict("records"))
    return [(row, by_image.get(row["stimulus"])) for row in rows]


def _facts(
    row: Mapping[str, Any], places: pd.DataFrame | None, pixels: Mapping[str, str]
) -> ImageFacts:
    name = str(row["stimulus"])
    recorded = row.get("pixels_sha256")
    height, width = row.get("canvas_height_px"), row.get("canvas_width_px")
    figures = {
        str(key): float(value)
        for key, value in row.items()
        if (key in FIGURES or key not in _NOT_NOISE) and _is_number(value)
    }
    columns = ("digit_class", "row0", "col0", "row1", "col1")
    known = None
    if places is not None:
        rows = places[list(columns)].itertuples(index=False, name=None)
        known = tuple(TrueDigit(int(one[0]), (one[1], one[2], one[3], one[4])) for one in rows)
    return ImageFacts(
        name,
        recorded if isinstance(recorded, str) and recorded else pixels.get(name),
        int(row["truth"]),
        None if height is None or width is None else (int(height), int(width)),
        known,
        figures,
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool | str) or value is None:
        return False
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(value))


def _traces(views: pd.DataFrame, keys: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the traces as they were recorded, from a table with a row for each view."""
    names = ["t_ms", "end_ms", "x_px", "y_px", "zoom", "pane_width_px", "pane_height_px", "visible"]
    found: dict[str, list[dict[str, Any]]] = {}
    chosen = views[views["label_key"].isin(keys)]
    for (key, _, _), part in chosen.groupby(["label_key", "seq", "part"], sort=True):
        rows: Sequence[tuple[Any, ...]] = list(part[names].itertuples(index=False, name=None))
        samples = [
            dict(zip(("t", "x", "y", "zoom", "w", "h", "visible"), (r[0], *r[2:]), strict=True))
            for r in rows
        ]
        found.setdefault(str(key), []).append({"samples": samples, "end_ms": rows[-1][1]})
    return found
