"""``umnist study watch``: who works how, and whom a rule catches; nothing of right or wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._study_choice import choose_study, count_of, study_argument, wait
from umnist_core.cli._types import Number

if TYPE_CHECKING:
    from umnist_core.labeling.conduct import Flag, Look, Showing
    from umnist_core.labeling.watching import WatchedPerson, WatchedStudy


@click.command(
    "watch",
    epilog="\b\nExamples:\n"
    "  umnist study watch Pilot\n"
    "  umnist study watch Pilot --every 10\n"
    "  umnist study watch Pilot --person p0123456789abcdef\n"
    "  umnist study watch Pilot --json\n",
)
@study_argument
@click.option("--person", metavar="PERSON", help="The images of one person.")
@click.option("--every", type=Number(0.2, 86_400), metavar="SECONDS", help="Again and again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
def watch_command(*, study: str, person: str | None, every: float | None, as_json: bool) -> None:
    """Say how people work and whom the rules of exclusion catch, what needs a look first.

    Nothing that is said follows from which answers are right.
    """
    from umnist_core.labeling.watching import Watcher

    service, chosen = choose_study(study)
    watcher = Watcher(service)
    while True:
        if person is None:
            found = watcher.watch(chosen)
            lines = _json_lines(found) if as_json else _lines(found)
        else:
            one = watcher.person(chosen, person)
            lines = [json.dumps(watched_dict(one))] if as_json else _person_lines(one)
        click.echo("\n".join(lines))
        if every is None or not wait(every):
            return


def watched_dict(one: WatchedPerson) -> dict[str, Any]:
    """Return a person as JSON has it, with every image."""
    conduct = {name: value for name, value in asdict(one.conduct).items() if name != "images"}
    row = one.person
    return {
        "person": row.annotator,
        "pool": row.pool,
        "origin": row.origin,
        "phase": row.phase,
        "outcome": row.outcome,
        "answered": row.answered,
        "total": row.total,
        "joined_utc": row.joined_utc,
        "last_utc": one.last_utc,
        **conduct,
        "flags": [_flag_dict(flag) for flag in one.flags],
        "images": [{**asdict(shown), **asdict(look)} for shown, look in one.conduct.images],
    }


def _flag_dict(flag: Flag) -> dict[str, Any]:
    rule = flag.rule
    return {
        "rule": rule.name,
        "figure": rule.figure,
        "value": flag.value,
        "threshold": rule.threshold,
        "sentence": rule.sentence,
    }


def _json_lines(found: WatchedStudy) -> list[str]:
    head = {
        "study": found.study,
        "status": found.status,
        "rules": found.rules.to_dict(),
        "rules_fixed_before": found.is_fixed,
        "legible_zoom": found.legible_zoom,
    }
    return [json.dumps({**head, "people": [watched_dict(one) for one in found.people]})]


def _lines(found: WatchedStudy) -> list[str]:
    flagged = sum(bool(one.flags) for one in found.people)
    when = "fixed before anybody came" if found.is_fixed else "not fixed; these are the defaults"
    lines = [
        f"{found.study}  {found.status}  {count_of(len(found.people), 'person', 'people')}, "
        f"{flagged} with flags; rules {when}",
    ]
    for one in found.people:
        row = one.person
        lines.append(
            f"  {row.annotator}  {row.pool:<8}  {row.outcome or row.phase:<12}  "
            f"{row.answered}/{row.total}  {_figures(one)}  last {one.last_utc}"
        )
        lines += [f"    {flag_text(flag)}" for flag in one.flags]
    return lines


def _figures(one: WatchedPerson) -> str:
    conduct = one.conduct
    if not conduct.answers:
        return "no answers yet"
    seen = "no views" if conduct.median_seen is None else f"{100 * conduct.median_seen:.0f} % seen"
    zoom = "" if conduct.deepest_zoom is None else f", zoom {conduct.deepest_zoom:.2f}"
    return (
        f"{conduct.median_s:.1f} s ({conduct.low_s:.1f} to {conduct.high_s:.1f}){zoom}, {seen}, "
        f"{100 * (conduct.median_hidden or 0):.0f} % hidden, run of {conduct.longest_run}"
    )


def flag_text(flag: Flag) -> str:
    """Return a flag with the figure that it is for: Too fast: 2.1, below 5."""
    how = "below" if flag.rule.is_floor else "at or above"
    return f"{flag.rule.title}: {flag.value:.3g}, {how} {flag.rule.threshold:g}"


def _person_lines(one: WatchedPerson) -> list[str]:
    head = f"{one.person.annotator}  {one.person.pool}  {_figures(one)}"
    flags = [f"  {flag_text(flag)}" for flag in one.flags]
    return [head, *flags, *(_image_line(*pair) for pair in one.conduct.images)]


def _image_line(shown: Showing, look: Look) -> str:
    seen = (
        "no view"
        if look.seen is None
        else f"zoom {look.deepest_zoom:.2f}, {100 * look.seen:.0f} % seen"
    )
    return (
        f"  {shown.position:>4}  {shown.stimulus}  {shown.kind:<6}  answer {shown.answer:>2}  "
        f"{shown.time_s:.1f} s, {100 * shown.hidden:.0f} % hidden, {seen}"
    )
