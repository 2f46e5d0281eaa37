"""``umnist report``: all results as a static site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from umnist_core.cli._common import json_option
from umnist_core.cli._types import GivenPath


@click.command(
    "report",
    epilog="\b\nExamples:\n"
    "  umnist report --site results-site\n"
    "  umnist report --site results-site --sweep runs/my-sweep --sweep runs/another",
)
@click.option(
    "--site",
    type=GivenPath(file_okay=False),
    required=True,
    help="Folder to write; one that holds such a site is written anew.",
)
@click.option(
    "--sweep",
    "sweeps",
    type=GivenPath(exists=True, file_okay=False),
    multiple=True,
    help="Folder of a sweep of your own; those that come with umnist and those that were imported "
    "are shown anyway.",
)
@json_option()
def report_command(site: Path, sweeps: tuple[Path, ...], **options: Any) -> None:
    """Write every published table with ours beside it as pages that open from disk.

    Nothing is loaded from elsewhere: figures are in the pages, and each table lies beside them as
    CSV, Parquet and LaTeX.
    """
    from umnist_core.errors import MissingFileError
    from umnist_core.experiments.published.beside import known_sweeps, load_folder
    from umnist_core.experiments.published.site import write_site

    for folder in sweeps:
        if load_folder(folder) is None:
            raise MissingFileError(
                f"Expected the folder of a sweep at {folder}, found no plan in it; run "
                "`umnist sweep` first, or correct the path."
            )
    known = known_sweeps(sweeps)
    pages = write_site(site, known)
    told = {"site": str(site), "pages": pages, "sweeps": len(known)}
    if options["as_json"]:
        click.echo(json.dumps(told))
    else:
        click.echo(f"{pages} pages in {site}; open {site / 'index.html'} in a browser.")
