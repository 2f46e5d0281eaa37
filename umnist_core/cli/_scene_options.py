"""The options that choose one scene, shared by every command that draws one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from umnist_core.digits import GlyphSet
from umnist_core.scenes import PRESETS, Scene, get_preset, plan_scene
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


def read_settings(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Read NAME=VALUE pairs; what is not one is an error of usage."""
    overrides = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter(f"expected NAME=VALUE such as shape_pairs=3; got {value!r}.")
        overrides[name] = text
    return overrides


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
        title = f"Parameters of --set for the presets {', '.join(presets_of[planner])}:"
        paragraphs.append("\n".join(["\b", title, *lines]))
    return "\n\n".join(paragraphs)


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
        callback=read_settings,
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
        try:
            get_preset(preset).with_overrides(overrides)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--set") from error
        choice = SceneChoice(preset, seed, split, index, overrides)
        return command(*args, choice=choice, **kwargs)

    return wrapped
