"""``umnist digits``: which digits are used on this machine, and getting MNIST."""

from __future__ import annotations

import json
import sys

import click

from umnist_core.cli._common import Commands, json_option
from umnist_core.digits import DigitsStatus, find_digits
from umnist_core.settings import load_settings


@click.group("digits", cls=Commands)
def digits_group() -> None:
    """Say which digits are used here, or download MNIST.

    \b
    Examples:
      umnist digits status             which digits images are made of here
      umnist digits status --json      the same for programs
      umnist digits fetch              download MNIST (11 MB) once
    """


@digits_group.command("status")
@json_option()
def status_command(as_json: bool) -> None:
    """Say where digits come from, how many there are, and whether they are the original MNIST.

    Looks into the folder that UMNIST_DIGITS names or, when that is not set, the user's
    data folder; without MNIST, scikit-learn's digits stand in for it.

    \b
    Examples:
      umnist digits status
      UMNIST_DIGITS=~/mnist umnist digits status --json
    """
    status = find_digits(load_settings())
    click.echo(json.dumps(_as_dict(status)) if as_json else _as_text(status))


@digits_group.command("fetch")
def fetch_command() -> None:
    """Download MNIST into the user's data folder (UMNIST_DATA), unless it is there.

    Every file is checked against the original's checksum; after an error nothing
    half-downloaded is left.

    \b
    Examples:
      umnist digits fetch
      UMNIST_DATA=/data/umnist umnist digits fetch
    """
    # Only a download needs the HTTP libraries, which are slow to load.
    from umnist_core.digits.fetch import fetch_mnist, find_missing

    settings = load_settings()
    missing = find_missing(settings.data_dir)
    folder = fetch_mnist(settings.data_dir, progress=sys.stderr.isatty())
    if missing:
        click.echo(f"Downloaded {len(missing)} of MNIST's 4 files to {folder}.")
    else:
        click.echo(f"MNIST is already in {folder}; nothing was downloaded.")
    if settings.digits_dir is not None:
        click.echo(f"UMNIST_DIGITS is set, so the digits in {settings.digits_dir} are used.")


def _as_dict(status: DigitsStatus) -> dict[str, str | int | bool | None]:
    return {
        "kind": status.kind,
        "folder": None if status.folder is None else str(status.folder),
        "train": status.train_count,
        "test": status.test_count,
        "official": status.is_official,
        "sentence": status.sentence,
    }


def _as_text(status: DigitsStatus) -> str:
    if status.folder is None:
        return f"{status.sentence}\n{status.train_count:,} of scikit-learn's digits are used."
    return f"{status.sentence}\nFolder: {status.folder}"
