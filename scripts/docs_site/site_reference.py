"""The command line on the site, written from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from docutils import nodes
from docutils.parsers.rst import Directive

from umnist_core.cli import root

WIDTH = 96


class Commands(Directive):  # type: ignore[misc]
    """A section for each command, with what its ``--help`` prints."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return [_section(name, command, ctx) for name, command, ctx in iter_commands(root)]


def iter_commands(
    command: click.Command, name: str = "umnist", parent: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command and every group, a group before what is in it."""
    ctx = click.Context(command, info_name=name.rsplit(maxsplit=1)[-1], parent=parent, **_SETTINGS)
    yield name, command, ctx
    if isinstance(command, click.Group):
        for part in command.list_commands(ctx):
            inner = command.get_command(ctx, part)
            if inner is not None:
                yield from iter_commands(inner, f"{name} {part}", ctx)


_SETTINGS: dict[str, Any] = {
    "max_content_width": WIDTH,
    "terminal_width": WIDTH,
    "help_option_names": ["-h", "--help"],
}


def _section(name: str, command: click.Command, ctx: click.Context) -> nodes.Node:
    section = nodes.section(ids=[name.replace(" ", "-")], names=[name])
    section += nodes.title("", name)
    section += nodes.literal_block("", command.get_help(ctx), language="none")
    return section


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("umnist-commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
