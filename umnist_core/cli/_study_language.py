"""How a study speaks to its people: its language, files to translate, and instructions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from umnist_core.cli._study_choice import Function
from umnist_core.cli._study_spec import read_text
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.language import (
    SHIPPED,
    english_note,
    language_text,
    read_language,
    settings_of,
    template,
)
from umnist_core.labeling.records import POOLS


def language_option(function: Function) -> Function:
    """Give a command the option of a language."""
    return click.option(
        "--language",
        metavar="TAG|FILE",
        help=f"In which people are spoken to: {', '.join(SHIPPED)}, or a file made from "
        "`umnist study language-template`.  [en]",
    )(function)


def _read_instructions(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    texts = {}
    for value in values:
        pool, equals, name = value.partition("=")
        if not equals or pool not in POOLS:
            raise click.BadParameter(f"expected POOL=FILE such as guided=told.txt; got {value!r}.")
        texts[pool] = read_text(Path(name))
    return texts


def instructions_option(function: Function) -> Function:
    """Give a command the option of what pools are told."""
    return click.option(
        "--instructions",
        multiple=True,
        metavar="POOL=FILE",
        callback=_read_instructions,
        help="Text file with what a pool is told.",
    )(function)


def with_texts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with the text of the consent's file, and those of the language's.

    Raises
    ------
    UsageError
        If it is neither a language that is there nor a whole file of one.
    MissingFileError, DamagedFileError
        If the file cannot be read.
    """
    named, consent = given["language"], given["consent"]
    given = {**given, "consent": None if consent is None else read_text(consent)}
    if named is None:
        return given
    if named in SHIPPED:
        return {**given, "words": {}}
    if "." not in named and "/" not in named and not Path(named).exists():
        raise click.UsageError(
            f"Expected --language as one of {', '.join(SHIPPED)} or a file, got {named[:80]!r}; "
            "`umnist study language-template` writes a file to translate."
        )
    try:
        language = read_language(read_text(Path(named)), named)
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error
    if note := english_note(language):
        click.echo(note, err=True)
    return {**given, **settings_of(language)}


@click.command(
    "language-template",
    epilog="\b\nExamples:\n"
    "  umnist study language-template nl > nl.json\n"
    '  umnist study create "Pilot" --language nl.json\n',
)
@click.argument("tag")
def language_template(*, tag: str) -> None:
    """Print all that people are told, as a file to translate.

    TAG is that of a language: nl, pl, pt-BR. One that is there comes as it is, to be changed; any
    other comes in English, with the plural forms that the language has.
    """
    try:
        click.echo(language_text(template(tag)), nl=False)
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


LANGUAGE_COMMANDS = (language_template,)
