"""``umnist models memory``: how much memory configurations need at most, without having it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._common import device_option, json_option
from umnist_core.cli._scene_options import CONFIG_SET, set_option
from umnist_core.cli._types import GivenPath

if TYPE_CHECKING:
    from umnist_core.training.config_peaks import ConfigPeaks

_ROW = "{:<30} {:>8} {:>18} {:>10} {:>18}  {}"
_HEAD = ("configuration", "images", "answer", "attention", "train", "budget")


@click.command(
    "memory",
    epilog="\b\nExamples:\n  umnist models memory efficientnet-b0-512-11gb vgg16-4000\n"
    "  umnist models memory my-run.toml --set run.precision=mixed --images 8\n"
    "  umnist models memory\n\ndocs/memory.md has the table and says what is counted.",
)
@click.argument("configs", nargs=-1, type=GivenPath())
@set_option(CONFIG_SET)
@click.option("--images", type=click.IntRange(1, 4096), help="Of a batch, not the configured ones.")
@device_option(("cuda", "cpu"), "cuda")
@json_option()
def memory_command(
    configs: tuple[Path, ...],
    overrides: dict[str, str],
    images: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Predict the memory that CONFIGS need: TOML files, or names of those that come with umnist.

    Without CONFIGS all that come, and vgg16-4000, VGG16 on an image of 4000 x 4000 px. No GPU is
    needed, nor the memory itself. Figures are for one image to be answered, alone and with where
    the model looked, and for a step of training; in float32 and, after a stroke, in mixed
    precision.
    """
    from umnist_core.training.config import config_names
    from umnist_core.training.config_peaks import VGG16

    names = configs or tuple(map(Path, (*config_names(), VGG16)))
    if not as_json:
        click.echo(_ROW.format(*_HEAD))
    changes = tuple(f"{name}={text}" for name, text in overrides.items())
    found: dict[str, ConfigPeaks] = {}
    for name in names:
        found[str(name)] = peaks = _predict(name, changes, images, device)
        if not as_json:
            click.echo(_ROW.format(name.stem, *_cells(peaks)))
    if as_json:
        told = {name: dataclasses.asdict(one) | {"fits": one.fits} for name, one in found.items()}
        click.echo(json.dumps(told))


def _predict(
    name: Path, changes: tuple[str, ...], images: int | None, device_name: str
) -> ConfigPeaks:
    import torch

    from umnist_core.training.config import load_config
    from umnist_core.training.config_peaks import VGG16, predict_config, predict_vgg16

    device = torch.device(device_name)
    if str(name) == VGG16:
        return predict_vgg16(device, images=images or 1)
    return predict_config(load_config(name, changes), device, images=images)


def _cells(peaks: ConfigPeaks) -> tuple[str, ...]:
    from umnist_core.training.memory import gigabytes

    batch = f"{peaks.images}" if peaks.images else "-"
    answer, step = (
        " / ".join(f"{gigabytes(one[kind])}" for kind in ("float32", "mixed"))
        for one in (peaks.answer, peaks.step)
    )
    fits = {None: "-", True: f"fits {gigabytes(peaks.budget)}"}
    return (
        batch if peaks.parts == 1 else f"{batch} x {peaks.parts}",
        answer,
        gigabytes(peaks.attention) if peaks.attention else "-",
        step,
        fits.get(peaks.fits, f"exceeds {gigabytes(peaks.budget)}"),
    )
