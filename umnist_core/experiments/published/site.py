"""All results as a static site: a folder that opens from disk, without us and without a network."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from umnist_core import __version__
from umnist_core.errors import ConflictError, WriteError
from umnist_core.experiments.drawing.chart import HeatMap, SeriesChart
from umnist_core.experiments.published.beside import SweepFolder, ours_beside
from umnist_core.experiments.published.charts import chart_of, heat_of
from umnist_core.experiments.published.exports import (
    Row,
    figure_rows,
    figures_text,
    latex_text,
    parquet_bytes,
    png_file,
    svg_bytes,
)
from umnist_core.experiments.published.grid import grid_of
from umnist_core.experiments.published.site_html import (
    figure_html,
    link,
    list_html,
    page,
    sweep_body,
    table_body,
)
from umnist_core.experiments.published.sweep_charts import charts_of_sweep
from umnist_core.experiments.published.tables import PublishedTable, published_tables
from umnist_core.experiments.sweeps.tables import table_csv
from umnist_core.files import write_whole

MARK = "umnist-site.json"
"""File by which a folder is known as such a site, which may be written anew."""

SYSTEMS = {
    "ultramnist": "UltraMNIST",
    "megapixel": "Megapixel MNIST",
    "signs": "Swedish traffic signs",
    "needle": "Needle MNIST",
    "large-scale": "MNIST Large Scale",
    "meth": "MetH",
}

TITLE = "Every published table, and ours beside it"

_ABOUT = (
    "Each cell says where its figure may be read: in a text, a table, a figure or the authors' "
    "public logs. What was recomputed from those logs stands under it, ours in colour with 95 % "
    "intervals, and where a source contradicts itself that is said at the cell. What nobody "
    "published stays empty."
)


def write_site(folder: Path, sweeps: Sequence[SweepFolder]) -> int:
    """Write the site, whole or not at all, and return how many pages it has.

    Parameters
    ----------
    folder
        Where to; one that holds such a site is replaced.
    sweeps
        Whose results are shown.

    Raises
    ------
    ConflictError
        If something else lies there.
    WriteError
        If it cannot be written; what was there is unchanged.
    """
    place = folder.absolute()
    if place.exists() and (place.is_file() or (any(place.iterdir()) and not _is_site(place))):
        raise ConflictError(
            f"Expected a new folder or one that `umnist report --site` wrote at {folder}, found "
            "something else there; name another."
        )
    new, old = (place.with_name(f".{place.name}.{word}") for word in ("new", "old"))
    try:
        for one in (new, old):
            shutil.rmtree(one, ignore_errors=True)
        new.mkdir(parents=True)
        count = _write(new, sweeps)
        if place.exists():
            place.rename(old)
        new.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(new, ignore_errors=True)
        # What a file's own error says names one of the folder that has gone again.
        cause = error.__cause__ if isinstance(error, WriteError) else error
        why = getattr(cause, "strerror", None) or error
        raise WriteError(
            f"{folder} could not be written ({why}); what was there is unchanged. Choose a folder "
            "that exists and has room."
        ) from error
    return count


def _is_site(folder: Path) -> bool:
    return (folder / MARK).is_file()


def _write(root: Path, sweeps: Sequence[SweepFolder]) -> int:
    for name in ("tables", "figures", "data", "sweeps"):
        (root / name).mkdir()
    tables = published_tables()
    every: list[Row] = []
    counts: dict[str, int] = {}
    for table in tables:
        rows = _write_table(root, table, sweeps)
        every += rows
        counts[table.key] = sum(1 for row in rows if row["runs"] is not None and row["name"])
    _save(root / "data" / "all.csv", figures_text(every))
    write_whole(root / "data" / "all.parquet", parquet_bytes(every))
    named = dict(_named(sweeps))
    for name, sweep in named.items():
        _write_sweep(root, name, sweep)
    _save(root / "index.html", page(TITLE, _index(tables, counts, named)))
    told = {"umnist": __version__, "tables": len(tables), "sweeps": len(sweeps)}
    _save(root / MARK, json.dumps(told) + "\n")
    return 1 + len(tables) + len(sweeps)


def _save(path: Path, text: str) -> None:
    write_whole(path, text.encode())


def _write_table(root: Path, table: PublishedTable, sweeps: Iterable[SweepFolder]) -> list[Row]:
    ours = ours_beside(table, sweeps)
    rows = figure_rows(table, ours)
    data = root / "data"
    _save(data / f"{table.key}.csv", figures_text(rows))
    write_whole(data / f"{table.key}.parquet", parquet_bytes(rows))
    _save(data / f"{table.key}.tex", latex_text(table, ours))
    files = [
        (f"../data/{table.key}.{suffix}", words)
        for suffix, words in (("csv", "CSV"), ("parquet", "Parquet"), ("tex", "LaTeX"))
    ]
    figures: list[str] = []
    for column in table.drawn:
        chart = chart_of(table, ours, column.key)
        found: list[SeriesChart | HeatMap] = [] if chart is None else [chart]
        found += heat_of(table, column.key, ours)
        figures += _write_figures(root, f"{table.key}-{column.key}", found)
    body = table_body(table, grid_of(table, ours), figures, files)
    _save(root / "tables" / f"{table.key}.html", page(table.title, body, up="../"))
    return rows


_PICTURES = ("svg", "png")


def _write_figures(root: Path, name: str, found: Iterable[SeriesChart | HeatMap]) -> Iterator[str]:
    """Write charts as pictures and yield each for a page."""
    for number, one in enumerate(found):
        own = f"{name}{f'-{number}' if number else ''}"
        write_whole(root / "figures" / f"{own}.svg", svg_bytes(one))
        write_whole(root / "figures" / f"{own}.png", png_file(one))
        yield figure_html(one, [(f"../figures/{own}.{kind}", kind.upper()) for kind in _PICTURES])


def _named(sweeps: Sequence[SweepFolder]) -> Iterator[tuple[str, SweepFolder]]:
    """Yield the sweeps with names that are each other's own; two folders may have one name."""
    taken: set[str] = set()
    for sweep in sweeps:
        plain = re.sub(r"[^\w-]+", "-", sweep.folder.resolve().name).strip("-") or "sweep"
        names = (plain, *(f"{plain}-{number}" for number in range(2, len(sweeps) + 1)))
        name = next(one for one in names if one not in taken)
        taken.add(name)
        yield name, sweep


