"""Links on paper: a page to print, a card for each with its QR code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import segno

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: links</title>
<style>
  @page {{ size: A4; margin: 12mm; }}
  body {{ margin: 0; color: #000; background: #fff; font: 11pt/1.35 system-ui, sans-serif; }}
  .hint {{ margin: 12px; }}
  main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(85mm, 1fr)); }}
  .card {{
    display: grid; grid-template-columns: 32mm minmax(0, 1fr); gap: 4mm; align-items: center;
    padding: 6mm; border: 1px dashed #767676; break-inside: avoid; margin: -1px 0 0 -1px;
  }}
  h2 {{ margin: 0 0 2mm; font-size: 12pt; }}
  p {{ margin: 0 0 2mm; }}
  svg {{ width: 32mm; height: 32mm; }}
  code {{ overflow-wrap: anywhere; font: 9pt/1.3 ui-monospace, monospace; }}
  @media print {{ .hint {{ display: none; }} }}
</style>
</head>
<body>
<p class="hint">Print this page and cut along the lines. Whoever has a card can use its link.</p>
<main>
{cards}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class LinkCard:
    """A link on paper.

    Attributes
    ----------
    address
        Whole, with https:// or http://.
    is_open
        Whether any number of people may use it.
    until
        Date after which it does not open any more; empty for none.
    """

    address: str
    is_open: bool
    until: str = ""


def qr_svg(address: str) -> str:
    """Return the QR code of an address as SVG for a page, black on white with its margin."""
    picture: str = _code_of(address).svg_inline(
        border=4, light="#fff", omitsize=True, title="QR code"
    )
    return picture


def qr_source(address: str) -> str:
    """Return `qr_svg` as the source of an image, for pages that take no SVG of their own."""
    source: str = _code_of(address).svg_data_uri(border=4, light="#fff")
    return source


def _code_of(address: str) -> segno.QRCode:
    return segno.make(address, error="m", micro=False)


def cards_page(name: str, cards: Iterable[LinkCard]) -> str:
    """Return an HTML page that needs nothing else, with a card for each link.

    Parameters
    ----------
    name
        Of the study.
    cards
        In their order.
    """
    drawn = "\n".join(_card(name, number, card) for number, card in enumerate(cards, 1))
    return _PAGE.format(title=escape(name), cards=drawn)


def _card(name: str, number: int, card: LinkCard) -> str:
    whose = "For everybody who takes part." if card.is_open else "For you alone; keep it."
    until = f" Until {escape(card.until)}." if card.until else ""
    return (
        f'<section class="card">{qr_svg(card.address)}<div><h2>{escape(name)}</h2>'
        f"<p>{number}. {whose}{until}</p><p><code>{escape(card.address)}</code></p></div></section>"
    )
