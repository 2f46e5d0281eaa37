"""Commands of ``umnist study`` about recruiting: names and cards of links, ids, payments."""

from __future__ import annotations

from pathlib import Path

import click

from umnist_core.cli._study_choice import (
    Function,
    base_url_option,
    choose_study,
    count_of,
    join_link,
    study_argument,
)
from umnist_core.cli._types import GivenPath
from umnist_core.errors import ConflictError, InvalidValueError, NotFoundError
from umnist_core.files import write_whole
from umnist_core.labeling.recruiting import SITES
from umnist_core.labeling.service import StudyService


@click.command(
    "name-link",
    epilog="\b\nExamples:\n"
    "  umnist study name-link Pilot i0123456789ab pilot-a\n"
    "  umnist study name-link Pilot https://lab.example.org/join/TOKEN pilot-a\n",
)
@study_argument
@click.argument("link")
@click.argument("name")
@base_url_option
def name_link_command(*, study: str, link: str, name: str, base_url: str) -> None:
    """Give LINK a NAME that is easier to read, and print the address that it opens by too.

    LINK is a link or its id. A personal link is its person, so its name gets an ending that
    nobody can guess.
    """
    service, chosen = choose_study(study)
    found = find_links(service, chosen, link)
    if len(found) > 1:
        raise InvalidValueError(f"{link} has {len(found)} links; give one of {', '.join(found)}.")
    click.echo(join_link(service.name_link(chosen, found[0], name), base_url))


@click.command(
    "cards",
    epilog="\b\nExamples:\n"
    "  umnist study cards Pilot cards.html --base-url https://lab.example.org\n",
)
@study_argument
@click.argument("target", type=GivenPath())
@base_url_option
@click.option("--force", is_flag=True, help="Replace a file of that name.")
def cards_command(*, study: str, target: Path, base_url: str, force: bool) -> None:
    """Write a page to print with a card for each link that can be used, QR code and address."""
    from umnist_core.labeling.cards import LinkCard, cards_page

    if not base_url:
        raise InvalidValueError(
            "A card has a whole address; give the one by which people reach the app with "
            "--base-url, such as https://lab.example.org."
        )
    _check_new(target, force=force)
    service, chosen = choose_study(study)
    cards = [
        LinkCard(
            join_link(row.alias or row.token, base_url), row.is_open, (row.expires_utc or "")[:10]
        )
        for row in service.usable_links(chosen)
    ]
    page = cards_page(service.overview(chosen).spec.name, cards)
    write_whole(target, page.encode(), private=True)
    click.echo(f"{target}: {count_of(len(cards), 'card')}; keep it to yourself.", err=True)


@click.command("ids", epilog="\b\nExamples:\n  umnist study ids Pilot ids.csv\n")
@study_argument
@click.argument("target", type=GivenPath())
@click.option("--force", is_flag=True, help="Replace a file of that name.")
def ids_command(*, study: str, target: Path, force: bool) -> None:
    """Write whose id at a recruiting site is whose; no export has them."""
    from umnist_core.labeling.payments import id_table

    _check_new(target, force=force)
    service, chosen = choose_study(study)
    table = id_table(service, chosen)
    write_whole(target, table.encode(), private=True)
    people = count_of(table.count("\n") - 1, "person", "people")
    click.echo(f"{target}: {people}; erase it when it is no longer needed.", err=True)


@click.command(
    "pay",
    epilog="\b\nExamples:\n"
    "  umnist study pay Pilot pay.csv\n"
    "  umnist study pay Pilot pay.csv --bonus bonus.csv\n",
)
@study_argument
@click.argument("target", type=GivenPath())
@click.option(
    "--bonus",
    type=GivenPath(),
    help="Write the bonuses too, as Prolific takes them: a line for each, id and amount.",
)
@click.option("--force", is_flag=True, help="Replace files of these names.")
def pay_command(*, study: str, target: Path, bonus: Path | None, force: bool) -> None:
    """Write what everybody is to be paid: outcome, minutes, base pay and bonus."""
    from umnist_core.labeling.payments import bonus_lines, pay_table, payments_of, totals_of

    for path in (target, bonus):
        if path is not None:
            _check_new(path, force=force)
    service, chosen = choose_study(study)
    payments = payments_of(service, chosen)
    lines = None if bonus is None else bonus_lines(service, chosen, payments)
    write_whole(target, pay_table(service, chosen, payments).encode(), private=True)
    if bonus is not None and lines is not None:
        write_whole(bonus, lines.encode(), private=True)
    base, extra = totals_of(payments)
    recruiting = service.state(chosen).spec.recruiting
    currency = recruiting.currency if recruiting and recruiting.currency else "(no currency)"
    going_on = sum(not one.outcome for one in payments)
    click.echo(
        f"{target}: {count_of(len(payments), 'person', 'people')}, base pay {base} {currency}, "
        f"bonus {extra} {currency}; {going_on} still take part and are not paid yet.",
        err=True,
    )


def find_links(service: StudyService, study: str, link: str) -> list[str]:
    """Return the ids of links by one of them, by a link or its name, or by a person's id.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    state = service.state(study)
    # What somebody types may be no text, of which there is no hash.
    token = link.rpartition("/")[2].encode(errors="replace").decode()
    found = [one.id for one in state.invites.values() if link in (one.id, one.annotator)]
    of, named = service.find_link(token) or ("", "")
    named = state.recruits.link_of(named)
    if not found and (of != study or named not in state.invites):
        raise NotFoundError(
            f"Study {study} has no such link or person; `umnist study show {study} --links "
            "--people` lists them."
        )
    return found or [named]


def _check_new(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise ConflictError(
            f"There is a file {path} already, unchanged; choose another name, or replace it with "
            "--force."
        )


def recruit_option(function: Function) -> Function:
    """Give a command the option ``--recruit``."""
    return click.option(
        "--recruit",
        "recruiting",
        type=click.Choice(tuple(SITES)),
        callback=lambda ctx, option, value: value and {"site": value},
        help="Take the ids that this site puts into links; more settings of recruiting by --spec.",
    )(function)


RECRUIT_COMMANDS = (name_link_command, cards_command, ids_command, pay_command)