def _write_sweep(root: Path, name: str, sweep: SweepFolder) -> None:
    _save(root / "data" / f"sweep-{name}.csv", table_csv(sweep.rows))
    figures = list(_write_figures(root, f"sweep-{name}", charts_of_sweep(sweep)))
    body = sweep_body(sweep, figures, [(f"../data/sweep-{name}.csv", "CSV")])
    _save(root / "sweeps" / f"{name}.html", page(sweep.title, body, up="../"))


def _index(
    tables: Sequence[PublishedTable], counts: Mapping[str, int], sweeps: Mapping[str, SweepFolder]
) -> str:
    parts = [f'<p class="about">{escape(_ABOUT)}</p>']
    files = [("data/all.csv", "All figures as CSV"), ("data/all.parquet", "as Parquet")]
    parts.append(f'<p class="files">{" ".join(link(path, words) for path, words in files)}</p>')
    for system, title in SYSTEMS.items():
        own = [one for one in tables if one.system == system]
        items = [
            f"{link(f'tables/{one.key}.html', one.title)}<small>{_counted(one, counts)}</small>"
            for one in own
        ]
        parts.append(f"<h2>{escape(title)}</h2>{list_html(items)}")
    if sweeps:
        items = [link(f"sweeps/{name}.html", one.title) for name, one in sweeps.items()]
        parts.append(f"<h2>Sweeps</h2>{list_html(items)}")
    parts.append(f'<p class="about">Written by umnist {__version__}.</p>')
    return "".join(parts)


def _counted(table: PublishedTable, counts: Mapping[str, int]) -> str:
    cells = [one for row in table.rows for found in row.cells.values() for one in found]
    published = sum(one.is_published for one in cells)
    against = len({one.id for one in table.contradictions})
    told = [f"{published} published figures", f"{len(cells) - published} from logs"]
    told += [f"{counts[table.key]} of ours"]
    told += [f"{against} contradiction{'s' * (against != 1)}"] if against else []
    return ", ".join(told)
