"""``umnist study plan``: what a study takes and finds, before there is one."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from umnist_core.cli._common import json_option
from umnist_core.cli._scene_options import SEED
from umnist_core.cli._study_choice import choose_study
from umnist_core.cli._types import Number
from umnist_core.errors import InvalidValueError

if TYPE_CHECKING:
    from umnist_core.labeling.durations import Duration
    from umnist_core.scoring.planning import PlannedStudy

SHARE = Number(0, 100, min_open=True, max_open=True)


@click.command(
    "plan",
    epilog="\b\nExamples:\n"
    "  umnist study plan --people 40 --images 25\n"
    "  umnist study plan --people 40 --images 25 --unguided 60 --difference 10\n"
    "  umnist study plan --tell 49 52 --images 30\n"
    "  umnist study plan --tell 49 52 --like Pilot\n"
    "  umnist study plan --tell 49.3 52.1 --icc 0.02 --pay 14 --fee 33 --json",
)
@click.option("--people", type=click.IntRange(4, 40_000), help="In both pools together.")
@click.option(
    "--tell",
    type=(SHARE, SHARE),
    metavar="FROM TO",
    help="Unguided and guided accuracy, in percent, that are to be told apart.",
)
@click.option(
    "--images", type=click.IntRange(1, 10_000), default=30, show_default=True, help="Each."
)
@click.option("--unguided", type=SHARE, help="Accuracy of unguided people, in percent.  [49.3]")
@click.option("--difference", type=Number(-99, 99), help="Guided minus unguided, in points.  [2.8]")
@click.option(
    "--icc",
    "iccs",
    type=Number(0, 0.8),
    multiple=True,
    help="How alike one person's answers are; may be given again.  [0 0.02 0.05 0.1]",
)
@click.option(
    "--labels-per-image",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Wanted for each image and pool.",
)
@click.option(
    "--image-sd",
    type=Number(0, 10),
    default=1.5,
    show_default=True,
    help="How much the difficulty of images spreads, in logits.",
)
@click.option(
    "--power",
    type=SHARE,
    default=80,
    show_default=True,
    help="Studies that are to find the difference, in percent.",
)
@click.option("--like", metavar="STUDY", help="Minutes as its people have taken them.")
@click.option("--minutes", type=Number(0, 600), help="For an image.  [1.5, or as --like]")
@click.option(
    "--minutes-besides",
    type=Number(0, 600),
    help="For consent, instructions and practice.  [10, or as --like]",
)
@click.option(
    "--pay", type=Number(0, 1e6), default=12, show_default=True, help="An hour, in any currency."
)
@click.option(
    "--fee",
    type=Number(0, 1000),
    default=0,
    show_default=True,
    help="Of a recruiting site, in percent of the pay.",
)
@click.option(
    "--studies",
    type=click.IntRange(0, 100_000),
    default=1000,
    show_default=True,
    help="Simulated for each ICC; 0: the formula alone.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@json_option("Print one JSON object: the assumptions and a row for each ICC.")
def plan_command(*, as_json: bool, **given: Any) -> None:
    """Say what a study of two pools takes, and what it finds.

    Give --people and --images to see what they find, or --tell and --images for how many people it
    takes. Power is that of the interval that the results give, by formula and by simulated studies.
    """
    from umnist_core.scoring import ScoringInputError
    from umnist_core.scoring.planning import Effort

    measured = None if given["like"] is None else _measured(given["like"], given["images"])
    usual = Effort() if measured is None else Effort(measured.an_image, measured.before)
    if given["minutes"] is None:
        given["minutes"] = usual.minutes_an_image
    if given["minutes_besides"] is None:
        given["minutes_besides"] = usual.minutes_besides
    try:
        rows = _rows(given)
    except ScoringInputError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        duration = {} if measured is None else {"duration": asdict(measured)}
        click.echo(json.dumps({"rows": [_plain(row) for row in rows], **duration}))
        return
    if measured is not None:
        click.echo(f"{measured.sentence}.")
    for line in _lines(rows, given):
        click.echo(line)


def _measured(study: str, images: int) -> Duration:
    from umnist_core.labeling.durations import expected, paces_of
    from umnist_core.labeling.results import FoldedStudy

    service, chosen = choose_study(study)
    found = expected(paces_of(FoldedStudy.of(service.log, chosen)), images)
    if found is None:
        raise InvalidValueError(
            f"Expected a study in which people have answered, found none who did in {chosen}; "
            "simulated people have no pace. Give --minutes instead."
        )
    return found


def _rows(given: dict[str, Any]) -> list[PlannedStudy]:
    import numpy as np

    from umnist_core.scoring.planning import ICCS, Effort, plan_difference, plan_people

    assumed = _assumptions(given)
    effort = Effort(given["minutes"], given["minutes_besides"], given["pay"], given["fee"] / 100)
    iccs = tuple(dict.fromkeys(given["iccs"])) or ICCS
    with tqdm(total=len(iccs), unit=" ICC", disable=None, leave=False) as bar:
        more: dict[str, Any] = {
            "rng": np.random.default_rng(given["seed"]),
            "iccs": iccs,
            "studies": given["studies"],
            "progress": lambda done, of: bar.update(done - bar.n),
        }
        if given["people"] is None:
            return plan_difference(given["images"], assumed, effort, **more)
        return plan_people(given["people"], given["images"], assumed, effort, **more)


def _assumptions(given: dict[str, Any]) -> Any:
    """Return what was given as a plan takes it; the two questions exclude each other."""
    from umnist_core.scoring.planning import Assumptions

    usual = Assumptions()
    if (given["people"] is None) == (given["tell"] is None):
        raise click.UsageError(
            "Expected either --people, for what they find, or --tell FROM TO, for how many it "
            "takes; give one of them."
        )
    if given["tell"] is not None:
        if given["unguided"] is not None or given["difference"] is not None:
            raise click.UsageError(
                "--tell has both accuracies, so --unguided and --difference go with --people alone."
            )
        low, high = (value / 100 for value in given["tell"])
    else:
        low = usual.unguided if given["unguided"] is None else given["unguided"] / 100
        gap = usual.difference if given["difference"] is None else given["difference"] / 100
        high = low + gap
    if low == high or not 0 < high < 1:
        raise click.UsageError(
            "Expected two different accuracies between 0 and 100 %, found "
            f"{100 * low:g} and {100 * high:g}; change one."
        )
    return Assumptions(
        low, high - low, given["labels_per_image"], given["image_sd"], given["power"] / 100
    )


def _lines(rows: list[PlannedStudy], given: dict[str, Any]) -> list[str]:
    first = rows[0]
    low, high = 100 * first.unguided, 100 * (first.unguided + first.difference)
    lines = [
        f"Two pools, {first.images_each} images each; {low:.1f} % unguided against {high:.1f} % "
        "guided.",
        " ICC    people   labels   images    hours       cost   finds     power   simulated",
    ]
    lines += [
        f"{row.icc:5.3f}  {row.people:7,}  {row.labels:7,}  {row.images:7,}  {row.hours:7,.0f}  "
        f"{row.cost:9,.0f}  {100 * row.detectable:5.1f}  {100 * row.power:6.1f} %  "
        f"{_simulated(row):>12}"
        for row in rows
    ]
    besides = "" if not given["fee"] else f" and a fee of {given['fee']:g} %"
    lines.append(
        f"finds: points that {given['power']:g} % of such studies find. Hours and cost of all "
        f"people: {given['minutes']:g} min an image, {given['minutes_besides']:g} min besides, "
        f"{given['pay']:g} an hour{besides}."
    )
    return lines


def _simulated(row: PlannedStudy) -> str:
    if math.isnan(row.simulated):
        return "-"
    return f"{100 * row.simulated:.1f} ± {100 * row.standard_error:.1f}"


def _plain(row: PlannedStudy) -> dict[str, Any]:
    values = asdict(row)
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }
