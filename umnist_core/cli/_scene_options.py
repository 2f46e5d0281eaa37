"""The options that choose one scene, shared by every command that draws one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from umnist_core.digits import GlyphSet
from umnist_core.scenes import PARAMETERS, PRESETS, Scene, parse_parameter, plan_scene
from umnist_core.seeds import SPLITS


@dataclass(frozen=True)
class SceneChoice:
    """Which scene the options name."""

    preset: str
    seed: int
    split: str
    index: int
    overrides: dict[str, str]

    def plan(self, glyphs: GlyphSet) -> Scene:
        """Plan the scene on a glyph set."""
        return plan_scene(
            self.preset,
            self.seed,
            self.split,
            self.index,
            glyphs=glyphs,
            overrides=self.overrides,
        )


def _read_settings(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Read NAME=VALUE pairs; a wrong one is an error of usage and says what is allowed."""
    overrides = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter(f"expected NAME=VALUE such as shape_pairs=3; got {value!r}.")
        try:
            parse_parameter(name, text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        overrides[name] = text
    return overrides


def parameter_help() -> str:
    """Return the parameters that ``--set`` takes, a line each."""
    lines = [f"  {name:<19} {p.meaning}: {p.allowed}" for name, p in PARAMETERS.items()]
    return "\b\nParameters of --set:\n" + "\n".join(lines)


def scene_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose a scene; the command receives them as ``choice``."""

    @click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        default="released",
        show_default=True,
        help="Whose ranges to draw from.",
    )
    @click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
    @click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True)
    @click.option("--index", type=click.IntRange(0), default=0, show_default=True)
    @click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_read_settings,
        help="Replace one parameter of the preset; a number, or a range such as 1..3.",
    )
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
        choice = SceneChoice(preset, seed, split, index, overrides)
        return command(*args, choice=choice, **kwargs)

    return wrapped
