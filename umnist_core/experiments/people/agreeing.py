"""Who errs together with whom, and abilities and difficulties on one scale, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from umnist_core.experiments.people.breakdowns import PEOPLE
from umnist_core.experiments.people.pairing import Paired
from umnist_core.scoring.agreement import (
    MODEL,
    PAIRS,
    PERSON,
    ErrorConsistency,
    Kappa,
    Marks,
    PsychometricFit,
    Scale,
    compare_paired,
    fit_psychometric,
    fit_psychometric_by_people,
    fit_scale,
    mixed_model,
)

SIZE = "smallest_side_px"
SIZE_TITLE = "log2 smallest side px"

_BINS = 8
_CURVE_POINTS = 61
_LEAST_ANSWERS = 20
"""Fewer answers make no curve."""

Row = dict[str, Any]


# -- error consistency ----------------------------------------------------------------


def consistency(found: ErrorConsistency) -> Row:
    """Return the error consistency of each two raters, and of people and models pooled."""
    marks = found.marks
    pairs = []
    for first, second, kind in found.iter_pairs():
        about = {"a": marks.raters[first], "b": marks.raters[second], "kind": kind}
        one = found.pair(first, second)
        if one.pairs:
            pairs.append({**about, **_of_kappa(one), "images": int(one.images)})
    groups = []
    models = [place for place, kind in enumerate(marks.kinds) if kind == MODEL]
    for kind in PAIRS:
        chosen = models if kind == PAIRS[1] else [None]
        for model in chosen:
            pooled = found.group(kind, model)
            if pooled.pairs:
                name = None if model is None else marks.raters[model]
                groups.append({"kind": kind, "model": name, **_of_kappa(pooled)})
    return {"pairs": pairs, "groups": groups}


def ceiling(found: ErrorConsistency) -> Row:
    """Return how consistent each person is with the others, and models beside that."""
    marks = found.marks
    people = [place for place, kind in enumerate(marks.kinds) if kind == PERSON]
    persons = []
    for place in people:
        one = found.against_others(place)
        if one.pairs:
            row = {"name": marks.raters[place], "others": one.pairs, **_of_kappa(one)}
            persons.append({**row, "images": one.images})
    whole = found.group(PAIRS[0])
    models = []
    for place, kind in enumerate(marks.kinds):
        if kind == MODEL:
            own = found.group(PAIRS[1], place)
            share = own.kappa / whole.kappa if whole.kappa > 0 else float("nan")
            row = {"name": marks.raters[place], **_of_kappa(own), "share_of_ceiling": share}
            models.append(row)
    return {"persons": persons, "mean": _of_kappa(whole), "models": models}


def _of_kappa(one: Kappa) -> Row:
    row = asdict(one)
    return {name: row[name] for name in row if name != "images"}


def paired_rows(marks: Marks) -> Iterator[Row]:
    """Yield McNemar's test of each two raters of whom one is a model."""
    for first, kind in enumerate(marks.kinds):
        for second in range(first + 1, len(marks.kinds)):
            if MODEL not in (kind, marks.kinds[second]):
                continue
            both_models = kind == marks.kinds[second]
            one = compare_paired(marks.right[first], marks.right[second])
            yield {
                "a": marks.raters[first],
                "b": marks.raters[second],
                "kind": PAIRS[2] if both_models else PAIRS[1],
                "images": one.images,
                "a_only": one.first_only,
                "b_only": one.second_only,
                "both": one.both,
                "neither": one.neither,
                "difference": one.difference,
                "low": one.low,
                "high": one.high,
                "p_value": one.p_value,
            }


# -- one scale ------------------------------------------------------------------------


