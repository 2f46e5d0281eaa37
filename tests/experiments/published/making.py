"""Folders of sweeps as `umnist sweep` leaves them, without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from umnist_core.experiments.sweeps.results import CELLS, CellResult, save_result

COST = {
    "seconds": 2.0,
    "cpu_seconds": 2.0,
    "peak_bytes": 1000,
    "hardware": "a machine of tests",
    "ended_utc": "2026-11-30T12:00:00+00:00",
}


def name_of(number: int) -> str:
    """Return the name of a cell."""
    return f"{number:016x}"


def write_plan(folder: Path, cells: Sequence[Mapping[str, Any]], **told: Any) -> None:
    """Write the plan of a sweep."""
    (folder / CELLS).mkdir(parents=True, exist_ok=True)
    plan = {
        **{"title": "A sweep of tests", "kind": "evaluate", "about": "", "published": ""},
        **{"size": "compact", "needs": "", **told, "cells": list(cells)},
    }
    (folder / "plan.json").write_text(json.dumps(plan))


def write_evaluation(
    folder: Path,
    points: Sequence[tuple[Mapping[str, str], Sequence[int]]],
    *,
    images: int = 10,
    done: int | None = None,
    **told: Any,
) -> None:
    """Write a sweep that evaluates the digit finder.

    Parameters
    ----------
    points
        Parameters of scenes, and right answers of each seed.
    done
        How many cells have a result; all by default.
    told
        Of the plan.
    """
    cells, number = [], 0
    for overrides, rights in points:
        for seed, right in enumerate(rights):
            name = name_of(number)
            cells.append({"name": name, "labels": dict(overrides), "seed": seed})
            if done is None or number < done:
                _save(folder, name, overrides, (seed, right, images))
            number += 1
    write_plan(folder, cells, **told)


def _save(
    folder: Path, name: str, overrides: Mapping[str, str], answered: tuple[int, int, int]
) -> None:
    seed, right, images = answered
    (folder / CELLS).mkdir(parents=True, exist_ok=True)
    said = [7] * right + [8] * (images - right)
    figures = {
        "index": list(range(images)),
        "tasks": {"sum": {"images": images, "right": right, "said": said, "true": [7] * images}},
        "digits": {
            "digits": 4 * images,
            "right": 3 * images,
            "by_class": [{"value": 3, "digits": 20, "right": 15}],
        },
    }
    config = {
        "checkpoint": "digit-finder",
        "preset": "released",
        "overrides": dict(overrides),
        "seed": seed,
        "split": "test",
        "first": 0,
        "count": images,
    }
    result = CellResult(
        name, "done", "evaluate", dict(overrides), seed, config, {}, "0" * 16, "umnist evaluate"
    )
    save_result(folder, CellResult(**{**vars(result), "figures": figures, "cost": COST}))


def write_training(
    folder: Path, thicknesses: Mapping[str, Sequence[float]], *, published: str
) -> None:
    """Write a sweep that trains: thickness -> share of majority right, of each seed."""
    cells, number = [], 0
    for thickness, shares in thicknesses.items():
        for seed, share in enumerate(shares):
            name = name_of(1000 + number)
            number += 1
            labels = {"thickness_mode": "integer", "thickness": thickness}
            cells.append({"name": name, "labels": labels, "seed": seed})
            part = {"images": 100, "loss": 0.5, "right": {"majority": round(100 * share)}}
            learned = {**part, "right": {"majority": 99}}
            epoch = {"epoch": 1, "train": learned, "validation": part, "test": part}
            figures = {
                "epochs": [epoch, {**epoch, "epoch": 2}],
                **dict.fromkeys(("first", "best", "final"), epoch),
            }
            config = {
                "training": {
                    "model": {"name": "ips", "settings": {}},
                    "data": {"count": 2000, "overrides": labels},
                },
                "test": {"count": 100},
            }
            (folder / CELLS).mkdir(parents=True, exist_ok=True)
            result = CellResult(name, "done", "train", labels, seed, config, {}, "0" * 16)
            save_result(folder, CellResult(**{**vars(result), "figures": figures, "cost": COST}))
    write_plan(folder, cells, kind="train", published=published)
