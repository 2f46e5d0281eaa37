"""How far an evaluated model's confidences and warnings can be trusted; what goes onto a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from umnist_core.models.base import DOUBTS

Row = dict[str, Any]


def calibration_summary(rows: Sequence[Row], task: str) -> Row:
    """Return how far confidences lie from shares of right answers, with a reliability diagram.

    Parameters
    ----------
    rows
        Of `umnist_core.training.evaluate.Evaluation`; those without a truth do not count.
    task
        That the confidences are of: the first.

    Returns
    -------
    dict
        As `umnist_core.scoring.Reliability.to_dict`, with ``task`` and ``is_calibrated``; empty
        without images.
    """
    from umnist_core.scoring import reliability  # SciPy and pandas

    known = [row for row in rows if row[f"correct_{task}"] is not None]
    if not known:
        return {}
    found = reliability(
        [row["confidence"] for row in known], [row[f"correct_{task}"] for row in known]
    )
    is_calibrated = all(row["is_calibrated"] for row in known)
    return {"task": task, "is_calibrated": is_calibrated, **found.to_dict()}


def warnings_summary(rows: Sequence[Row]) -> Row:
    """Return how many images were warned of, with Wilson's intervals.

    Returns
    -------
    dict
        ``images``, ``any`` and ``kinds``, one for each of `umnist_core.models.base.DOUBTS`; empty
        of models that look for no doubts.
    """
    told = [row["warnings"].split() for row in rows if row["warnings"] is not None]
    if not told:
        return {}
    return {
        "images": len(told),
        "any": _share(sum(bool(kinds) for kinds in told), len(told)),
        "kinds": {kind: _share(sum(kind in kinds for kinds in told), len(told)) for kind in DOUBTS},
    }


def _share(warned: int, images: int) -> Row:
    from umnist_core.scoring import wilson

    found = wilson(warned, images)
    return {"warned": warned, "share": found.estimate, "low": found.low, "high": found.high}


def card_summary(figures: Mapping[str, Any]) -> Row:
    """Return of a summary what belongs on a card: no times, and no table by what images are like.

    Parameters
    ----------
    figures
        As `umnist_core.training.evaluate.Evaluation.summary` gives them.

    Returns
    -------
    dict
        ``data``, ``images``, ``tasks`` with the ``accuracy`` of each and, where images have
        different numbers of digits, ``by_digits``; ``digits`` with ``all``; ``calibration`` and
        ``warnings``; and ``numbers`` with the errors of tasks that ask for one. What is empty is
        left out.
    """
    digits = {name: one for name, one in figures["digits"].items() if name == "all"}
    kept = {
        "data": figures["data"],
        "images": figures["images"],
        "tasks": {
            task: _few_tables(tables)
            for task, tables in figures["tasks"].items()
            if tables["accuracy"]["images"]
        },
        "numbers": figures["numbers"],
        "digits": digits,
        "calibration": figures["calibration"],
        "warnings": figures["warnings"],
    }
    return {name: value for name, value in kept.items() if value != {}}


def _few_tables(tables: Mapping[str, Any]) -> Row:
    few = {"accuracy": tables["accuracy"]}
    return few | ({"by_digits": tables["by_digits"]} if len(tables["by_digits"]) > 1 else {})