def scales(marks: Marks) -> tuple[Row | None, Row | None]:
    """Return the mixed model and both scales; None where there are too few answers for them."""
    if min(marks.right.shape) < 2:
        return None, None
    rasch = fit_scale(marks)
    both = {
        "rasch": _of_scale(rasch, marks),
        "two_parameter": _of_scale(fit_scale(marks, two_parameters=True), marks),
    }
    people = int(marks.is_person.sum())
    if people < 2:
        return None, both
    mixed = mixed_model(marks, rasch.fit)
    return {
        "people": {"accuracy": mixed.accuracy, "low": mixed.low, "high": mixed.high},
        "person_sd": mixed.person_sd,
        "image_sd": mixed.image_sd,
        "effects": [asdict(one) for one in mixed.effects],
        "note": "With fewer than ten people the spread of people is hardly known."
        if people < 10
        else "",
    }, both


def _of_scale(scale: Scale, marks: Marks) -> Row:
    two = scale.fit.discrimination_sd > 0
    return {
        "abilities": [
            {
                "name": one.name,
                "kind": kind,
                "ability": one.estimate,
                "low": one.low,
                "high": one.high,
                "answers": one.answers,
            }
            for one, kind in zip(scale.abilities, marks.kinds, strict=True)
        ],
        "difficulties": [
            {
                "image": one.name,
                "difficulty": one.estimate,
                "low": one.low,
                "high": one.high,
                "discrimination": one.discrimination if two else None,
                "answers": one.answers,
            }
            for one in scale.difficulties
        ],
        "person_sd": scale.fit.person_sd,
        "image_sd": scale.fit.image_sd,
        "discrimination_sd": scale.fit.discrimination_sd if two else None,
        "log_likelihood": scale.fit.log_likelihood,
    }


# -- curves over the size of the smallest digit ---------------------------------------


def psychometric_rows(paired: Paired, rng: np.random.Generator) -> Iterator[Row]:
    """Yield the curve of right answers over the smallest digit's side, of people and models."""
    sides = {
        name: float(np.log2(one.figures[SIZE]))
        for name, one in paired.images.items()
        if one.figures.get(SIZE, 0) > 0
    }
    if len(set(sides.values())) < 2:
        return
    places = _binned(sides)
    own = paired.answers[paired.answers["stimulus"].isin(set(places))]
    if len(own) >= _LEAST_ANSWERS:
        x = own["stimulus"].map(places).to_numpy(float)
        right = own["correct"].to_numpy(bool)
        who = own["annotator"].to_numpy(object)
        fit = fit_psychometric_by_people(x, right, who, rng=rng, falls=False)
        yield _of_curve(PEOPLE, fit, x, right)
    for model in paired.models:
        x = np.array(list(places.values()))
        right = np.array([paired.is_right(model, image) for image in places])
        if len(x) >= _LEAST_ANSWERS:
            levels, at = np.unique(x, return_inverse=True)
            hits, asked = np.bincount(at, right), np.bincount(at)
            fit = fit_psychometric(levels, hits, asked, falls=False)
            yield _of_curve(model, fit, x, right)


def _binned(values: dict[str, float]) -> dict[str, float]:
    """Return each image's value as the mean of its bin of about as many images."""
    names = sorted(values, key=values.__getitem__)
    parts = np.array_split(np.array([values[name] for name in names]), min(_BINS, len(names)))
    means = np.concatenate([np.full(len(part), part.mean()) for part in parts])
    return dict(zip(names, means.tolist(), strict=True))


def _of_curve(
    name: str, fit: PsychometricFit, x: np.ndarray[Any, Any], right: np.ndarray[Any, Any]
) -> Row:
    table = pd.DataFrame({"x": x, "right": right}).groupby("x")["right"].agg(["size", "sum"])
    grid = np.linspace(float(x.min()), float(x.max()), _CURVE_POINTS)
    return {
        "name": name,
        "x": SIZE_TITLE,
        "points": [
            {"x": float(at), "answers": int(size), "correct": int(hits)}
            for at, size, hits in zip(table.index, table["size"], table["sum"], strict=True)
        ],
        **fit.to_dict(),
        "curve": [[float(at), float(p)] for at, p in zip(grid, fit.predict(grid), strict=True)],
    }
