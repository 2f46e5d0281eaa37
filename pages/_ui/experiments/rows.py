"""Plain tables, which every reader of a screen can follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def rows_html(heads: Sequence[str], rows: Iterable[Sequence[str]], label: str = "Figures") -> str:
    """Return a table whose first column names its rows; it scrolls where it is too wide."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        f"{''.join(f'<td>{escape(one)}</td>' for one in row[1:])}</tr>"
        for row in rows
    )
    return (
        f'<div class="umnist-scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f'<table class="umnist-rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )
