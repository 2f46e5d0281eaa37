"""``umnist fool``: other noise over the same digits, until a model's answer is another."""

from __future__ import annotations

import json
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from umnist_core.cli._common import device_option, json_option, model_option
from umnist_core.cli._scene_options import parameter_help, scene_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from umnist_core.experiments.fool import GivenAnswer, NoiseSearch
    from umnist_core.scenes import SceneRef


@click.command(
    "fool",
    epilog="\b\nExamples:\n"
    "  umnist fool --model digit-finder --preset released --seed 3 --index 0 --tries 50\n"
    "  umnist fool --model additive-pyramid --seed 3 --vary shape_pairs=0..10\n"
    "  umnist fool --model ips-megapixel --preset megapixel-bezier --json\n\n" + parameter_help(),
)
@model_option(required=True)
@device_option()
@click.option(
    "--vary",
    metavar="NAME=LOW..HIGH",
    default="noise_seed",
    show_default=True,
    help="What is changed of the noise: its seed, or one parameter within a range.",
)
@click.option(
    "--tries", type=click.IntRange(1, 1000), default=24, show_default=True, help="Images to try."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Give up after so long.",
)
@json_option()
@scene_options
def fool_command(
    *,
    ref: SceneRef,
    checkpoint: str,
    device: str,
    vary: str,
    tries: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Search for noise under which a model answers otherwise, with the digits as they are.

    It begins with the scene that the options choose. From a right answer the search is for a wrong
    one, from a wrong one for any other. What is found is printed as commands that give both
    answers again, and as an address of the app that shows both images.
    """
    from umnist_core.errors import InvalidValueError
    from umnist_core.experiments.fool import parse_variation
    from umnist_core.models.needs import check_torch

    try:
        variation = parse_variation(vary)
    except InvalidValueError as error:
        raise click.BadParameter(str(error), param_hint="--vary") from error
    check_torch()
    from tqdm import tqdm

    from umnist_core.digits import load_glyphs
    from umnist_core.experiments.fool import find_flip

    ask = _asker(checkpoint, device)
    with tqdm(disable=not sys.stderr.isatty(), leave=False, unit="try") as bar:

        def show(tried: int, total: int, _first: GivenAnswer) -> None:
            bar.total, bar.n = total, tried
            bar.update(0)

        search = find_flip(
            ref,
            ask,
            load_glyphs(),
            variation=variation,
            tries=tries,
            longest_s=seconds,
            on_tried=show,
        )
    _tell(search, checkpoint, as_json)


def _asker(checkpoint: str, device: str) -> Callable[[SceneRef, float], GivenAnswer]:
    """Return what asks a model of this process."""
    from umnist_core.experiments.fool import GivenAnswer
    from umnist_core.inference.predictor import Predictor
    from umnist_core.inference.requests import PredictRequest, SceneImage

    predictor = Predictor(device)

    def ask(ref: SceneRef, until: float) -> GivenAnswer:
        def check(*_: object, **_more: object) -> None:
            if time.monotonic() > until:
                raise TimeoutError

        found = predictor.predict(PredictRequest(checkpoint, "auto", SceneImage(ref)), check)
        return GivenAnswer(found.tasks[0].answer, found.tasks[0].truth)

    return ask


def _tell(search: NoiseSearch, checkpoint: str, as_json: bool) -> None:
    query = search.query
    link = None if query is None else f"inference?{urlencode(query | {'model': checkpoint})}"
    if as_json:
        click.echo(json.dumps(_as_json(search, checkpoint) | {"link": link}))
        return
    click.echo(search.sentence)
    if search.found is None:
        return
    for ref, given in ((search.ref, search.first), (search.found, search.then)):
        assert given is not None  # as there is an image
        click.echo(f"{' '.join(map(str, given.answer))}: {_command(ref, checkpoint)}")
    click.echo(f"both: {link}")


def _command(ref: SceneRef, checkpoint: str) -> str:
    options = [*ref.options, "--index", str(ref.index)]
    return shlex.join(["umnist", "predict", "--model", checkpoint, *options])


def _as_json(search: NoiseSearch, checkpoint: str) -> dict[str, Any]:
    return {
        "model": checkpoint,
        "image": search.ref.to_dict(),
        "found": None if search.found is None else search.found.to_dict(),
        "answer": list(search.first.answer),
        "truth": None if search.first.truth is None else list(search.first.truth),
        "became": None if search.then is None else list(search.then.answer),
        "tried": search.tried,
        "tries": search.tries,
        "seconds": round(search.seconds, 3),
        "is_late": search.is_late,
        "sentence": search.sentence,
    }
