"""A small study of known answers, and models beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tests.scoring.tables import digits_of, label, labels_of, sample, trace
from umnist_core.experiments.people import (
    ModelAnswer,
    ModelAnswers,
    PeopleData,
    people_of_tables,
)
from umnist_core.scoring import add_looks

IMAGES = tuple(f"image-{at}" for at in range(12))


def hash_of(image: str) -> str:
    """Return a made-up hash of an image's pixels."""
    return f"{int(image.partition('-')[2]):064x}"


def views_of(keys: Sequence[str], *views: tuple[float, float, float]) -> pd.DataFrame:
    """Return a table of traces: each view of (x, y, zoom) for a second, for each answer."""
    rows = [
        {
            "label_key": key,
            "seq": 1,
            "part": 0,
            "t_ms": 1000.0 * at,
            "end_ms": 1000.0 * (at + 1),
            "x_px": x,
            "y_px": y,
            "zoom": zoom,
            "pane_width_px": 800.0,
            "pane_height_px": 600.0,
            "visible": True,
        }
        for key in keys
        for at, (x, y, zoom) in enumerate(views)
    ]
    return pd.DataFrame(rows)


def small_study(answers: Mapping[str, Sequence[int | None]], **more: Any) -> PeopleData:
    """Return a study of images whose sum is 8, with digits 3, 0 and 5.

    Parameters
    ----------
    answers
        Person -> answers to the first images; None where there is none.
    more
        Columns of all answers.
    """
    rows = [
        label(person, image, given, smallest_side_px=14 * (1 + at), **more)
        for person, own in answers.items()
        for at, (image, given) in enumerate(zip(IMAGES, own, strict=False))
        if given is not None
    ]
    labels = labels_of(*rows).assign(counted=True)
    looks = trace(sample(0, 1500, 1000, 1.0), end_ms=1000)
    digits = add_looks(digits_of(labels), dict.fromkeys(labels["label_key"], looks))
    stimuli = pd.DataFrame(
        [
            {
                "study": "study",
                "stimulus": image,
                "truth": 8,
                "n_digits": 3.0,
                "smallest_side_px": 14.0 * (1 + at),
                "ink_share": 0.02,
                "digits": [3, 0, 5],
                "cells": 10.0 + at,
                "circles": float(at % 2),
                "canvas_height_px": 2000,
                "canvas_width_px": 2400,
                "file": f"{image}.png",
                "sha256": "0" * 64,
                "pixels_sha256": hash_of(image),
                "source": "{}",
            }
            for at, image in enumerate(IMAGES)
        ]
    )
    traces = views_of(list(labels["label_key"]), (1500, 1000, 1.0), (1000, 1000, 4.0))
    return people_of_tables(labels, digits, stimuli, traces, "A small study")


def model_of(name: str, said: Mapping[str, int | None], **more: Any) -> ModelAnswers:
    """Return a model's answers: image -> sum; ``more`` are fields of all of them."""
    answers = (
        ModelAnswer(image=image, pixels=hash_of(image), said=given, **more)
        for image, given in said.items()
    )
    return ModelAnswers(name, tuple(answers))


def cell_of(*found: tuple[int, float]) -> str:
    """Return a cell of found digits: class and column of a box at row 1000, 28 px wide."""
    return json.dumps([[one, 1000.0, col, 1028.0, col + 28, 0.9] for one, col in found])
