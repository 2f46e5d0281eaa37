"""A prediction as people and programs read it: lines, JSON, a row of a table. No torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from umnist_core.attention import AttentionShare
from umnist_core.attention.strongest import strongest_places
from umnist_core.inference.prediction import Prediction, TaskAnswer, as_xywh
from umnist_core.inference.wrong import without_pictures
from umnist_core.spreadsheets import csv_text

SUM = "sum"
"""Name of the task that asks for the sum of the digits."""

LINES_MAX = 5
"""Strongest places and runners-up that are printed."""

PLACES_MAX = 24
"""Strongest places in JSON, as on the page."""

Row = dict[str, Any]


def _strongest(found: Prediction, most: int = PLACES_MAX) -> list[Row]:
    """Return the heaviest places, the mean over tasks and heads; none without any weight."""
    if found.attention is None:
        return []
    return [one for one in strongest_places(found.attention, most) if one["weight"] > 0]


def prediction_json(found: Prediction) -> Row:
    """Return everything but arrays and pictures, ready for JSON: with checkpoint, model, places."""
    about = {"checkpoint": found.checkpoint, "model": found.model}
    told = found.to_dict()
    told["why"] = without_pictures(told["why"])
    return about | told | {"strongest": _strongest(found)}


def prediction_lines(found: Prediction) -> Iterator[str]:
    """Yield what is printed of a prediction: warnings before the answers that they are of."""
    for doubt in found.doubts or ():
        yield f"warning: {doubt.sentence}"
    sure = _confidence_words(found)
    for place, task in enumerate(found.tasks):
        yield from _task_lines(task, sure if place == 0 else "")
    yield from _why_lines(found)
    if found.found is not None:
        digits = f"{len(found.found)} digit{'' if len(found.found) == 1 else 's'}"
        yield f"{digits} found" + (":" if found.found else "")
        for one in found.found:
            yield f"  {one.label} at {_box_words(as_xywh(one.box))}, score {one.score:.2f}"
    yield from _attention_lines(found)
    seconds = found.seconds
    yield (
        f"{sum(seconds.values()):.2f} s (loading the model {seconds['load']:.2f}, reading the "
        f"image {seconds['read']:.2f}, running {seconds['run']:.2f}) on {found.device}; peak "
        f"memory {found.peak_bytes / 1e6:.0f} MB"
    )


def _confidence_words(found: Prediction) -> str:
    if found.confidence is None:
        return ""
    return f"confidence {found.confidence:.2f}, {'' if found.is_calibrated else 'not '}calibrated"


def _task_lines(task: TaskAnswer, sure: str = "") -> Iterator[str]:
    """Yield an answer's lines; how sure it is stands in the words given, else as a probability."""
    said = " ".join(map(str, task.answer)) or "none"
    if not task.is_multi and task.probabilities:
        sure = sure or _percent(task.probabilities[task.answer[0]])
    if sure:
        said += f" ({sure})"
    if task.truth is not None:
        truth = " ".join(map(str, task.truth))
        said += ", right" if task.is_right else f", wrong: it is {truth}"
    yield f"{task.name}: {said}"
    if not task.probabilities:
        return
    order = sorted(range(task.classes), key=lambda one: -task.probabilities[one])
    shown = order[:LINES_MAX] if task.is_multi else order[1:LINES_MAX]
    chances = ", ".join(f"{one} {_percent(task.probabilities[one])}" for one in shown)
    yield f"  {'likeliest' if task.is_multi else 'then'} {chances}"


def _attention_lines(found: Prediction) -> Iterator[str]:
    if found.attention is None:
        yield f"attention: {found.no_attention}"
        return
    places = _strongest(found, LINES_MAX)
    total = len(found.attention.boxes)
    yield f"attention ({found.attention.kind}), strongest of {total} places:"
    for place in places:
        yield f"  {place['weight']:.4f} at {_box_words(place['box'])}"
    for task, one in (found.looked or {}).items():
        yield (
            f"attention to {task}: {_share_words(one.boxes)} within digits' boxes, "
            f"{_share_words(one.ink)} on their ink; as spread as over "
            f"{one.effective_places:.1f} places"
        )
    chosen = found.chosen
    if chosen is not None:
        yield (
            f"places that it chose: {chosen.on_digit} on digits, {chosen.on_noise} on noise, "
            f"{chosen.on_nothing} on nothing"
        )


def _share_words(one: AttentionShare) -> str:
    times = f"{one.times_chance:.1f} times chance" if one.chance else "by chance none"
    return f"{_percent(one.mass)} ({times}; a perfect model {_percent(one.perfect)})"


