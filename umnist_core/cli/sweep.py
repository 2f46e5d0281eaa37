"""``umnist sweep``: run every cell of a sweep file, or what is left of it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._common import json_option
from umnist_core.cli._types import JOBS, GivenPath

if TYPE_CHECKING:
    from umnist_core.experiments.sweeps.engine import Executor, SweepSummary
    from umnist_core.experiments.sweeps.plan import Sweep
    from umnist_core.experiments.sweeps.pool import CellSlot


@click.command(
    "sweep",
    epilog="\b\nExamples:\n"
    "  umnist sweep --list                                the sweeps that come with umnist\n"
    "  umnist sweep fig6-compact --estimate\n"
    "  umnist sweep fig6-compact --workers 2 --table fig6.csv\n"
    "  umnist sweep my-sweep.toml --out runs/mine --list  where each cell stands\n"
    "  umnist sweep my-sweep.toml --retry-failed\n"
    "  umnist sweep thickness-paper --gpus 0,1 --workers 2\n"
    "  umnist sweep thickness-paper --dask tcp://10.0.0.1:8786\n"
    "  umnist sweep thickness-paper --slurm --workers 8 --slurm-set slurm_partition=gpu\n\n"
    "docs/sweeps.md says what a file may hold, and what a result does.",
)
@click.argument("file", required=False, type=GivenPath(), metavar="[FILE]")
@click.option(
    "--out",
    type=GivenPath(file_okay=False),
    help="Folder of the results; sweeps/FILE by default. What is done there is not done again.",
)
@click.option(
    "--workers", type=JOBS, help="Cells at a time: as many as there are cores, unless given."
)
@click.option("--threads", type=JOBS, help="Of each; cores are shared, unless given.")
@click.option(
    "--gpus", metavar="N,N", help="Numbers of GPUs, dealt out in turn; --workers is how many."
)
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster that does the work.")
@click.option("--slurm", is_flag=True, help="Let jobs of Slurm do the work, --workers of them.")
@click.option(
    "--slurm-set",
    "slurm_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of submitit's, such as timeout_min=600. May be given again.",
)
@click.option("--estimate", is_flag=True, help="Say how long it will take, and run nothing.")
@click.option("--retry-failed", is_flag=True, help="Run cells that failed before once more.")
@click.option("--list", "lists", is_flag=True, help="Say where each cell stands, and run nothing.")
@click.option(
    "--table",
    type=GivenPath(dir_okay=False),
    help="Write the table of what is done: .csv or .json, in the end.",
)
@json_option("Print the summary, the list or the estimate as one JSON object.")
def sweep_command(file: Path | None, **options: Any) -> int | None:
    """Run the cells of FILE, a TOML file or the name of a sweep that comes with umnist.

    A cell is a training or an evaluation with one point of the axes and one seed. Its result is
    one small file, named by all that it follows from; so a sweep that was stopped or killed goes
    on with the same command, and several may work in one folder.
    """
    from umnist_core.experiments.sweeps.plan import load_sweep, plan_sweep
    from umnist_core.experiments.sweeps.probe import PROBE
    from umnist_core.training.cells import find_kinds

    if file is None:
        if not options["lists"]:
            raise click.UsageError("Missing argument 'FILE'; `umnist sweep --list` names some.")
        _list_shipped(options["as_json"])
        return None
    _check_options(options)
    found = load_sweep(file)
    if found.kind != PROBE:
        from umnist_core.models.needs import check_torch

        check_torch()
    sweep = plan_sweep(found, find_kinds())
    folder = options["out"] or Path("sweeps") / file.stem
    if options["lists"]:
        _list_cells(sweep, folder, options["as_json"])
        return None
    if options["estimate"]:
        _estimate(sweep, folder, options)
        return None
    return _run(sweep, folder, options)


def _check_options(options: dict[str, Any]) -> None:
    table = options["table"]
    if table is not None and table.suffix not in (".csv", ".json"):
        raise click.BadParameter(
            f"expected a name that ends in .csv or .json; got {table.name!r}.", param_hint="--table"
        )
    if options["dask"] is not None and options["slurm"]:
        raise click.UsageError("--dask and --slurm both say who does the work; give one of them.")
    if options["slurm_options"] and not options["slurm"]:
        raise click.UsageError("--slurm-set goes with --slurm; add it.")
    if options["gpus"] is not None and (options["dask"] is not None or options["slurm"]):
        raise click.UsageError("--gpus is for processes of this machine; leave it out.")


def _slots(options: dict[str, Any]) -> list[CellSlot]:
    from umnist_core.experiments.sweeps.costs import cores
    from umnist_core.experiments.sweeps.pool import share_cores

    gpus = [one.strip() for one in (options["gpus"] or "").split(",") if one.strip()]
    if options["gpus"] is not None and not all(one.isdigit() for one in gpus):
        raise click.BadParameter(
            f"expected numbers such as 0,1; got {options['gpus']!r:.40}.", param_hint="--gpus"
        )
    workers = options["workers"] or len(gpus) or cores()
    return share_cores(workers, (options["threads"] or 0) * workers or cores(), gpus)


def _executor(options: dict[str, Any]) -> Executor:
    from umnist_core.experiments.sweeps.pool import PoolExecutor

    if options["dask"] is not None:
        from umnist_core.experiments.sweeps.cluster import DaskExecutor

        return DaskExecutor(options["dask"])
    if options["slurm"]:
        from umnist_core.experiments.sweeps.cluster import SlurmExecutor

        return SlurmExecutor(options["workers"] or 1, _slurm_options(options["slurm_options"]))
    return PoolExecutor(_slots(options))


def _slurm_options(given: tuple[str, ...]) -> dict[str, Any]:
    from umnist_core.parsing import parse_json

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(
                f"expected NAME=VALUE such as timeout_min=60; got {text!r:.60}.",
                param_hint="--slurm-set",
            )
        try:
            found[name] = parse_json(value)
        except ValueError:
            found[name] = value
    return found


def _run(sweep: Sweep, folder: Path, options: dict[str, Any]) -> int:
    from tqdm import tqdm

    from umnist_core.errors import UmnistError
    from umnist_core.experiments.sweeps.engine import run_sweep
    from umnist_core.training.cells import run_kind

    executor = _executor(options)
    total = len({cell.name for cell in sweep.cells})
    failed: list[str] = []
    with tqdm(total=total, disable=not sys.stderr.isatty(), unit="cell") as bar:

        def tell(result: Any) -> None:
            bar.update()
            if not result.is_done:
                failed.append(result.name)
                bar.set_postfix_str(f"{len(failed)} failed")

        try:
            summary = run_sweep(
                sweep,
                folder,
                run_kind,
                executor,
                retry_failed=options["retry_failed"],
                on_result=tell,
                on_start=bar.update,
            )
        except KeyboardInterrupt:
            raise UmnistError(
                f"Stopped; every result in {folder} is whole, and the same command goes on from "
                "there."
            ) from None
    _write_table(folder, options["table"])
    _tell(sweep, folder, summary, options["as_json"])
    return 1 if summary.failed else 0


def _tell(sweep: Sweep, folder: Path, summary: SweepSummary, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(summary)))
        return
    click.echo(
        f"{folder}: {summary.done} of {summary.cells} cells done, {summary.ran} of them now, in "
        f"{summary.seconds:.1f} s"
    )
    _tell_failures(sweep, folder)


def _write_table(folder: Path, path: Path | None) -> None:
    if path is None:
        return
    from umnist_core.experiments.sweeps.tables import fold_folder, table_csv, table_json
    from umnist_core.files import write_whole

    rows = fold_folder(folder)
    text = table_csv(rows) if path.suffix == ".csv" else table_json(rows)
    write_whole(path, text.encode())


def _tell_failures(sweep: Sweep, folder: Path) -> None:
    from umnist_core.experiments.sweeps.results import find_result

    names = dict.fromkeys(cell.name for cell in sweep.cells)
    found = [result for name in names if (result := find_result(folder, name)) is not None]
    for sentence, count in Counter(one.error for one in found if not one.is_done).items():
        click.echo(f"  {count} failed: {sentence}", err=True)
    if any(not one.is_done for one in found):
        click.echo("  --list names them, and --retry-failed runs them once more.", err=True)


def _list_shipped(as_json: bool) -> None:
    from umnist_core.experiments.sweeps.plan import load_sweep, sweep_names

    found = [(name, load_sweep(Path(name))) for name in sweep_names()]
    if as_json:
        kept = ("title", "kind", "size", "published", "needs", "count")
        told = {name: {one: getattr(file, one) for one in kept} for name, file in found}
        click.echo(json.dumps(told))
        return
    for name, file in found:
        needs = f"; for {file.needs}" if file.needs else ""
        click.echo(f"{name:<32} {file.count:>5} cells  {file.title}{needs}")


def _list_cells(sweep: Sweep, folder: Path, as_json: bool) -> None:
    from umnist_core.experiments.sweeps.results import CELLS
    from umnist_core.experiments.sweeps.states import iter_stale, iter_states

    states = list(iter_states(folder, sweep))
    stale = list(iter_stale(folder, sweep)) if (folder / CELLS).is_dir() else []
    if as_json:
        cells = [
            {
                **{name: getattr(one.cell, name) for name in ("name", "seed", "command")},
                "labels": dict(one.cell.labels),
                "state": one.state,
                "error": "" if one.result is None else one.result.error,
            }
            for one in states
        ]
        told = [{"name": one.result.name, "reason": one.reason} for one in stale]
        click.echo(json.dumps({"cells": cells, "stale": told}))
        return
    for one in states:
        labels = ", ".join(f"{name} {value}" for name, value in one.cell.labels.items())
        error = f": {one.result.error}" if one.result is not None and one.result.error else ""
        line = ", ".join(filter(None, (labels, f"seed {one.cell.seed}")))
        click.echo(f"{one.cell.name}  {one.state:<8} {line}{error}")
    for gone in stale:
        click.echo(f"{gone.result.name}  stale    {gone.reason}")
    counts = Counter(one.state for one in states) + Counter({"stale": len(stale)})
    click.echo(", ".join(f"{count} {state}" for state, count in counts.items()))


def _estimate(sweep: Sweep, folder: Path, options: dict[str, Any]) -> None:
    from umnist_core.experiments.sweeps.estimate import duration, estimate_sweep
    from umnist_core.training.cell_estimates import limited_threads, try_cell

    slots = _slots(options)
    with limited_threads(slots[0].threads):
        found = estimate_sweep(sweep, folder, len(slots), try_cell)
    if options["as_json"]:
        told = asdict(found)
        told["seconds_per_cell"] = [_finite(one) for one in found.seconds_per_cell]
        click.echo(json.dumps({**told, "seconds": _finite(found.seconds)}))
        return
    middle, least, most = map(duration, found.seconds_per_cell)
    click.echo(f"{found.left} of {found.cells} cells are left.")
    click.echo(f"A cell takes {middle} in the mean, {least} to {most}.")
    click.echo(f"All take {duration(found.seconds)} with {len(slots)} at a time on this machine.")
    tried = f"{found.tried} points were tried" if found.tried else "nothing had to be tried"
    click.echo(f"Of {found.known} points there are results; {tried}.")
    for note in found.notes:
        click.echo(note)
    if sweep.file.needs:
        click.echo(f"It is meant for {sweep.file.needs}.")


def _finite(value: float) -> float | None:
    return round(value, 3) if value < float("inf") else None
