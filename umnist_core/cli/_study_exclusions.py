"""The option of ``umnist study create`` that fixes rules of exclusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from umnist_core.cli._study_choice import Function
from umnist_core.cli._study_spec import read_text
from umnist_core.errors import DamagedFileError, InvalidValueError, UmnistError
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.parsing import parse_toml

DEFAULT = "default"


def exclusions_option(function: Function) -> Function:
    """Give a command the option of rules that are fixed before anybody comes."""
    return click.option(
        "--exclusions",
        callback=_read,
        metavar="default|FILE",
        help="Rules by which people are left out of a second reading, fixed now: the defaults, or "
        "thresholds in a TOML file.",
    )(function)


def _read(ctx: click.Context, option: click.Parameter, value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    if value == DEFAULT:
        return ExclusionRules().to_dict()
    text = read_text(Path(value))
    try:
        return ExclusionRules.from_dict(parse_toml(text)).to_dict()
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from error
    except ValueError as error:
        if isinstance(error, UmnistError):
            raise
        raise DamagedFileError(
            f"Expected rules such as `too_fast_s = 8` as TOML in {value}, found something else "
            f"({str(error)[:120]}); correct it."
        ) from error
