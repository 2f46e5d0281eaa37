"""What the commands about studies share: which store, which study, and how links read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.labeling.service import StudyService, open_service

Function = TypeVar("Function", bound=Callable[..., Any])


def study_argument(function: Function) -> Function:
    """Give a command the argument STUDY."""
    return click.argument("study", metavar="STUDY")(function)


def base_url_option(function: Function) -> Function:
    """Give a command the option ``--base-url``."""
    return click.option(
        "--base-url",
        callback=_check_base_url,
        metavar="URL",
        help="Address by which people reach the app, such as https://lab.example.org; without it, "
        "links are paths that go behind that address.",
    )(function)


def _check_base_url(ctx: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    if not re.fullmatch(r"https?://[^\s?#]+", value):
        raise click.BadParameter(f"expected an address such as https://host; got {value!r}.")
    return value.rstrip("/")


def join_link(token: str | None, base_url: str) -> str:
    """Return the link of an invitation; a remark for one that another secret has signed."""
    return "(made with another secret)" if token is None else f"{base_url}/join/{token}"


def choose_study(text: str) -> tuple[StudyService, str]:
    """Return the service and the study that a command means.

    Parameters
    ----------
    text
        Its id, the first letters of one, or its name.

    Raises
    ------
    NotFoundError
        If there is no such study.
    InvalidValueError
        If there are several.
    StoreError
        If the store cannot be opened.
    """
    service = open_service()
    studies = service.studies()
    if text in studies:
        return service, text
    found = [one for one in studies if text and one.startswith(text)]
    found = found or [one for one in studies if service.state(one).spec.name == text]
    if not found:
        raise NotFoundError(f"There is no study {text[:80]!r}; `umnist study list` names all.")
    if len(found) > 1:
        raise InvalidValueError(
            f"Expected one study, found {len(found)} that {text[:80]!r} can mean; use an id of "
            f"{', '.join(found[:5])}."
        )
    return service, found[0]


def wait(seconds: float) -> bool:
    """Wait; return whether nobody has pressed Ctrl-C."""
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        return False
    return True


def count_of(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun; the plural has an s unless it is given."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
