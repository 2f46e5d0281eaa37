"""The settings of a study from options and a file, and back as a file to start from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from umnist_core.cli._study_choice import Function
from umnist_core.cli._study_design import DESIGNS, with_design
from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    UmnistError,
)
from umnist_core.labeling.records import DEFAULT_INSTRUCTIONS, StudySpec
from umnist_core.labeling.self_study import self_values
from umnist_core.labeling.telling import DEFAULT_FEEDBACK
from umnist_core.parsing import parse_yaml
from umnist_core.paths import read_file


def read_spec(file: Path | None, given: Mapping[str, Any]) -> StudySpec:
    """Return settings of a file, with what was given beside it instead of the file's.

    Parameters
    ----------
    file
        YAML, JSON, or TOML by its ending, with fields of `StudySpec`; None for none.
    given
        Fields; None for one that was not given. ``overrides``, ``instructions``
        and ``practice_feedback`` replace only what they name.

    Raises
    ------
    UsageError
        If a setting is unknown or not allowed.
    MissingFileError, DamagedFileError
        If the file cannot be read.
    """
    data = {} if file is None else _read_yaml(file)
    data = with_design(data, given)
    given = {name: value for name, value in given.items() if name not in DESIGNS}
    nested = {
        "overrides": {},
        "instructions": DEFAULT_INSTRUCTIONS,
        "practice_feedback": DEFAULT_FEEDBACK,
    }
    for name, defaults in nested.items():
        own = data.get(name) or {}
        if not isinstance(own, Mapping):
            raise click.UsageError(f"{name} in {file} is a list of NAME: VALUE; correct it.")
        values = {**defaults, **own, **(given.get(name) or {})}
        data[name] = {str(key): str(value) for key, value in values.items()}
    plain = {key: value for key, value in given.items() if value is not None and key not in nested}
    for key, value in plain.items():
        if isinstance(value, str) and value != value.encode(errors="replace").decode():
            raise click.UsageError(f"{key} is a text, which {value[:80]!r} is not; correct it.")
    try:
        return StudySpec.from_dict({**data, **plain})
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


def self_options(function: Function) -> Function:
    """Give a command the options of a study of oneself."""
    told = click.option(
        "--feedback/--no-feedback",
        "trial_feedback",
        default=None,
        help="With --self: the sum and each digit after each answer.  [feedback]",
    )
    own = click.option(
        "--self",
        "is_self",
        is_flag=True,
        default=None,
        help="20 images for yourself alone, unguided, without consent; prints the link.",
    )
    return own(told(function))


def for_oneself(file: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as given, with those of a study of oneself for what was not given.

    Raises
    ------
    UsageError
        If there is a file of settings too.
    """
    if file is not None:
        raise click.UsageError("--self has settings of its own; leave --spec or --self out.")
    said = {name: value for name, value in given.items() if value is not None}
    pool = said.get("pools", ("unguided",))[0]
    images = {"images_per_annotator": said["stimuli"]} if "stimuli" in said else {}
    return {**self_values(pool), "trial_feedback": True, **images, **said}


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        text = read_text(file)
        data = tomllib.loads(text) if file.suffix == ".toml" else parse_yaml(text)
    except ValueError as error:
        if isinstance(error, UmnistError):
            raise
        reason = str(error)[:160]
        raise DamagedFileError(
            f"Expected the settings of a study as YAML in {file}, found something else ({reason}); "
            "`umnist study create --print-spec` shows how they are written."
        ) from error
    if not isinstance(data, dict):
        raise DamagedFileError(
            f"Expected NAME: VALUE lines in {file}, found none; `umnist study create --print-spec` "
            "shows how they are written."
        )
    return {str(key): value for key, value in data.items()}


def read_text(file: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    MissingFileError, DamagedFileError
        If there is none, or it is not text in UTF-8.
    """
    try:
        return read_file(file).decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DamagedFileError(
            f"Expected text in UTF-8 in {file}, found something else; save it as UTF-8."
        ) from error
    except OSError as error:
        raise MissingFileError(
            f"Expected a text file {file}, found none that can be read "
            f"({error.strerror or error}); check the name."
        ) from error


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are read."""


def _as_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Dumper.add_representer(str, _as_block)


def spec_text(spec: StudySpec) -> str:
    """Return settings as a file that `read_spec` reads."""
    text: str = yaml.dump(
        spec.to_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text
