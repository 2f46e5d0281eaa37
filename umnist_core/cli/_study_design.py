"""Options of ``umnist study create`` that make images of several kinds: factors, adaptive sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from umnist_core.cli._study_choice import Function
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.adaptive import (
    METHODS,
    USUAL_IMAGES,
    USUAL_PEOPLE,
    Adaptive,
    images_needed,
    read_levels,
)
from umnist_core.labeling.factors import read_factors

DESIGNS = ("factors", "adaptive", "levels")
"""Options of `design_options`, which `with_design` makes settings of."""


def design_options(function: Function) -> Function:
    """Give a command the options of factors and of adaptive sizes."""
    levels = click.option(
        "--levels",
        metavar="PX,PX",
        help="With --adaptive: sizes that digits can have, 14 or multiples of 28.  "
        "[14,28,56,84,112,140,168,196,224,280,336]",
    )
    adaptive = click.option(
        "--adaptive",
        type=click.Choice(METHODS),
        help="Each person's sizes of digits follow from their answers, to measure a threshold in "
        f"px. {USUAL_IMAGES} images a person, {USUAL_PEOPLE} people a pool and as many images of "
        "each size as of one person, unless given.",
    )
    factors = click.option(
        "--factor",
        "factors",
        multiple=True,
        metavar="NAME=LEVEL,LEVEL",
        help="Levels of a parameter, crossed with those of others; each person gets as many images "
        "of each combination.",
    )
    return factors(adaptive(levels(function)))


def with_design(data: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a file, with factors and adaptive sizes that were typed instead of its own.

    Parameters
    ----------
    data
        Fields of the file.
    given
        What was typed, by option; None, or nothing, for what was not.

    Raises
    ------
    UsageError
        If something is not allowed, or there are levels of nothing.
    """
    try:
        return _with_adaptive(_with_factors(dict(data), given.get("factors")), given)
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


def _with_factors(data: dict[str, Any], typed: Sequence[str] | None) -> dict[str, Any]:
    """Return fields with factors; levels are texts, which a number in YAML is not."""
    factors = read_factors(typed) if typed else data.get("factors")
    if isinstance(factors, Mapping):
        factors = {
            str(name): [str(one) for one in levels] if isinstance(levels, list) else levels
            for name, levels in factors.items()
        }
    return data if factors is None else {**data, "factors": factors}


def _with_adaptive(data: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with adaptive sizes, and numbers that go with them where none are given."""
    method, levels = given.get("adaptive"), given.get("levels")
    if method is None and levels is None:
        return data
    own = data.get("adaptive")
    if method is None and own is None:
        raise InvalidValueError(
            "--levels are the sizes of an adaptive study; give --adaptive too, or leave them out."
        )
    typed = {} if method is None else {"method": method}
    typed |= {} if levels is None else {"levels_px": read_levels(levels)}
    adaptive = Adaptive.from_dict({**Adaptive.from_dict(own or {}).to_dict(), **typed})
    numbers = {"images_per_annotator": USUAL_IMAGES, "labels_per_image": USUAL_PEOPLE}
    numbers = {name: given.get(name) or data.get(name) or usual for name, usual in numbers.items()}
    numbers["stimuli"] = data.get("stimuli") or images_needed(
        adaptive, numbers["images_per_annotator"]
    )
    return {**data, **numbers, "adaptive": adaptive}
