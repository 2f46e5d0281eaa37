"""``umnist study``: make studies, invite people, watch them fill, and seal them.

Every command speaks to the store that the app uses, at the same time as the app does.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from umnist_core.cli._common import Commands
from umnist_core.cli._scene_options import set_option
from umnist_core.cli._simulate import simulate_command
from umnist_core.cli._study_choice import (
    base_url_option,
    choose_study,
    count_of,
    join_link,
    study_argument,
    wait,
)
from umnist_core.cli._study_design import design_options
from umnist_core.cli._study_exclusions import exclusions_option
from umnist_core.cli._study_files import FILE_COMMANDS
from umnist_core.cli._study_labels import LABEL_COMMANDS, for_data, truth_option
from umnist_core.cli._study_language import (
    LANGUAGE_COMMANDS,
    instructions_option,
    language_option,
    with_texts,
)
from umnist_core.cli._study_preregistration import PLAN_COMMANDS, promise_options, read_promised
from umnist_core.cli._study_recruit import RECRUIT_COMMANDS, find_links, recruit_option
from umnist_core.cli._study_replicate import REPLICATION_COMMANDS
from umnist_core.cli._study_spec import for_oneself, self_options, spec_text
from umnist_core.cli._study_watch import watch_command
from umnist_core.cli._types import JOBS, GivenPath, Number
from umnist_core.errors import ConflictError, NotFoundError, WriteError
from umnist_core.files import write_whole
from umnist_core.labeling.events import INVITED_PERSON, OWN
from umnist_core.labeling.people import OUTCOMES
from umnist_core.labeling.records import POOLS, PYRAMID_FILTERS
from umnist_core.labeling.service import StudyService, open_service
from umnist_core.labeling.study_key import GUESSABLE
from umnist_core.labeling.telling import FEEDBACKS
from umnist_core.labeling.views import ListedInvite, Overview, PoolCounts
from umnist_core.scenes import PRESETS
from umnist_core.spreadsheets import csv_text


@click.group(
    "study",
    cls=Commands,
    epilog='\b\nExamples:\n  umnist study create "Pilot" --stimuli 100',
)
def study_group() -> None:
    """Run human-baseline studies.

    STUDY is a study's id, the first letters of one, or its name.
    """


for _command in (
    *FILE_COMMANDS,
    *REPLICATION_COMMANDS,
    *PLAN_COMMANDS,
    *RECRUIT_COMMANDS,
    *LABEL_COMMANDS,
    *LANGUAGE_COMMANDS,
    simulate_command,
    watch_command,
):
    study_group.add_command(_command)


# -- making -----------------------------------------------------------------------


def _read_feedback(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = dict(value.partition("=")[::2] for value in values)
    for pool, feedback in found.items():
        if pool not in POOLS or feedback not in FEEDBACKS:
            raise click.BadParameter(
                f"expected POOL=FEEDBACK with {' or '.join(POOLS)} and {' or '.join(FEEDBACKS)}, "
                f"such as unguided=correctness; got {pool}={feedback}."
            )
    return found


@study_group.command(
    "create",
    epilog="\b\nExamples:\n"
    '  umnist study create "Pilot" --stimuli 100 --images-per-annotator 20\n'
    '  umnist study create "Kaggle" --folder ultramnist --stimuli 1000 --language de\n'
    '  umnist study create "Labels" --folder photos --no-truth --labels-per-image 3\n'
    '  umnist study create "Noise" --factor shape_pairs=0,5,20 --stimuli 999\n'
    '  umnist study create "Thresholds" --adaptive quest_plus --levels 28,56,84,112,140\n'
    '  umnist study create "Open" --contact "lab@example.org" --duration "45 minutes" '
    '--retention "10 years" --withdrawal "Write to us with your link."\n'
    "  umnist study create --self --pool guided\n"
    "  umnist study create --print-spec > pilot.yaml\n"
    "  umnist study create --spec pilot.yaml\n",
)
@click.argument("name", required=False)
@click.option("--spec", "spec_file", type=GivenPath(), help="Settings as YAML.")
@self_options
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Images to make.  [released]")
@set_option()
@design_options
@click.option("--folder", help="Take images with their sums from a folder such as Kaggle's.")
@truth_option
@click.option("--stimuli", type=int, help="Images, the same for both pools.  [1000]")
@click.option("--images-per-annotator", type=int, help="Of them for each person.  [30]")
@click.option("--labels-per-image", type=int, help="Wanted for each image and pool.  [1]")
@click.option("--pool", "pools", multiple=True, type=click.Choice(POOLS), help="[both]")
@click.option("--practice", type=int, help="Images with feedback before the others.  [3]")
@click.option(
    "--practice-feedback",
    multiple=True,
    metavar="POOL=FEEDBACK",
    callback=_read_feedback,
    help="correctness: right or not yet; full: also each digit and its place.  "
    "[unguided=correctness guided=full]",
)
@click.option("--repeats", type=int, help="Images shown to a person a second time.  [0]")
@click.option("--ask-confidence/--no-ask-confidence", default=None)
@click.option("--ask-digits/--no-ask-digits", default=None)
@click.option("--ask-boxes/--no-ask-boxes", default=None, help="The sum is counted from them.")
@click.option("--allow-change/--no-allow-change", default=None, help="Of the last answer.")
@click.option("--filter", "pyramid_filter", type=click.Choice(PYRAMID_FILTERS), help="[area]")
@click.option("--lease-minutes", type=int, help="Time that an image stays reserved.  [1440]")
@language_option
@click.option("--consent", type=GivenPath(), help="Text file.")
@click.option("--contact", help="Who answers questions; the consent names it.")
@click.option("--duration", help="How long taking part takes, such as 45 minutes; as --contact.")
@click.option("--retention", help="How long data are kept; as --contact.")
@click.option("--withdrawal", help="How to withdraw; as --contact. An open link needs all four.")
@instructions_option
@promise_options
@exclusions_option
@recruit_option
@click.option("--jobs", type=JOBS, help="Processes; one a core unless given.")
@click.option("--print-spec", is_flag=True, help="Print the settings as YAML and make nothing.")
def create_command(
    *, spec_file: Path | None, jobs: int | None, print_spec: bool, **given: Any
) -> None:
    """Freeze a study's images and make the study NAME.

    Which images a preset gives is drawn from a secret key of the study's own, which nobody is
    shown before the study is closed; then it is in the export.
    """
    from umnist_core.labeling.freeze import create_study

    given["pools"] = tuple(dict.fromkeys(given["pools"])) or None
    given = for_data(given) if given["has_truth"] is False and spec_file is None else given
    given = with_texts(given)
    given = for_oneself(spec_file, given) if given["is_self"] else given
    if print_spec and given["name"] is None and spec_file is None:
        given["name"] = "My study"
    spec = read_promised(spec_file, given)
    if print_spec:
        click.echo(spec_text(spec), nl=False)
        return
    service = open_service()
    began = time.monotonic()
    with tqdm(
        total=spec.stimuli + spec.practice,
        desc=spec.name,
        unit=" images",
        smoothing=0,
        disable=None,
    ) as bar:

        def tell(done: int, of: int) -> None:
            bar.update(done - bar.n)

        said: list[str] = []
        study = create_study(service, spec, progress=tell, say=said.append, jobs=jobs or -1)
    seconds = time.monotonic() - began
    click.echo(
        f"{study}: {spec.name}, {count_of(spec.stimuli, 'image')} and {spec.practice} to practise "
        f"on in {seconds:.1f} s"
    )
    for sentence in said:
        click.echo(sentence)
    if spec.folder is None and service.state(study).glyphs["is_stand_in"]:
        click.echo("STAND-IN DIGITS, not MNIST")
    if spec.is_self:
        click.echo(f"Begin at {join_link(service.invites(study)[0].token, '')} of the app.")
    else:
        click.echo(f"Invite people with `umnist study invite {study} --count 30`.")


# -- looking ----------------------------------------------------------------------


@study_group.command(
    "list", epilog="\b\nExamples:\n  umnist study list\n  umnist study list --json"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
def list_command(*, as_json: bool) -> None:
    """List all studies, oldest first."""
    service = open_service()
    found = [service.overview(study) for study in service.studies()]
    if as_json:
        for one in found:
            click.echo(json.dumps(_as_dict(one)))
        return
    if not found:
        click.echo('There are no studies yet; `umnist study create "Pilot"` makes one.')
    for one in found:
        pools = "  ".join(f"{pool.pool} {pool.labels}/{pool.target}" for pool in one.pools)
        people = count_of(sum(pool.people for pool in one.pools), "person", "people")
        guessable = "  IMAGES CAN BE GUESSED" if one.is_guessable else ""
        own = "  SELF" if one.spec.is_self else ""
        line = f"{one.study}  {one.status:<6}  {pools}  {people}  {one.spec.name}{own}{guessable}"
        click.echo(line)


@study_group.command(
    "show",
    epilog="\b\nExamples:\n"
    "  umnist study show Pilot\n"
    "  umnist study show Pilot --watch 5\n"
    "  umnist study show Pilot --people --links\n",
)
@study_argument
@click.option("--people", is_flag=True, help="Also a line for each person.")
@click.option("--links", is_flag=True, help="Also a line for each link; keep these to yourself.")
@base_url_option
@click.option("--watch", type=Number(0.2, 86_400), metavar="SECONDS", help="Again and again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
def show_command(
    *,
    study: str,
    people: bool,
    links: bool,
    base_url: str,
    watch: float | None,
    as_json: bool,
) -> None:
    """Say how far a study is: labels against the target, people, links."""
    service, chosen = choose_study(study)
    while True:
        found: dict[str, Any] = _as_dict(service.overview(chosen))
        if people:
            found["people"] = [asdict(row) for row in service.annotators(chosen)]
        if links:
            rows = service.invites(chosen)
            found["links"] = [
                {**asdict(row), "link": join_link(row.token, base_url)} for row in rows
            ]
        if as_json:
            click.echo(json.dumps(found))
        else:
            click.echo("\n".join(_show_lines(service, chosen, found)))
        if watch is None or not wait(watch):
            return


def _as_dict(one: Overview) -> dict[str, Any]:
    return {**asdict(one), "spec": one.spec.to_dict(), "name": one.spec.name}


def _show_lines(service: StudyService, study: str, found: dict[str, Any]) -> list[str]:
    one = service.overview(study)
    spec = one.spec
    origin = f"folder {spec.folder}" if spec.folder else spec.preset
    links = service.invites(study)
    lines = [
        f"{spec.name}  {study}  {one.status}",
        f"  images    {spec.stimuli} of {origin}; {spec.images_per_annotator} for each person, "
        f"{count_of(spec.labels_per_image, 'label')} for each image and pool",
    ]
    if not spec.has_truth:
        lines.append("  truth     none; `umnist study labels` makes labels of what people said")
    if spec.adaptive:
        lines.append(f"  adaptive  {spec.adaptive.sentence}")
    if spec.is_self:
        lines.append("  self      a study of oneself; nobody else takes part")
    if spec.folder is None and service.state(study).glyphs["is_stand_in"]:
        lines.append("  digits    STAND-IN DIGITS, not MNIST")
    if one.is_guessable:
        lines.append(f"  secrecy   {GUESSABLE}")
    lines += [f"  {pool.pool:<9} {_counts(pool)}" for pool in one.pools]
    lines.append(f"  links     {_link_counts(links)}")
    if one.erased:
        lines.append(f"  erased    {one.erased}")
    lines.append(f"  log       {one.events} events, the last at {one.last_utc}")
    lines.append(f"  hash      {one.head_hash}")
    lines += [
        f"  {row['annotator']}  {row['pool']:<8}  {row['outcome'] or row['phase']:<12}  "
        f"{row['answered']}/{row['total']}  last {row['last_utc']}  code {row['code'] or 'none'}"
        f"{'  revoked' if row['is_revoked'] else ''}"
        f"{'' if row['origin'] == INVITED_PERSON else '  ' + row['origin'].upper()}"
        for row in found.get("people", ())
    ]
    lines += [f"  {_link_line(row)}" for row in found.get("links", ())]
    return lines


def _counts(pool: PoolCounts) -> str:
    share = 100 * pool.labels / pool.target
    return (
        f"{pool.labels} of {pool.target} labels ({share:.1f} %), {pool.people} joined, "
        f"{_outcomes(pool)}{pool.reserved} images reserved now, {pool.surplus} surplus"
    )


def _outcomes(pool: PoolCounts) -> str:
    names = (*OUTCOMES, "held", "simulated", "own")
    counts = {name: getattr(pool, name) for name in names}
    return "".join(f"{count} {name}, " for name, count in counts.items() if count)


def _link_counts(links: list[ListedInvite]) -> str:
    personal = [row for row in links if not row.is_open]
    return (
        f"{len(personal)} personal, {sum(row.annotator is not None for row in personal)} used, "
        f"{len(links) - len(personal)} open, {sum(row.is_revoked for row in links)} revoked"
    )


def _link_line(row: dict[str, Any]) -> str:
    kind = "open" if row["is_open"] else row["pool"] or "either"
    unused = "for any number" if row["is_open"] else "unused"
    state = "revoked" if row["is_revoked"] else row["annotator"] or unused
    until = f"  until {row['expires_utc']}" if row["expires_utc"] else ""
    mark = "" if row["origin"] == INVITED_PERSON else f"  {row['origin'].upper()}"
    return f"{row['invite']}  {kind:<8}  {state}  {row['link']}{until}{mark}"


# -- links ------------------------------------------------------------------------


@study_group.command(
    "invite",
    epilog="\b\nExamples:\n"
    "  umnist study invite Pilot --count 30 --base-url https://lab.example.org\n"
    "  umnist study invite Pilot --count 30 --days 14 --csv links.csv\n"
    "  umnist study invite Pilot --pool guided\n",
)
@study_argument
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    help="The one that lacks labels unless given.",
)
@click.option("--days", type=Number(0, 36_500, min_open=True), help="They work so long.")
@click.option("--own", is_flag=True, help="For the makers' own tries: the data are marked so.")
@base_url_option
@click.option("--csv", "table", type=GivenPath(), help="Write them as a table too.")
def invite_command(
    *,
    study: str,
    count: int,
    pool: str | None,
    days: float | None,
    own: bool,
    base_url: str,
    table: Path | None,
) -> None:
    """Make personal links and print them, one a line; each is for one person alone."""
    if table is not None and table.exists():
        raise ConflictError(f"There is a file {table} already, unchanged; choose another name.")
    if table is not None and not table.absolute().parent.is_dir():
        raise WriteError(f"Expected a folder {table.absolute().parent}, found none; make it.")
    service, chosen = choose_study(study)
    rows = service.invite(chosen, count, pool, days, origin=OWN if own else INVITED_PERSON)
    for row in rows:
        click.echo(join_link(row.token, base_url))
    if table is not None:
        _write_links(table, rows, base_url)
        click.echo(f"{table}: {count_of(len(rows), 'link')}; keep it to yourself.", err=True)


def _write_links(path: Path, rows: list[ListedInvite], base_url: str) -> None:
    cells = [{**asdict(row), "link": join_link(row.token, base_url)} for row in rows]
    text = csv_text(("invite", "pool", "expires_utc", "link"), cells)
    write_whole(path, text.encode(), private=True)  # whoever has a link is that person


@study_group.command(
    "open-link",
    epilog="\b\nExamples:\n  umnist study open-link Pilot --days 7 --base-url https://lab.example.org",
)
@study_argument
@click.option("--days", type=Number(0, 36_500, min_open=True), help="It works so long.")
@base_url_option
def open_link_command(*, study: str, days: float | None, base_url: str) -> None:
    """Make a link by which anybody joins; each person gets the pool that lacks more labels."""
    service, chosen = choose_study(study)
    click.echo(join_link(service.open_link(chosen, days).token, base_url))


@study_group.command(
    "revoke",
    epilog="\b\nExamples:\n"
    "  umnist study revoke Pilot i0123456789ab\n"
    "  umnist study revoke Pilot https://lab.example.org/join/TOKEN\n",
)
@study_argument
@click.argument("link")
def revoke_command(*, study: str, link: str) -> None:
    """End a link and the session of who came by it; answers stay.

    LINK is a link or its id, or a person's id for all of that person's.
    """
    service, chosen = choose_study(study)
    found = find_links(service, chosen, link)
    for invite in found:
        service.revoke(chosen, invite)
        click.echo(f"Revoked {invite}; nobody comes in by it any more.")


# -- the course of a study --------------------------------------------------------


@study_group.command("pause", epilog="\b\nExamples:\n  umnist study pause Pilot")
@study_argument
def pause_command(*, study: str) -> None:
    """Show no new images until the study is resumed; answers under way are still taken."""
    _set_running(study, is_running=False)


@study_group.command("resume", epilog="\b\nExamples:\n  umnist study resume Pilot")
@study_argument
def resume_command(*, study: str) -> None:
    """Go on after a pause."""
    _set_running(study, is_running=True)


def _set_running(study: str, *, is_running: bool) -> None:
    service, chosen = choose_study(study)
    (service.resume if is_running else service.pause)(chosen)
    one = service.overview(chosen)
    click.echo(f"{chosen}: {one.spec.name} is {one.status}")


@study_group.command(
    "close", epilog="\b\nExamples:\n  umnist study close Pilot\n  umnist study close Pilot --yes"
)
@study_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def close_command(*, study: str, yes: bool) -> None:
    """Seal a study: nothing can be added any more. There is no way back."""
    service, chosen = choose_study(study)
    one = service.overview(chosen)
    if one.status != "closed" and not yes:
        for pool in one.pools:
            click.echo(f"{pool.pool:<9} {_counts(pool)}")
        click.confirm(f"Close {one.spec.name} for good?", abort=True)
    sealed = service.close(chosen)
    click.echo(f"{chosen}: {sealed.spec.name} is closed, {sealed.events} events")
    click.echo(f"Hash of the last event: {sealed.head_hash}")
    click.echo("Keep the hash elsewhere: it shows later that nothing was changed.", err=True)


@study_group.command("erase", epilog="\b\nExamples:\n  umnist study erase Pilot p0123456789abcdef")
@study_argument
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase_command(*, study: str, person: str, yes: bool) -> None:
    """Delete a person with everything that the person gave; the log still verifies."""
    service, chosen = choose_study(study)
    known = service.state(chosen).annotators.get(person)
    if known is None:
        raise NotFoundError(
            f"Study {chosen} has no person {person[:40]!r}; `umnist study show {chosen} --people` "
            "lists all."
        )
    if not yes:
        answers = count_of(len(known.answered), "answer")
        click.confirm(f"Delete {person} and {answers} for good?", abort=True)
    emptied = service.erase(chosen, person)
    click.echo(f"Erased {person}: {count_of(emptied, 'event')} emptied.")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    click.echo(f"Backups and exports from before {now} still hold them.", err=True)
