"""A comparison of people and models as tables in CSV, a file for each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from umnist_core.experiments.people.compare import PeopleReport
from umnist_core.spreadsheets import csv_text

_LISTS = (
    "raters",
    "accuracy",
    "paired_tests",
    "reasons",
    "times",
    "psychometric",
    "gaze",
    "viewing_budget",
)

Row = Mapping[str, Any]


def report_tables(report: PeopleReport) -> dict[str, str]:
    """Return the figures as CSV.

    Returns
    -------
    dict
        Name of a file -> its text. What has no rows has no file.
    """
    figures = report.to_dict()
    parts: dict[str, Sequence[Row]] = {name: figures[name] for name in _LISTS}
    parts["kappa_pairs"] = figures["consistency"]["pairs"]
    parts["kappa_groups"] = figures["consistency"]["groups"]
    parts["ceiling"] = [*figures["ceiling"]["persons"], *figures["ceiling"]["models"]]
    parts["confusion"] = [
        {"name": one["name"], "truth": truth, "answer": answer, "count": count}
        for one in figures["confusion"]
        for truth, answer, count in one["cells"]
    ]
    parts["effects"] = (figures["mixed"] or {}).get("effects", [])
    for name, scale in (figures["scale"] or {}).items():
        parts[f"abilities_{name}"] = scale["abilities"]
        parts[f"difficulties_{name}"] = scale["difficulties"]
    return {f"{name}.csv": _text(rows) for name, rows in parts.items() if rows}


def _text(rows: Sequence[Row]) -> str:
    flat = [dict(_flat(row)) for row in rows]
    columns = dict.fromkeys(name for row in flat for name in row)
    return csv_text(list(columns), flat)


def _flat(row: Row, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the cells of a row; figures within figures get both names, lists are left out."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        elif not isinstance(value, list):
            yield f"{before}{name}", value
