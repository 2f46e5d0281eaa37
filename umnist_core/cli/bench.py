"""``umnist bench``: measurements, as ratios taken in one run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from umnist_core.bench.machine import describe_machine
from umnist_core.cli._common import Commands, device_option, model_option
from umnist_core.cli._common import json_option as json_option_of
from umnist_core.cli._scene_options import SEED
from umnist_core.cli._types import Number
from umnist_core.digits import load_glyphs
from umnist_core.scenes import PRESETS

json_option = json_option_of("Print one JSON object as the last line.")


@click.group(
    "bench",
    cls=Commands,
    epilog="\b\nExamples:\n  umnist bench render --json\n  umnist bench tiles --json",
)
def bench_group() -> None:
    """Measure this machine; speeds are ratios taken in one run."""


def _show(figures: Any, as_json: bool) -> None:
    measured = asdict(figures)
    machine = describe_machine()
    click.echo("  ".join(f"{name} {value}" for name, value in machine.items()))
    for name, value in measured.items():
        click.echo(f"{name:<28} {value}")
    if as_json:
        click.echo(json.dumps({**measured, "machine": machine}))


@bench_group.command("render", epilog="\b\nExample:\n  umnist bench render --scenes 50 --json")
@click.option("--scenes", type=click.IntRange(1), default=100, show_default=True)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="released", show_default=True)
@json_option
def render_command(scenes: int, preset: str, as_json: bool) -> None:
    """Time plan, draw and encode of 4000 x 4000 images, on one core."""
    from umnist_core.bench.render import bench_render

    _show(bench_render(load_glyphs(), scenes=scenes, preset=preset), as_json)


@bench_group.command("tiles", epilog="\b\nExample:\n  umnist bench tiles --json")
@click.option("--rounds", type=click.IntRange(2), default=31, show_default=True)
@json_option
def tiles_command(rounds: int, as_json: bool) -> None:
    """Time tiles of a real server on loopback, 16 connections, against a static route of it."""
    from umnist_core.bench.tiles import bench_tiles

    _show(bench_tiles(rounds=rounds), as_json)


@bench_group.command("generate", epilog="\b\nExample:\n  umnist bench generate --json")
@click.option("--count", type=click.IntRange(1), default=200, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="released", show_default=True)
@json_option
def generate_command(count: int, rounds: int, preset: str, as_json: bool) -> None:
    """Time whole data sets of 4000 x 4000 images on one core and on two; weigh small ones."""
    from umnist_core.bench.generate import bench_generate

    _show(bench_generate(count=count, rounds=rounds, preset=preset), as_json)


@bench_group.command("data", epilog="\b\nExample:\n  umnist bench data --json")
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@json_option
def data_command(rounds: int, as_json: bool) -> None:
    """Time reading of the other data systems against plain loops; weigh small and large files."""
    from umnist_core.bench.data import bench_data

    _show(bench_data(rounds=rounds), as_json)


@bench_group.command("interaction", epilog="\b\nExample:\n  umnist bench interaction --json")
@click.option("--changes", type=click.IntRange(8), default=100, show_default=True)
@json_option
def interaction_command(changes: int, as_json: bool) -> None:
    """Time from a slider of the Noise lab to the whole new picture, in a real browser."""
    from umnist_core.bench.interaction import bench_interaction

    _show(bench_interaction(changes), as_json)


@bench_group.command("notebook", epilog="\b\nExample:\n  umnist bench notebook --json")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--pans", type=click.IntRange(4), default=24, show_default=True)
@json_option
def notebook_command(rounds: int, pans: int, as_json: bool) -> None:
    """Time the viewer in a real JupyterLab beside the app: first picture, and movements."""
    from umnist_core.bench.notebook import bench_notebook

    _show(bench_notebook(rounds, pans), as_json)


@bench_group.command("study", epilog="\b\nExample:\n  umnist bench study --annotators 50 --json")
@click.option("--annotators", type=click.IntRange(1, 400), default=50, show_default=True)
@click.option(
    "--images", type=click.IntRange(1, 100), default=5, show_default=True, help="For each person."
)
@click.option(
    "--servers",
    type=click.IntRange(1, 8),
    default=1,
    show_default=True,
    help="Processes that share the address and the store.",
)
@click.option(
    "--think",
    "think_s",
    type=click.FloatRange(0),
    default=None,
    help="Seconds that a person takes for an image on average; people take 30 or more.",
)
@click.option(
    "--store",
    type=click.Choice(("sqlite", "postgresql", "both")),
    default="both",
    show_default=True,
    help="PostgreSQL is run for the measurement, if it is installed.",
)
@json_option
def study_command(
    *, annotators: int, images: int, servers: int, think_s: float | None, store: str, as_json: bool
) -> None:
    """Time answers and tiles while many people take part; count errors and lost answers."""
    from umnist_core.bench.durability import STORES
    from umnist_core.bench.study import THINK_S, bench_study

    figures = bench_study(
        annotators=annotators,
        images=images,
        servers=servers,
        think_s=THINK_S if think_s is None else think_s,
        stores=STORES if store == "both" else (store,),
        progress=_say,
    )
    _show(figures, as_json)


@bench_group.command(
    "durability", epilog="\b\nExample:\n  umnist bench durability --kills 1000 --json"
)
@click.option("--kills", type=click.IntRange(1), default=1000, show_default=True)
@click.option(
    "--store", type=click.Choice(("sqlite", "postgresql")), default="sqlite", show_default=True
)
@click.option("--annotators", type=click.IntRange(1, 50), default=8, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@json_option
def durability_command(
    *, kills: int, store: str, annotators: int, seed: int, as_json: bool
) -> None:
    """Kill the server at random moments while people answer; count lost and doubled answers."""
    from umnist_core.bench.durability import bench_durability

    figures = bench_durability(
        kills=kills,
        store=store,
        annotators=annotators,
        seed=seed,
        progress=lambda done, wanted: _say(f"{done} of {wanted} kills"),
    )
    _show(figures, as_json)


@bench_group.command("inference", epilog="\b\nExample:\n  umnist bench inference --json")
@click.option("--rounds", type=click.IntRange(2), default=9, show_default=True)
@click.option("--first-rounds", type=click.IntRange(2), default=3, show_default=True)
@device_option(default="cpu")
@json_option
def inference_command(*, rounds: int, first_rounds: int, device: str, as_json: bool) -> None:
    """Time predictions from a click to heat over the image, cancelling, and tiles beside them."""
    from umnist_core.bench.inference import bench_inference
    from umnist_core.models.needs import check_torch

    check_torch()
    figures = bench_inference(
        device=device, rounds=rounds, first_rounds=first_rounds, progress=_say
    )
    _show(figures, as_json)


@bench_group.command(
    "hostile", epilog="\b\nExample:\n  umnist bench hostile --requests 10000 --files 500 --json"
)
@click.option("--requests", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--files", type=click.IntRange(1), default=500, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=4, show_default=True, help="Of viewing.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@json_option
def hostile_command(*, requests: int, files: int, rounds: int, seed: int, as_json: bool) -> None:
    """Send what nobody would send to every route; read malformed files; view under attack."""
    from umnist_core.bench.hostile import bench_hostile

    figures = bench_hostile(requests=requests, files=files, rounds=rounds, seed=seed, progress=_say)
    _show(figures, as_json)


@bench_group.command("ips", epilog="\b\nExample:\n  umnist bench ips --json")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--images", type=click.IntRange(1), default=16, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@model_option("--checkpoint", help="A checkpoint of IPS, by name or path; fresh weights without.")
@json_option
def ips_command(
    *, rounds: int, images: int, threads: int, checkpoint: str | None, as_json: bool
) -> None:
    """Time the fast path of IPS against the plain one, on Megapixel MNIST of 1500 x 1500."""
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.bench.ips import bench_ips
    from umnist_core.models.cards import get_checkpoint

    path = None if checkpoint is None else get_checkpoint(checkpoint)
    figures = bench_ips(
        load_glyphs(), rounds=rounds, images=images, threads=threads, checkpoint=path
    )
    _show(figures, as_json)


@bench_group.command(
    "recovery", epilog="\b\nExample:\n  umnist bench recovery --runs 500 --seed 0 --json"
)
@click.option("--runs", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--people", type=click.IntRange(3, 200), default=12, show_default=True)
@click.option("--images", type=click.IntRange(20, 2000), default=150, show_default=True)
@click.option(
    "--asked",
    type=Number(0.05, 1.0),
    default=1.0,
    show_default=True,
    help="Share of the images that each person answers.",
)
@json_option
def recovery_command(
    *, runs: int, seed: int, people: int, images: int, asked: float, as_json: bool
) -> None:
    """Simulate studies of known rules, and count how often intervals hold the truth."""
    from tqdm import tqdm

    from umnist_core.bench.recovery import KnownRules, bench_recovery

    rules = KnownRules(people=people, images=images, asked=asked)
    with tqdm(total=runs, unit="study", disable=None) as bar:

        def tell(done: int, of: int) -> None:
            bar.update(done - bar.n)

        figures = bench_recovery(
            runs=runs,
            seed=seed,
            two_parameter_runs=max(1, runs // 5),
            rules=rules,
            progress=tell,
        )
    for name, share in figures.coverage.items():
        ends = f"{figures.coverage_low[name]:.3f} to {figures.coverage_high[name]:.3f}"
        click.echo(
            f"{name:<26} coverage {share:.3f} ({ends})  bias {figures.bias[name]:+.4f}  "
            f"rms {figures.spread[name]:.4f}"
        )
    if as_json:
        click.echo(json.dumps({**asdict(figures), "machine": describe_machine()}))


@bench_group.command("sweep", epilog="\b\nExample:\n  umnist bench sweep --json")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option(
    "--cells", type=click.IntRange(2, 5000), default=200, show_default=True, help="Of 0.1 s each."
)
@json_option
def sweep_command(rounds: int, processes: int, cells: int, as_json: bool) -> None:
    """Time what the engine of sweeps costs beside its cells, and for each of few and of many."""
    from umnist_core.bench.sweep import bench_sweep

    _show(bench_sweep(processes=processes, rounds=rounds, cells=cells), as_json)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
