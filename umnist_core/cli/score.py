"""``umnist score``: what a submission in Kaggle's form reaches, as a row beside the others."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._common import json_option
from umnist_core.cli._types import GivenPath
from umnist_core.seeds import FOLDER_SPLITS

if TYPE_CHECKING:
    from umnist_core.experiments.published.entries import ResultEntry
    from umnist_core.experiments.published.submissions import SubmissionScore

FILE = GivenPath(dir_okay=False)

_TITLES = {
    "smallest_side_px": "smallest digit",
    "digits": "digits",
    "cells": "checkerboard",
    "shapes": "shapes",
    "true": "sum",
}
"""Quantities of the breakdown, as they are printed."""


@click.command(
    "score",
    epilog="\b\nExamples:\n"
    "  umnist score submission.csv --data ultra-mnist\n"
    "  umnist score submission.csv --data ultra-mnist --add --name 'My net'\n"
    "  umnist score --import theirs.json --by 'Another lab'\n"
    "  umnist score --import their-sweep --by 'Another lab'",
)
@click.argument("submission", type=FILE, required=False)
@click.option(
    "--data",
    type=GivenPath(exists=True, file_okay=False),
    help="The folder that the submission answers, with its truth, as `umnist generate` writes it.",
)
@click.option(
    "--split",
    type=click.Choice(FOLDER_SPLITS),
    help="Whose images; those whose ids the file has by default.",
)
@click.option("--name", help="Of the method; the file's name by default.")
@click.option("--add", is_flag=True, help="Keep it as a row of the page Experiments.")
@click.option(
    "--import",
    "theirs",
    type=GivenPath(exists=True),
    help="Keep a result of others instead: a file that --out wrote, or the folder of a sweep.",
)
@click.option("--by", help="Whose result is imported.")
@click.option("--replace", is_flag=True, help="In place of a row of the same name.")
@click.option("--out", type=FILE, help="Write all figures as JSON, which others can import.")
@json_option()
def score_command(submission: Path | None, **options: Any) -> None:
    """Score a submission in Kaggle's form, id,digit_sum, with interval and breakdown.

    Its answers are compared with what a folder says of its own images, those of the test split
    included.
    """
    _check_usage(submission, options)
    if options["theirs"] is not None:
        from umnist_core.experiments.published.entries import import_result

        kept = import_result(options["theirs"], options["by"], instead=options["replace"])
        if options["as_json"]:
            click.echo(json.dumps({"kept": str(kept)}))
        else:
            click.echo(f"Kept as a result of {options['by']} in {kept}.")
        return
    assert submission is not None
    _score(submission, options)


def _check_usage(submission: Path | None, options: dict[str, Any]) -> None:
    theirs = options["theirs"]
    if (submission is None) == (theirs is None):
        raise click.UsageError(
            "Expected a submission to score, or --import with a result of others; give one of them."
        )
    if theirs is not None:
        if not (options["by"] or "").strip():
            raise click.UsageError("Expected --by with whose result it is, got none; name them.")
        wrong = next((one for one in ("data", "name", "out", "split") if options[one]), None)
        if wrong or options["add"]:
            raise click.UsageError(f"--{wrong or 'add'} is for a submission; leave it out.")
    elif options["data"] is None:
        raise click.UsageError(
            "Expected --data with the folder that the submission answers, got none; name it."
        )
    elif options["by"]:
        raise click.UsageError("--by is for --import; leave it out, or give --name.")


def _score(submission: Path, options: dict[str, Any]) -> None:
    from umnist_core.datasets import open_files
    from umnist_core.experiments.published.entries import add_entry
    from umnist_core.experiments.published.submissions import score_submission
    from umnist_core.files import write_whole

    found = score_submission(submission, open_files(options["data"]), options["split"])
    entry = _entry(submission, found, options)
    if options["out"] is not None:
        text = json.dumps(entry.to_dict(), indent=1, allow_nan=False)
        write_whole(options["out"], (text + "\n").encode())
    kept = add_entry(entry, instead=options["replace"]) if options["add"] else None
    if options["as_json"]:
        click.echo(json.dumps({**entry.to_dict(), "kept": kept and str(kept)}))
        return
    for line in _lines(found):
        click.echo(line)
    if kept is not None:
        click.echo(f"Kept as {entry.name!r} in {kept}; the page Experiments shows it.")


def _entry(submission: Path, found: SubmissionScore, options: dict[str, Any]) -> ResultEntry:
    from datetime import UTC, datetime

    from umnist_core.experiments.published.entries import SUMS, ResultEntry, plain_name
    from umnist_core.experiments.sweeps.costs import machine_facts
    from umnist_core.paths import shown_name

    words = ["umnist", "score", submission.name, "--data", options["data"].resolve().name]
    words += ["--split", options["split"]] if options["split"] else []
    told = found.to_dict()
    return ResultEntry(
        name=plain_name(options["name"] or submission.stem) or "submission",
        table=SUMS,
        column="accuracy",
        right=found.right,
        of=found.of,
        date_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        hardware=f"scored on {machine_facts()['hardware']}; what answered is not known",
        command=shown_name(shlex.join(words)),
        data={**told["data"], "submission_sha256": found.sha256},
        breakdown=told["breakdown"],
        missed=found.missed,
    )


def _lines(found: SubmissionScore) -> Iterator[str]:
    yield f"sum: {_said(found.to_dict() | {'images': found.of})}"
    for name, rows in found.breakdown.items():
        for row in rows:
            if "value" in row:
                place = f"{_TITLES[name]} {row['value']}"
            else:
                ends = "px and more" if row["below"] is None else f"to {row['below']:g} px"
                place = f"{_TITLES[name]} {row['from']:g} {ends}"
            yield f"  {place}: {_said(row)}"


def _said(row: dict[str, Any]) -> str:
    ends = f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"
    return f"{100 * row['accuracy']:.1f} % ({ends}), {row['right']:,} of {row['images']:,}"
