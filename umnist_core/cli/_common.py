"""Options that mean the same in every command that has them; each is told once, here.

`umnist --help` lists them. What a command has of its own stands with the command.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

COMMON = {
    "--model NAME|PATH": "A checkpoint: the name of one that comes with umnist or lies in "
    "UMNIST_CHECKPOINTS (`umnist models list`), or the path of a file.",
    "--set NAME=VALUE": "One setting in place of what the command starts from: of a preset such as "
    "shape_pairs=1..3, of a run's configuration such as run.epochs=3. May be given again.",
    "--preset, --seed, --split, --index": "Which images; each means the same everywhere.",
    "--device": "auto, cpu or cuda; where one process computes, cuda:1 and the like, too.",
    "--json": "One JSON object, for programs.",
    "--out": "The file or the folder to write.",
}
"""Option -> what it means."""


class Commands(click.Group):
    """A group that says, of a command that there is not, which there are, and which was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that a line names; a misspelt one is an error of usage."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], names, 1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No command {args[0][:60]!r}; the commands are {', '.join(names)}.{meant}")
        return super().resolve_command(ctx, args)


def model_option(*also: str, **how: Any) -> Callable[[Function], Function]:
    """Return the option ``--model``; the command receives it as ``checkpoint``.

    Parameters
    ----------
    also
        Names that the option had before.
    how
        As of click, such as ``required``, ``multiple`` or another ``help``.
    """
    name = "checkpoints" if how.get("multiple") else "checkpoint"
    told = {"metavar": "NAME|PATH", "help": "A checkpoint, by name or path.", **how}
    return click.option("--model", *also, name, **told)


def model_or_argument(*, several: bool = False) -> Callable[[Function], Function]:
    """Give a command ``--model``, and the same as an argument, as it was typed before.

    The command receives ``checkpoint``, or ``checkpoints`` where there may be several.
    """
    name = "checkpoints" if several else "checkpoint"

    def decorate(command: Function) -> Function:
        @click.argument("argument", metavar=f"[{name.upper()}]", nargs=-1)
        @model_option(multiple=several)
        @wraps(command)
        def wrapped(*args: Any, argument: tuple[str, ...], **kwargs: Any) -> Any:
            given = kwargs.pop(name)
            kwargs[name] = _several(argument, given) if several else _one(argument, given)
            return command(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    return decorate


def _several(argument: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    return (*argument, *given)


def _one(argument: tuple[str, ...], given: str | None) -> str:
    found = [*argument, *([] if given is None else [given])]
    if not found:
        raise click.UsageError("Missing option '--model'; `umnist models list` names checkpoints.")
    if len(found) > 1:
        raise click.UsageError(
            f"Expected one model, got {len(found)} ({', '.join(found)[:120]}); leave all but one "
            "out."
        )
    return found[0]


def device_option(
    choices: tuple[str, ...] = (), default: str = "auto"
) -> Callable[[Function], Function]:
    """Return the option ``--device``.

    Parameters
    ----------
    choices
        Those that there are; any name of a device where there are none.
    default
        Without it.
    """
    kind = {"type": click.Choice(choices)} if choices else {"metavar": "NAME"}
    told = "" if choices else "auto, cpu, or cuda:0 and the like."
    return click.option("--device", default=default, show_default=True, help=told, **kind)


def json_option(help_text: str = "Print one JSON object.") -> Callable[[Function], Function]:
    """Return the option ``--json``; the command receives it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def common_help() -> str:
    """Return the options that mean the same everywhere, for a help text."""
    formatter = click.HelpFormatter(width=90)
    with formatter.section("Options that mean the same in every command that has them"):
        formatter.write_dl(list(COMMON.items()), col_max=18)
    return formatter.getvalue()
