"""How well photographs are enlarged, ours beside bicubic: what `umnist evaluate` does for MetH-SR.

Pairs are read as `umnist_core.datasets.meth.pairs` has them: what the data set ships is taken
before our own reduction, and how many of each there were is told.
"""

from __future__ import annotations

import math
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from umnist_core.datasets import DatasetReader, open_dataset
from umnist_core.datasets.meth import MethReader, read_pair
from umnist_core.datasets.meth.layout import FACTORS
from umnist_core.datasets.meth.pairs import KERNEL
from umnist_core.errors import InvalidValueError
from umnist_core.files import write_whole
from umnist_core.hardware import find_hardware, hardware_of
from umnist_core.models.cards import get_checkpoint, keep_measured, load_card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.papers.espcn import BICUBIC, Espcn, enlarge_whole
from umnist_core.spreadsheets import csv_text
from umnist_core.training.bars import progress_bar
from umnist_core.training.data import split_ids
from umnist_core.training.evaluate import write_summary
from umnist_core.training.failures import failures_said
from umnist_core.training.fidelity import COLOURS, convention, measure_fidelity
from umnist_core.training.provenance import find_versions

BICUBIC_NAMES = {f"bicubic-x{factor}": factor for factor in FACTORS}
"""In place of a checkpoint: bicubic alone, by a factor."""

Row = dict[str, Any]

_FIGURE = re.compile(r"(psnr|ssim)_")