def _why_lines(found: Prediction) -> Iterator[str]:
    if found.why is None:
        return
    yield f"why: {found.why.sentence} ({found.why.title.lower()})"
    for one in found.why.digits:
        size = "" if one.how is None else f"{one.how.input_px:.1f} px at the model's input"
        rest = "; ".join(part for part in (one.words, size) if part)
        yield f"  {one.name} at {_box_words(as_xywh(one.box))}" + (f": {rest}" if rest else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _box_words(box: Sequence[float]) -> str:
    col, row, width, height = box
    return f"x {col:.0f}, y {row:.0f}, {width:.0f} x {height:.0f} px"


# -- tables ---------------------------------------------------------------------------


def prediction_row(
    image_id: str, found: Prediction, notes: Sequence[str] = (), pixels: str | None = None
) -> Row:
    """Return a prediction as a row of the table, named as in that of `umnist evaluate`.

    Parameters
    ----------
    image_id, found
        Of the image.
    notes
        A sentence for each choice that was made to read its file.
    pixels
        Its hash of `umnist_core.pyramid.pixel_hash`, by which people's answers to it are found.
    """
    row: Row = {"id": image_id}
    for task in found.tasks:
        row[f"said_{task.name}"] = " ".join(map(str, task.answer))
        if not task.is_multi and task.probabilities:
            row[f"probability_{task.name}"] = f"{task.probabilities[task.answer[0]]:.6f}"
            row[f"margin_{task.name}"] = f"{margin_of(task.probabilities):.6f}"
        if task.truth is not None:
            row[f"true_{task.name}"] = " ".join(map(str, task.truth))
            row[f"correct_{task.name}"] = task.is_right
    sure = "" if found.confidence is None else f"{found.confidence:.6f}"
    row["confidence"], row["is_calibrated"] = sure, found.is_calibrated
    if found.why is not None:
        row["why"] = found.why.sentence
    if found.doubts is not None:
        row["warnings"] = " ".join(doubt.kind for doubt in found.doubts)
    if found.found is not None:
        row["digits_found"] = len(found.found)
        row["found"] = json.dumps(
            [[one.label, *_rounded(one.box), one.score] for one in found.found]
        )
    row["width"], row["height"] = found.width, found.height
    row["seconds"] = f"{sum(found.seconds.values()):.3f}"
    row["peak_bytes"] = found.peak_bytes
    row["notes"] = " ".join(notes)
    if pixels is not None:
        row["pixels_sha256"] = pixels
    return row


def margin_of(probabilities: Sequence[float]) -> float:
    """Return how much likelier the likeliest answer is than the next, 0 to 1."""
    best = sorted(probabilities)[-2:]
    return best[-1] - best[0] if len(best) > 1 else best[0]


def _rounded(box: Sequence[float]) -> list[float]:
    return [round(float(end), 2) for end in box]


def failure_row(image_id: str, error: Exception, truth: int | None = None) -> Row:
    """Return the row of an image for which there is no prediction; its sum may be known."""
    known = {} if truth is None else {f"true_{SUM}": str(truth)}
    return {"id": image_id, **known, "error": str(error)}


def with_sum(found: Prediction, truth: int | None) -> Prediction:
    """Return a prediction of a file whose sum is known elsewhere, with that as the truth."""
    if truth is None:
        return found
    tasks = (
        replace(task, truth=(truth,)) if task.name == SUM and task.truth is None else task
        for task in found.tasks
    )
    return replace(found, tasks=tuple(tasks))


def accuracy_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield how often the sum was right, of a table's images whose sum is known.

    An image without an answer counts as wrong, as everywhere. Nothing where no model gave sums.
    """
    known = [row for row in rows if f"true_{SUM}" in row]
    if not any(f"said_{SUM}" in row for row in known):
        return
    from umnist_core.scoring.intervals import wilson  # loads pandas

    right = sum(bool(row.get(f"correct_{SUM}")) for row in known)
    of = wilson(right, len(known))
    images = f"{len(known)} image{'' if len(known) == 1 else 's'} with a sum"
    failed = sum("error" in row for row in known)
    yield (
        f"accuracy {_percent(of.estimate)} (95 %: {_percent(of.low)} to {_percent(of.high)}), "
        f"{right} right of {images}" + (f", {failed} without an answer" if failed else "")
    )


def table_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV; every column that one of them has, ``error`` at the end."""
    columns = dict.fromkeys(name for row in rows for name in row if name != "error")
    return csv_text((*columns, "error"), rows)
