"""How far an evaluated model's confidences and warnings can be trusted; what goes onto a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from umnist_core.models.base import DOUBTS

Row = dict[str, Any]

MOST_MISSED = 40
"""Missed scenes that are listed: the first ones."""


def answers_summary(rows: Sequence[Row], task: str, described: Mapping[str, Any]) -> Row:
    """Return what was said of each truth, and which scenes were missed.

    Parameters
    ----------
    rows
        Of `umnist_core.training.evaluate.Evaluation`, in the order of the images.
    task
        The first one.
    described
        What the images follow from. Only scenes as they are drawn have an index by which somebody
        else sees the same; of others nothing is listed.

    Returns
    -------
    dict
        ``task``; ``said`` with truth -> answer -> images, both as texts, for JSON has no other
        names; and ``missed`` with ``index``, ``true`` and ``said`` of the first `MOST_MISSED`.
        Empty where the answer is none of several classes, or no truth is known.
    """
    at = [
        (place, row[f"true_{task}"], row[f"said_{task}"])
        for place, row in enumerate(rows)
        if row[f"correct_{task}"] is not None and isinstance(row[f"true_{task}"], int)
    ]
    if not at:
        return {}
    counts: dict[int, Counter[int]] = {}
    for _, true, said in at:
        counts.setdefault(true, Counter())[said] += 1
    told = {
        str(true): {str(said): count for said, count in sorted(found.items())}
        for true, found in sorted(counts.items())
    }
    is_drawn = described.get("preset") and not {"variant", "turns"} & set(described)
    first = described.get("first", 0)
    missed = [
        {"index": first + place, "true": true, "said": said}
        for place, true, said in at
        if said != true
    ]
    listed = {"missed": missed[:MOST_MISSED]} if is_drawn else {}
    return {"task": task, "said": told, **listed}


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
        different numbers of digits, ``by_digits``; ``digits`` with ``all``; ``calibration``,
        ``warnings`` and ``answers``; and ``numbers`` with the errors of tasks that ask for one.
        What is empty is left out.
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
        "answers": figures["answers"],
    }
    return {name: value for name, value in kept.items() if value != {}}


def _few_tables(tables: Mapping[str, Any]) -> Row:
    few = {"accuracy": tables["accuracy"]}
    return few | ({"by_digits": tables["by_digits"]} if len(tables["by_digits"]) > 1 else {})
