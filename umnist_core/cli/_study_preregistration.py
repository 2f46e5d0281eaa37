"""``umnist study preregistration``, and the options of ``create`` that promise something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from umnist_core.cli._study_choice import Function, choose_study, study_argument
from umnist_core.cli._study_plan import plan_command
from umnist_core.cli._study_spec import read_spec, read_text
from umnist_core.cli._types import GivenPath
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.labeling.preregistration import ANALYSES, Preregistration, analyses_of
from umnist_core.labeling.records import StudySpec

PROMISES = ("preregistration", "draft_preregistration", "people", "analysis", "closes")
"""Options of `promise_options`, which are no settings of a study by themselves."""


def promise_options(function: Function) -> Function:
    """Give a command the options of a preregistration."""
    options = (
        click.option(
            "--preregistration",
            type=GivenPath(),
            help="Text file, Markdown; sealed with the study's first event.",
        ),
        click.option(
            "--draft-preregistration",
            is_flag=True,
            help="Print a text to start from, written from the settings, and make nothing.",
        ),
        click.option(
            "--people",
            type=click.IntRange(1, 20_000),
            help="With a preregistration: in each pool.  [as many as fill it]",
        ),
        click.option(
            "--analysis",
            type=click.Choice(list(ANALYSES)),
            help="With a preregistration: the primary one.  [paired; accuracy of one pool; "
            "threshold of an adaptive study]",
        ),
        click.option(
            "--closes",
            metavar="YYYY-MM-DD",
            help="With a preregistration: the last day.  [when every pool is full]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def read_promised(spec_file: Path | None, given: Mapping[str, Any]) -> StudySpec:
    """Return the settings of a study with what is promised of it.

    Prints a draft of the promise, and ends the command, if that was asked for.

    Parameters
    ----------
    spec_file, given
        As of `umnist_core.cli._study_spec.read_spec`, with `PROMISES` among what was given.

    Raises
    ------
    UsageError
        If something is promised without a text, or is not allowed.
    MissingFileError, DamagedFileError
        If a file cannot be read.
    """
    promises = {name: given.get(name) for name in PROMISES}
    settings = {name: value for name, value in given.items() if name not in PROMISES}
    spec = read_spec(spec_file, settings)
    file = promises["preregistration"]
    loose = [name for name in ("people", "analysis", "closes") if promises[name] is not None]
    if not spec.has_truth and (promises["draft_preregistration"] or promises["preregistration"]):
        raise click.UsageError(
            "A preregistration promises an analysis of accuracy, which images without truth have "
            "none of; leave it or --no-truth out."
        )
    if promises["draft_preregistration"]:
        _print_draft(spec, _promised(spec, promises, "-"))
    if file is None:
        if loose:
            raise click.UsageError(
                f"--{loose[0]} goes with --preregistration, a text file, or with "
                "--draft-preregistration; give one of them."
            )
        return spec
    promised = _promised(spec, promises, read_text(file))
    if other := promised.contradiction:
        raise click.UsageError(
            f"The text of --preregistration describes the analysis {other}, and the study's is "
            f"{promised.analysis}; give --analysis {other}, or correct the text."
        )
    try:
        return replace(spec, preregistration=promised.to_dict())
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


def _promised(spec: StudySpec, promises: Mapping[str, Any], text: str) -> Preregistration:
    from umnist_core.labeling.preregistration_draft import people_needed

    usual = analyses_of(spec.pools, is_adaptive=bool(spec.adaptive))[0]
    try:
        return Preregistration(
            text,
            promises["people"] or people_needed(spec),
            promises["analysis"] or usual,
            promises["closes"] or "",
        )
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


def _print_draft(spec: StudySpec, promised: Preregistration) -> None:
    from umnist_core.labeling.preregistration_draft import draft_preregistration

    click.echo(draft_preregistration(spec, promised), nl=False)
    click.get_current_context().exit(0)


@click.command(
    "preregistration",
    epilog="\b\nExamples:\n"
    "  umnist study preregistration Pilot\n"
    "  umnist study preregistration Pilot --text > preregistration.md\n"
    "  umnist study preregistration Pilot --json",
)
@study_argument
@click.option("--text", "text_alone", is_flag=True, help="The text alone, as it was sealed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def preregistration_command(*, study: str, text_alone: bool, as_json: bool) -> None:
    """Print what a study promised, its seal, and what was planned beside what was done.

    The result of the analysis is among it once the study is closed.
    """
    from umnist_core.labeling.preregistered import about_preregistration
    from umnist_core.labeling.results import FoldedStudy, load_report

    service, chosen = choose_study(study)
    folded = FoldedStudy.of(service.log, chosen)
    is_closed = folded.state.status == "closed" and not text_alone
    found = about_preregistration(folded, load_report(service, chosen) if is_closed else None)
    if found is None:
        raise NotFoundError(
            f"Study {chosen} has no preregistration; it is given with `umnist study create "
            "--preregistration FILE`, before anybody has answered."
        )
    if text_alone:
        click.echo(found["text"], nl=False)
    elif as_json:
        click.echo(json.dumps(found))
    else:
        click.echo("\n".join(_lines(chosen, found)))


def _lines(study: str, found: Mapping[str, Any]) -> list[str]:
    width = max(len(row["what"]) for row in found["rows"])
    indent = " " * (width + 4)
    rows = [
        line
        for row in found["rows"]
        for line in (
            f"  {row['what']:<{width}}  planned  {row['planned']}",
            f"{indent}done     {row['done']}",
            f"{indent}{row['verdict']}",
        )
    ]
    return [
        f"{study}, sealed at {found['sealed_utc']}",
        f"  SHA-256 of the text          {found['sha256']}",
        f"  hash of the event that has it {found['event_hash']}",
        "",
        found["text"].rstrip(),
        "",
        "Planned and done",
        *rows,
    ]


PLAN_COMMANDS: tuple[click.Command, ...] = (plan_command, preregistration_command)