@dataclass(frozen=True)
class Enlarger:
    """What enlarges.

    Attributes
    ----------
    name
        Of the checkpoint, or of bicubic.
    factor
        How many times.
    model
        On its device, in evaluation mode; None for bicubic alone.
    sha256
        Of its checkpoint; empty for bicubic.
    """

    name: str
    factor: int
    model: Espcn | None = None
    sha256: str = ""

    def enlarge(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image uint8 (H, W, 3) of uint8 (h, w, 3), tile by tile."""
        return enlarge_whole(image, self.factor, self.model)

    def measure(self, reader: DatasetReader, image_id: str) -> Row:
        """Enlarge an image and compare it with the true one, and bicubic beside it.

        Raises
        ------
        InvalidValueError, MissingFileError, DamagedFileError, TooLargeError
            As `read_pair` and `measure_fidelity`.
        """
        pair = read_pair(reader, image_id, self.factor)
        name = image_id.removeprefix(f"{reader.get_split(image_id)}/")
        row: Row = {"id": name, "is_shipped": pair.is_shipped}
        ways = {"bicubic": None} | ({} if self.model is None else {"model": self.model})
        for way, model in ways.items():
            started = time.monotonic()
            high = enlarge_whole(pair.low, self.factor, model)
            row[f"seconds_{way}"] = time.monotonic() - started
            found = measure_fidelity(high, pair.high, border_px=self.factor)
            for colour in COLOURS:
                row[f"psnr_{way}_{colour}"] = found[colour].psnr
                row[f"ssim_{way}_{colour}"] = found[colour].ssim
        return row


def load_enlarger(checkpoint: str, device: str) -> Enlarger:
    """Return what a checkpoint enlarges with, or bicubic by one of `BICUBIC_NAMES`.

    Raises
    ------
    InvalidValueError
        If it is a checkpoint of a model that answers.
    NotFoundError, MissingFileError, DamagedFileError
        If there is no such checkpoint or device, or it is damaged.
    """
    if checkpoint in BICUBIC_NAMES:
        return Enlarger(checkpoint, BICUBIC_NAMES[checkpoint])
    model, card = load_checkpoint(get_checkpoint(checkpoint))
    if not isinstance(model, Espcn):
        raise InvalidValueError(
            f"Expected a checkpoint of espcn or one of {', '.join(BICUBIC_NAMES)}, found one of "
            f"{card.model}; choose another."
        )
    found = find_hardware("cuda:0" if device == "cuda" else device)
    model = model.to(found.device).eval()
    return Enlarger(checkpoint, model.config.factor, model, card.sha256)


def is_enlarger(checkpoint: str) -> bool:
    """Return whether a checkpoint enlarges images, or is the name of bicubic.

    Raises
    ------
    NotFoundError, MissingFileError, DamagedFileError
        If there is no such checkpoint.
    """
    if checkpoint in BICUBIC_NAMES:
        return True
    return load_card(get_checkpoint(checkpoint)).model == "espcn"


def run_enlarging(checkpoint: str, options: dict[str, Any]) -> Iterator[str]:
    """Measure it on the images of a data set, write what was asked for, yield lines to print.

    Raises
    ------
    InvalidValueError
        If no data set is named, or an option is of models that answer.
    UmnistError
        If something cannot be read or written.
    """
    _check_options(checkpoint, options)
    reader, ids = _open(options)
    chosen = load_enlarger(checkpoint, options["device"])
    device = torch.device("cpu") if chosen.model is None else chosen.model.device
    hardware = hardware_of(device)
    yield f"{Path(checkpoint).name}, x{chosen.factor}, on {hardware.description}"
    with failures_said(hardware, "A tile", "free some there, or choose --device cpu"):
        rows = list(_iter_rows(chosen, reader, ids))
    data = {"folder": reader.root.name, "split": options["split"]}
    figures = summarise(rows, chosen.factor) | {"data": data}
    yield from summary_lines(figures)
    if options["answers"]:
        write_whole(options["answers"], csv_text(list(rows[0]), rows).encode())
    if options["out"]:
        about = {"checkpoint": Path(checkpoint).name, "sha256": chosen.sha256}
        write_summary(options["out"], about | {"versions": find_versions()} | figures)
    if options["onto_card"]:
        command = _command(Path(checkpoint).name, reader.root.name, options)
        keep_measured(get_checkpoint(checkpoint), options["name"] or "plain", command, figures)


def _command(checkpoint: str, folder: str, options: dict[str, Any]) -> str:
    """Return the command line that measures this again, without a path of this machine."""
    words = ["umnist", "evaluate", checkpoint, "--data", folder, "--split", options["split"]]
    words += [] if options["count"] is None else ["--count", str(options["count"])]
    words += ["--low-files", options["low_files"]] if options.get("low_files") else []
    return shlex.join(words)


def _check_options(checkpoint: str, options: dict[str, Any]) -> None:
    if checkpoint in BICUBIC_NAMES and options["onto_card"]:
        raise InvalidValueError(
            f"Expected a checkpoint for --onto-card, got {checkpoint}, which has no card; leave it "
            "out."
        )
    if options["data"] is None:
        raise InvalidValueError(
            "Expected --data with photographs, such as MetH-SR, to enlarge reduced copies of them, "
            "got none; name the folder."
        )
    unfit = [name for name in ("submission", "digits", "overrides") if options.get(name)]
    if unfit or options["variant"] != "plain":
        raise InvalidValueError(
            f"--{(unfit or ['variant'])[0]} is for models of digits, got it for one that enlarges; "
            "leave it out."
        )


def _open(options: dict[str, Any]) -> tuple[DatasetReader, list[str]]:
    reader = open_dataset(options["data"])
    if pattern := options.get("low_files"):
        if not isinstance(reader, MethReader):
            raise InvalidValueError(
                f"--low-files is of MetH, found {reader.kind} in {reader.root.name}; leave it out."
            )
        reader = reader.with_low_files(pattern)
    return reader, split_ids(reader, options["split"])[: options["count"] or None]


def _iter_rows(chosen: Enlarger, reader: DatasetReader, ids: Sequence[str]) -> Iterator[Row]:
    with progress_bar(len(ids), "evaluation", shown=True) as bar:
        for image_id in ids:
            yield chosen.measure(reader, image_id)
            bar.update(1)


def summarise(rows: Sequence[Row], factor: int) -> Row:
    """Return means over images, with the convention that they are by.

    Parameters
    ----------
    rows
        Of `Enlarger.measure`, one or more.
    factor
        How many times images were enlarged.

    Returns
    -------
    dict
        ``images``, ``shipped`` and ``reduced_here``, ``factor``, ``convention``, ``enlarged`` and
        ``reduced``, in words, ``figures``, a mean for each of the rows' that are finite, and
        ``equal``, how many images came out without any error, whose PSNR is infinite.
    """
    names = [name for name in rows[0] if _FIGURE.match(name)]
    kept = {name: [row[name] for row in rows if math.isfinite(row[name])] for name in names}
    shipped = sum(row["is_shipped"] for row in rows)
    return {
        "images": len(rows),
        "shipped": shipped,
        "reduced_here": len(rows) - shipped,
        "factor": factor,
        "convention": convention(factor),
        "bicubic": BICUBIC,
        "reduced": "as shipped" if shipped == len(rows) else KERNEL,
        "figures": {
            name: math.fsum(values) / len(values) if values else None
            for name, values in kept.items()
        },
        "equal": {name: len(rows) - len(values) for name, values in kept.items()},
    }


def summary_lines(figures: Row) -> Iterator[str]:
    """Yield what is printed of such means."""
    yield (
        f"{figures['images']} images, x{figures['factor']}: {figures['shipped']} reduced as "
        f"shipped, {figures['reduced_here']} here ({KERNEL})"
    )
    ways = dict.fromkeys(name.split("_")[1] for name in figures["figures"])
    for way in ways:
        words = []
        for colour in COLOURS:
            psnr, ssim = (figures["figures"][f"{one}_{way}_{colour}"] for one in ("psnr", "ssim"))
            shown = "infinite" if psnr is None else f"{psnr:.2f} dB"
            words.append(f"{colour}: PSNR {shown}, SSIM {ssim:.4f}")
        yield f"{way}: {'; '.join(words)}"
    yield f"bicubic is {figures['bicubic']}"
    yield f"compared: {figures['convention']}"
