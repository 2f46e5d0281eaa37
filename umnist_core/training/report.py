"""What `umnist evaluate` does with its options, and what it prints."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from umnist_core.datasets import Recipe
from umnist_core.datasets.decode import choice_sentences
from umnist_core.models.base import Model
from umnist_core.models.cards import find_checkpoints, get_checkpoint, keep_measured
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.own.trust import assuming_digits
from umnist_core.training.config import DataPart
from umnist_core.training.data import Samples, SceneSamples, open_samples
from umnist_core.training.distributed import joined_group
from umnist_core.training.enlarging import is_enlarger, run_enlarging
from umnist_core.training.evaluate import (
    Evaluation,
    evaluate,
    write_answers,
    write_submission,
    write_summary,
)
from umnist_core.training.failures import failures_said
from umnist_core.training.memory import cap_memory, gigabytes, parse_budget
from umnist_core.training.numbers import number_lines
from umnist_core.training.photograph_samples import open_for
from umnist_core.training.presets import LARGE_SCALE
from umnist_core.training.provenance import find_versions
from umnist_core.training.summaries import card_summary
from umnist_core.training.variants import (
    PHOTOGRAPHS,
    PLAIN,
    VARIANTS,
    CroppedPhotographs,
    open_variant,
)

_NO_MEMORY = "free some there, or choose a smaller --batch-size or --device cpu"

ALL = "all"
"""Instead of a variant: each in turn."""

SCENES = 1000


def run_evaluation(checkpoint: str, options: dict[str, Any]) -> Iterator[str]:
    """Evaluate a checkpoint, write the files that were asked for, and yield lines to print."""
    if is_enlarger(checkpoint):
        yield from run_enlarging(checkpoint, options)
        return
    path = get_checkpoint(checkpoint)
    model, card = load_checkpoint(path)
    names = _variant_names(options)
    with joined_group(options["device"]) as group:
        if options["memory_budget"]:
            cap_memory(parse_budget(options["memory_budget"]), group.hardware)
        about = {
            "checkpoint": path.name,
            "sha256": card.sha256,
            "model": card.model,
            "hardware": group.hardware.description,
            "versions": find_versions(),
        }
        model = model.to(group.device)
        yield f"{card.model} from {path.name} on {about['hardware']}"
        summaries: dict[str, Any] = {}
        for name in names:
            samples = _samples(name, options, model)
            with failures_said(group.hardware, f"A batch of {options['batch_size']}", _NO_MEMORY):
                found = _evaluate(model, samples, options)
            summaries[name] = found.summary() | {"choices": _count_choices(samples)}
            _write_tables(found, options)
            if options["onto_card"]:
                command = evaluation_command(checkpoint, name, options)
                figures = card_summary(summaries[name])
                keep_measured(path, options["name"] or name, command, figures)
            lines = _lines(summaries[name]) if len(names) == 1 else _few_lines(summaries[name])
            yield from [f"{name}, {VARIANTS[name].meaning}:", *lines] if names != [PLAIN] else lines
    if options["out"]:
        of_all = {"variants": summaries}
        write_summary(options["out"], about | (of_all if len(names) > 1 else summaries[names[0]]))


def _variant_names(options: dict[str, Any]) -> list[str]:
    chosen = options["variant"]
    if chosen != ALL:
        return [chosen]
    return [name for name in VARIANTS if name != PHOTOGRAPHS or options["data"] is not None]


def _evaluate(model: Model, samples: Samples, options: dict[str, Any]) -> Evaluation:
    with assuming_digits(model, options.get("digits")):
        return evaluate(
            model,
            samples,
            batch_size=options["batch_size"],
            workers=options["workers"],
            with_attention=options["attention"],
            with_pixels=bool(options["answers"]),
            shows_progress=True,
        )


def _samples(variant: str, options: dict[str, Any], model: Model) -> Samples:
    count, split, seed, data = (options[name] for name in ("count", "split", "seed", "data"))
    if variant == PHOTOGRAPHS:
        return CroppedPhotographs(data, count or 0, seed)
    if data is not None and options["variant"] != ALL:
        images = open_for(DataPart(folder=str(data), split=split, count=count or 0), model)
        return open_variant(images, variant)
    if options["preset"] == LARGE_SCALE:
        digits = DataPart(
            preset=LARGE_SCALE,
            overrides=options["overrides"],
            split=split,
            seed=seed,
            count=count or SCENES,
        )
        return open_variant(open_samples(digits), variant)
    recipe = Recipe(count or SCENES, options["preset"], seed, split, options["overrides"])
    return open_variant(SceneSamples(recipe), variant)


def _count_choices(samples: Samples) -> Counter[str]:
    """Count the images of each kind of choice that was made to read their files."""
    return Counter(kind for place in range(len(samples)) for kind in samples.find_choices(place))


def _write_tables(found: Evaluation, options: dict[str, Any]) -> None:
    if options["answers"]:
        write_answers(options["answers"], found)
    if options["submission"]:
        write_submission(options["submission"], found)


def evaluation_command(checkpoint: str, variant: str, options: dict[str, Any]) -> str:
    """Return the command line that measures a variant again, without a path of this machine.

    Parameters
    ----------
    checkpoint
        Its name or path, as it was given.
    variant
        One of `umnist_core.training.variants.VARIANTS`.
    options
        Of the command.
    """
    is_named = checkpoint in find_checkpoints()
    words = ["umnist", "evaluate", checkpoint if is_named else Path(checkpoint).name]
    words += [] if variant == PLAIN else ["--variant", variant]
    is_folder = variant == PHOTOGRAPHS or options["variant"] != ALL
    if options["data"] is not None and is_folder:
        words += ["--data", options["data"].resolve().name]
    elif options["preset"] != "released":
        words += ["--preset", options["preset"]]
    words += ["--seed", str(options["seed"]), "--split", options["split"]]
    words += [] if options["count"] is None else ["--count", str(options["count"])]
    if options.get("digits") is not None:
        words += ["--digits", "..".join(map(str, options["digits"]))]
    settings = [f"{name}={value}" for name, value in options["overrides"].items()]
    return shlex.join([*words, *(word for text in settings for word in ("--set", text))])


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    for task, tables in figures["tasks"].items():
        yield f"{task}: {_share(tables['accuracy'])}"
        for row in tables["by_smallest_side_px"]:
            below = "" if row["below"] is None else f" to {row['below']:g}"
            yield f"  smallest digit {row['from']:g}{below} px: {_share(row)}"
        for name in ("digits", "shapes", "strokes"):
            rows = tables[f"by_{name}"]
            if len(rows) > 1:
                yield from (f"  {row[name]} {name}: {_share(row)}" for row in rows)
    yield from _more_lines(figures)
    yield from _digit_lines(figures)
    yield from _trust_lines(figures)
    attention = figures["attention"]
    if "mass" in attention:
        yield (
            f"attention: {attention['mass']:.4f} of its mass on digits (chance "
            f"{attention['chance']:.4f}), pointing game {attention['pointing']:.3f}"
        )
    else:
        yield f"attention: {attention['none'] or 'there is nothing to compare it with'}"
    yield (
        f"{figures['seconds_per_image']:.3f} s an image, {figures['model_seconds_per_image']:.3f} "
        f"of it in the model; peak memory {gigabytes(figures['peak_bytes'])}"
    )
    yield from choice_sentences(figures["choices"], figures["images"])


def _more_lines(figures: dict[str, Any]) -> Iterator[str]:
    for task, tables in figures["numbers"].items():
        yield from number_lines(task, tables)
    if figures["padding"] is not None:
        yield f"padding: {100 * figures['padding']:.1f} % of the pixels of the batches"


def _few_lines(figures: dict[str, Any]) -> Iterator[str]:
    """Yield what is printed of one variant among several."""
    for task, tables in figures["tasks"].items():
        yield f"  {task}: {_share(tables['accuracy'])}"
    choices = choice_sentences(figures["choices"], figures["images"])
    told = (*_more_lines(figures), *_digit_lines(figures), *_trust_lines(figures), *choices)
    yield from (f"  {line}" for line in told)


def _digit_lines(figures: dict[str, Any]) -> Iterator[str]:
    if figures["digits"]:
        found = figures["digits"]["all"]
        yield f"digits found and read: {_part(found)}, {found['right']} of {found['digits']}"


def _trust_lines(figures: dict[str, Any]) -> Iterator[str]:
    calibration, warnings = figures["calibration"], figures["warnings"]
    if calibration:
        kind = "calibrated" if calibration["is_calibrated"] else "not calibrated"
        yield (
            f"confidence ({kind}): expected calibration error {calibration['ece']:.4f}; "
            f"{calibration['ece_by_chance']:.4f} by chance"
        )
    if warnings:
        kinds = {kind: row["warned"] for kind, row in warnings["kinds"].items() if row["warned"]}
        told = "".join(f", {kind} {warned}" for kind, warned in kinds.items())
        of_all = f"{warnings['any']['warned']} of {warnings['images']}"
        yield f"warned of: {_part(warnings['any'])}, {of_all}{told}"


def _part(row: dict[str, Any]) -> str:
    return f"{100 * row['share']:.1f} % ({100 * row['low']:.1f} to {100 * row['high']:.1f})"


def _share(row: dict[str, Any]) -> str:
    if not row["images"]:
        return "no labels to compare with"
    return (
        f"{100 * row['accuracy']:.1f} % ({100 * row['low']:.1f} to {100 * row['high']:.1f}), "
        f"{row['correct']} of {row['images']}"
    )
