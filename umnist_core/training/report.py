"""What `umnist evaluate` does with its options, and what it prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from umnist_core.datasets import Recipe
from umnist_core.models.cards import get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.config import DataPart
from umnist_core.training.data import Samples, SceneSamples, open_samples
from umnist_core.training.distributed import joined_group
from umnist_core.training.evaluate import (
    Evaluation,
    evaluate,
    write_answers,
    write_submission,
    write_summary,
)
from umnist_core.training.memory import cap_memory, gigabytes, parse_budget
from umnist_core.training.provenance import describe_hardware, find_versions

SCENES = 1000


def run_evaluation(checkpoint: str, options: dict[str, Any]) -> Iterator[str]:
    """Evaluate a checkpoint, write the files that were asked for, and yield lines to print."""
    path = get_checkpoint(checkpoint)
    model, card = load_checkpoint(path)
    with joined_group(options["device"]) as group:
        if options["memory_budget"]:
            cap_memory(parse_budget(options["memory_budget"]), group.device)
        found = evaluate(
            model.to(group.device),
            _samples(options),
            batch_size=options["batch_size"],
            workers=options["workers"],
            with_attention=options["attention"],
            shows_progress=True,
        )
        about = {
            "checkpoint": path.name,
            "sha256": card.sha256,
            "model": card.model,
            "hardware": describe_hardware(group.device),
            "versions": find_versions(),
        }
    if options["out"]:
        write_summary(options["out"], found, about)
    if options["answers"]:
        write_answers(options["answers"], found)
    if options["submission"]:
        write_submission(options["submission"], found)
    yield f"{card.model} from {path.name} on {about['hardware']}"
    yield from _lines(found)


def _samples(options: dict[str, Any]) -> Samples:
    count, split = options["count"], options["split"]
    if options["data"] is not None:
        return open_samples(DataPart(folder=str(options["data"]), split=split, count=count or 0))
    preset, overrides = options["preset"], options["overrides"]
    return SceneSamples(Recipe(count or SCENES, preset, options["seed"], split, overrides))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    figures = evaluation.summary()
    for task, tables in figures["tasks"].items():
        yield f"{task}: {_share(tables['accuracy'])}"
        for row in tables["by_smallest_side_px"]:
            below = "" if row["below"] is None else f" to {row['below']:g}"
            yield f"  smallest digit {row['from']:g}{below} px: {_share(row)}"
        for name in ("digits", "shapes", "strokes"):
            rows = tables[f"by_{name}"]
            if len(rows) > 1:
                yield from (f"  {row[name]} {name}: {_share(row)}" for row in rows)
    if figures["digits"]:
        found = figures["digits"]["all"]
        yield (
            f"digits found and read: {100 * found['share']:.1f} % ({100 * found['low']:.1f} to "
            f"{100 * found['high']:.1f}), {found['right']} of {found['digits']}"
        )
    attention = figures["attention"]
    if "mass" in attention:
        yield (
            f"attention: {attention['mass']:.4f} of its mass on digits (chance "
            f"{attention['chance']:.4f}), pointing game {attention['pointing']:.3f}"
        )
    else:
        yield f"attention: {attention['none']}"
    yield (
        f"{figures['seconds_per_image']:.3f} s an image, {figures['model_seconds_per_image']:.3f} "
        f"of it in the model; peak memory {gigabytes(figures['peak_bytes'])}"
    )


def _share(row: dict[str, Any]) -> str:
    if not row["images"]:
        return "no labels to compare with"
    return (
        f"{100 * row['accuracy']:.1f} % ({100 * row['low']:.1f} to {100 * row['high']:.1f}), "
        f"{row['correct']} of {row['images']}"
    )
