"""``umnist study simulate``: synthetic people of known skill take part in a study."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from umnist_core.cli._scene_options import SEED
from umnist_core.cli._study_choice import choose_study, study_argument
from umnist_core.cli._types import Number

if TYPE_CHECKING:
    from umnist_core.simulation.client import Tally
    from umnist_core.simulation.report import PoolResult, SimulationReport


@click.command(
    "simulate",
    epilog="\b\nExamples:\n"
    "  umnist study simulate s1a2b3c4d5e6 --annotators 40 --accuracy 0.5 --sd 0.4\n"
    "  umnist study simulate s1a2b3c4d5e6 --annotators 20 --guided-gain 0.03 --seed 2\n"
    "  umnist study simulate s1a2b3c4d5e6 --annotators 20 --url http://127.0.0.1:8501 --tiles",
)
@study_argument
@click.option("--annotators", type=click.IntRange(1, 1000), default=40, show_default=True)
@click.option(
    "--accuracy",
    type=Number(0.001, 0.999),
    default=0.5,
    show_default=True,
    help="Expected share of right answers of unguided people.",
)
@click.option(
    "--guided-gain",
    type=Number(-0.99, 0.99),
    default=0.0,
    show_default=True,
    help="What guided people have more of it.",
)
@click.option(
    "--sd",
    "annotator_sd",
    type=Number(0, 10),
    default=0.4,
    show_default=True,
    help="How much people differ: standard deviation in logits.",
)
@click.option(
    "--image-sd",
    type=Number(0, 10),
    default=1.5,
    show_default=True,
    help="How much images differ, by their smallest digit; in logits.",
)
@click.option(
    "--url", help="A running server of this store; one is run for the simulation unless given."
)
@click.option("--tiles", is_flag=True, help="Fetch the tiles that a viewer would.")
@click.option(
    "--think", type=Number(0, 3600), default=0.0, show_default=True, help="Seconds an image."
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
def simulate_command(
    *,
    study: str,
    annotators: int,
    accuracy: float,
    guided_gain: float,
    annotator_sd: float,
    image_sd: float,
    url: str | None,
    tiles: bool,
    think: float,
    seed: int,
    as_json: bool,
) -> None:
    """Let synthetic people of known skill take part in STUDY, through the routes that people use.

    Their answers are marked as simulated and fill places as anybody's: simulate a study of its
    own, never one with people.
    """
    from umnist_core.simulation.people import Crowd
    from umnist_core.simulation.report import simulate
    from umnist_core.simulation.run import Pace

    crowd = Crowd(
        accuracy=accuracy, guided_gain=guided_gain, annotator_sd=annotator_sd, image_sd=image_sd
    )
    service, study = choose_study(study)
    spec = service.state(study).spec
    wanted = annotators * (spec.images_per_annotator + spec.repeats)
    report = simulate(
        service,
        study,
        annotators=annotators,
        crowd=crowd,
        seed=seed,
        origin=url,
        pace=Pace(think_s=think, fetches_tiles=tiles),
        progress=lambda tally: _tell(tally, wanted),
    )
    click.echo(f"\r{' ' * 60}\r", nl=False, err=True)
    _show(report)
    if as_json:
        click.echo(json.dumps(asdict(report)))


def _tell(tally: Tally, wanted: int) -> None:
    click.echo(f"\r{len(tally.acknowledged)} of at most {wanted} answers", nl=False, err=True)


def _show(report: SimulationReport) -> None:
    click.echo(f"{report.answers} answers in {report.seconds:.1f} s, all saved")
    reasons = sorted(report.reasons.items(), key=lambda item: -item[1])
    click.echo("  " + ", ".join(f"{count} {reason}" for reason, count in reasons))
    if report.troubles:
        troubles = ", ".join(f"{count} x {kind}" for kind, count in report.troubles.items())
        click.echo(f"  sent again after: {troubles}")
    for pool in report.pools:
        _show_pool(pool)


def _show_pool(pool: PoolResult) -> None:
    click.echo(f"{pool.pool}: {pool.labels} labels of {pool.people} people")
    measured = pool.accuracy
    if measured.is_known:
        interval = f", 95 % interval {measured.low:.1%} to {measured.high:.1%}"
    else:
        interval = ""
    click.echo(
        f"  accuracy  intended {pool.intended_accuracy:.1%}, measured {measured.estimate:.1%}"
        + interval
    )
    icc = pool.clustering
    click.echo(
        f"  ICC       intended {pool.intended_icc:.3f}, measured {icc.icc:.3f}, 95 % interval "
        f"{icc.icc_low:.3f} to {icc.icc_high:.3f}"
    )
