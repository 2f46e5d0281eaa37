"""The options that choose one scene, shared by every command that draws one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from umnist_core.scenes import PRESETS, SceneRef
from umnist_core.seeds import MAX_SEED, SPLITS

IMAGE_HELP = (
    "Grey JPEG of quality 75 with a comment that says which image it is, jpeg-kaggle without it; "
    "jpeg-released of quality 95 without it; or lossless 1-bit PNG."
)


SEED = click.IntRange(0, MAX_SEED)
"""Of a seed, and of an index."""


def _read_settings(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Read NAME=VALUE pairs; what is not one is an error of usage."""
    overrides = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter(
                f"expected NAME=VALUE such as shape_pairs=3; got {value!r:.80}."
            )
        overrides[name] = text
    return overrides


def set_option(
    help_text: str = "Replace one parameter of the preset; a number, or a range such as 1..3.",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--set``; the command receives it as ``overrides``, name -> text."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_read_settings,
        help=help_text,
    )


CONFIG_SET = "Replace one setting of the configuration, such as run.epochs=3."
"""Help of ``--set`` where runs are configured."""


def read_digits(
    ctx: click.Context, option: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Read a number of digits, or a range of them; what is none is an error of usage."""
    if value is None:
        return None
    fewest, dots, most = value.partition("..")
    ends = (fewest, most if dots else fewest)
    if not all(re.fullmatch("[0-9]{1,9}", end) for end in ends) or int(ends[0]) > int(ends[1]):
        raise click.BadParameter(f"expected a range such as 1..9, or a number; got {value!r:.60}.")
    return int(ends[0]), int(ends[1])


def parameter_help() -> str:
    """Return the parameters that ``--set`` takes, a line each."""
    presets_of: dict[str, list[str]] = {}
    tables = {}
    for preset, parameters in PRESETS.items():
        presets_of.setdefault(parameters.planner, []).append(preset)
        tables[parameters.planner] = parameters.table
    paragraphs = []
    for planner, table in tables.items():
        lines = [f"  {name:<19} {p.meaning}: {p.allowed}" for name, p in table.items()]
        presets = presets_of[planner]
        of_presets = f"preset{'s' if len(presets) > 1 else ''} {', '.join(presets)}"
        title = f"Parameters of --set for the {of_presets}:"
        paragraphs.append("\n".join(["\b", title, *lines]))
    return "\n\n".join(paragraphs)


_NAMES = {name: name for name in ("preset", "seed", "split", "index")} | {"overrides": "set"}
"""What commands receive of a scene, and the option that it is given by."""


def given_scene_options(ctx: click.Context, *others: str) -> list[str]:
    """Return which of the options that `scene_options` adds somebody gave, and of others before."""
    commandline = click.core.ParameterSource.COMMANDLINE
    return [
        option
        for name, option in ({name: name for name in others} | _NAMES).items()
        if ctx.get_parameter_source(name) is commandline
    ]


def scene_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose a scene; the command receives it as ``ref``."""

    @click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        default="released",
        show_default=True,
        help="Whose ranges to draw from.",
    )
    @click.option("--seed", type=SEED, default=0, show_default=True)
    @click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True)
    @click.option("--index", type=SEED, default=0, show_default=True)
    @set_option()
    @wraps(command)
    def wrapped(
        *args: Any,
        preset: str,
        seed: int,
        split: str,
        index: int,
        overrides: dict[str, str],
        **kwargs: Any,
    ) -> Any:
        try:
            ref = SceneRef.of(preset, overrides, seed=seed, split=split, index=index)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--set") from error
        return command(*args, ref=ref, **kwargs)

    return wrapped
