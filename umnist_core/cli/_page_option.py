"""The page of a file, for every command that takes one: from 1 when typed, from 0 inside."""

from __future__ import annotations

import click


def _from_zero(ctx: click.Context, option: click.Parameter, page: int | None) -> int | None:
    return None if page is None else page - 1


page_option = click.option(
    "--page",
    type=click.IntRange(1, 1_000_000),
    callback=_from_zero,
    help="Page of a file with several, such as a TIFF stack, counted from 1; the first without it.",
)
