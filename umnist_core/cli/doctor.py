"""``umnist doctor``: what this machine has, and what to do."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

import click

from umnist_core.doctor import Check, State, examine

_MARKS = {State.GOOD: ("+", "green"), State.LACKS: ("-", "yellow"), State.BROKEN: ("!", "red")}
_WIDTH = 96
_INDENT = 15


@click.command("doctor", epilog="\b\nExamples:\n  umnist doctor\n  umnist doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def doctor_command(as_json: bool) -> int:
    """Say what this machine has: digits, models, GPU, folders, store, browser; and what to do.

    Nothing is changed. A line begins with + where all is well, with - where something can not be
    done here, and with ! where umnist does not work; then the exit code is 1.
    """
    found = examine()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
    else:
        for one in found:
            click.echo(_lines(one))
    return int(any(one.state is State.BROKEN for one in found))


def _lines(one: Check) -> str:
    mark, colour = _MARKS[one.state]
    text = " ".join(part for part in (one.found, one.remedy and f"-> {one.remedy}") if part)
    wrapped = textwrap.wrap(text, _WIDTH - _INDENT, break_long_words=False, break_on_hyphens=False)
    first, *others = wrapped or [""]
    lines = [f"{click.style(mark, colour)} {one.about:<{_INDENT - 2}}{first}"]
    return "\n".join([*lines, *(" " * _INDENT + line for line in others)])
