"""Parts of a card as HTML, with everything that a card says escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from pages._ui.models.words import Fact, linked
from pages._ui.shared.words import percent
from umnist_core.models.card_answers import SceneSet
from umnist_core.models.card_figures import Breakdown, Share, VariantFigures

TASK_TITLES = {
    "sum": "of sums right",
    "majority": "of majorities right",
    "max": "of largest digits right",
    "top": "of topmost digits right",
    "multi": "of sets of digits right",
    "digit": "of digits right",
    "needle": "of images right",
}

OwnImages = tuple[Share, SceneSet, str]
"""As `umnist_core.models.card_answers.find_own_images` gives it."""


def head_html(tag: str, title: str, *lines: str, about: str = "", kind: str = "head") -> str:
    """Return a heading with lines under it.

    Parameters
    ----------
    about
        HTML of a first line.
    kind
        ``"head"`` of a card, ``"part"`` of the page.
    """
    said = "".join(f"<p>{line}</p>" for line in [*([about] if about else []), *map(escape, lines)])
    return f'<div class="umnist-card-{kind}"><{tag}>{escape(title)}</{tag}>{said}</div>'


def headline_html(shares: Sequence[Share], measured: str, beside: OwnImages | None) -> str:
    """Return how good a checkpoint is: one question large, several in a row.

    Parameters
    ----------
    measured
        On what.
    beside
        The same on scenes that umnist draws; None where the first is on those.
    """
    if not shares:
        return (
            '<p class="umnist-quiet">The card has no figures: nothing was measured on whole '
            "sets of images.</p>"
        )
    figures = "".join(_figure_html(share) for share in shares)
    if beside is not None:
        share, scenes, _ = beside
        title = f"on {share.count:,} images that umnist drew, seed {scenes.seed}"
        figures += _figure_html(share, title, "beside")
    about = [f"{shares[0].count:,} images"] if shares[0].count else []
    about += [measured] if measured and not measured.startswith(about[0] if about else "-") else []
    told = measured if not about or measured.startswith(about[0]) else "; ".join(about)
    return (
        f'<div class="umnist-headlines">{figures}</div><p class="umnist-quiet">{escape(told)}</p>'
    )


def _figure_html(share: Share, title: str = "", kind: str = "") -> str:
    said = title or TASK_TITLES.get(share.label, f"of {share.label} right")
    ends = ""
    if share.low is not None and share.high is not None:
        ends = f"95 % interval {100 * share.low:.1f} to {100 * share.high:.1f} %"
    return (
        f'<div class="umnist-headline {kind}"><span class="figure">{percent(share.share)}</span>'
        f'<span class="of">{escape(said)}</span><span class="about">{ends}</span></div>'
    )


def breakdown_html(breakdown: Breakdown) -> str:
    """Return shares as bars with their intervals."""
    rows = "".join(_row_html(share) for share in breakdown.shares)
    return (
        f'<div class="umnist-shares"><div class="title">{escape(breakdown.title)}</div>{rows}</div>'
    )


def _row_html(share: Share) -> str:
    low, high = share.low, share.high
    ends, said = "", ""
    if low is not None and high is not None:
        style = f"left:{100 * low:.1f}%;right:{100 - 100 * high:.1f}%"
        ends = f'<div class="range" style="{style}"></div>'
        said = f" <small>{100 * low:.0f} to {100 * high:.0f}, n = {share.count}</small>"
    return (
        f'<div class="row"><div>{escape(share.label)}</div><div class="track">'
        f'<div class="fill" style="width:{100 * share.share:.1f}%"></div>{ends}</div>'
        f'<div class="said">{percent(share.share)}{said}</div></div>'
    )


def measured_html(measured: Sequence[VariantFigures]) -> str:
    """Return what was measured on other images, as a table; of models that warn, with warnings."""
    warns = any(one.warned is not None for one in measured)
    rows = "".join(
        f'<tr><th scope="row">{escape(one.title)}<small>{one.images:,} images</small></th>'
        f"<td>{_share_html(one.right)}</td>"
        f"{f'<td>{_warned_html(one)}</td>' if warns else ''}</tr>"
        for one in measured
    )
    titles = ("Images", "Right", "Warned of") if warns else ("Images", "Right")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    about = ", and what it warns of" if warns else ""
    return (
        f'<div class="umnist-part">Other images{about}</div>'
        f'<table class="umnist-measured"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _share_html(share: Share | None, more: str = "") -> str:
    if share is None:
        return "\N{EN DASH}"
    known = share.low is not None and share.high is not None
    ends = f"{100 * (share.low or 0):.1f} to {100 * (share.high or 0):.1f}" if known else ""
    small = "; ".join(one for one in (ends, more) if one)
    return f"{percent(share.share)}<small>{escape(small)}</small>"


def _warned_html(one: VariantFigures) -> str:
    return _share_html(one.warned, ", ".join(f"{kind} {count:,}" for kind, count in one.kinds))


def facts_html(facts: Iterable[Fact]) -> str:
    """Return facts as a list of terms."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts)
    return f'<dl class="umnist-facts">{rows}</dl>'


def notes_html(notes: Iterable[str]) -> str:
    """Return what is to be known of a checkpoint, its papers as links."""
    told = "".join(f"<li>{linked(note)}</li>" for note in notes)
    title = '<div class="umnist-notes-title">What to know</div>'
    return f'{title}<ul class="umnist-notes">{told}</ul>'


def links_html(title: str, links: Iterable[tuple[str, str, str]]) -> str:
    """Return buttons that save files: what each is called, its address and the file's name."""
    told = "".join(
        f'<a href="{escape(address)}" download="{escape(name)}" '
        f'title="Save {escape(name)}">{escape(label)}</a>'
        for label, address, name in links
    )
    return f'<div class="umnist-take"><span>{escape(title)}</span>{told}</div>'
