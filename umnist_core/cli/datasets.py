"""``umnist datasets``: look into data sets, ours and others'."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from umnist_core.cli._common import Commands
from umnist_core.cli._comparison import comparison_lines
from umnist_core.cli._needle import write_needle_command
from umnist_core.cli._types import JOBS, GivenPath
from umnist_core.datasets.compare import compare_datasets
from umnist_core.datasets.decode import CHOICES
from umnist_core.datasets.inspect import Inspection, inspect_dataset
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.read import find_datasets
from umnist_core.errors import MissingFileError

_LISTED_SIZES = 20
"""Sizes that are listed; a folder of photographs may have thousands."""


@click.group(
    "datasets",
    cls=Commands,
    epilog="\b\nExamples:\n  umnist datasets inspect ultramnist-classification",
)
def datasets_group() -> None:
    """Look into data sets, and write one in its original layout."""


datasets_group.add_command(write_needle_command)


@datasets_group.command(
    "inspect",
    epilog="\b\nExamples:\n"
    "  umnist datasets inspect ultramnist\n"
    "  umnist datasets inspect ultramnist --quick --json\n"
    "  umnist datasets inspect MetH-Medium MetH-Period --quick\n\n"
    "Ends with code 1 when something is missing or damaged.",
)
@click.argument("folders", metavar="DIR...", type=GivenPath(), nargs=-1, required=True)
@click.option("--quick", is_flag=True, help="Check headers and ends instead of decoding all.")
@click.option("--jobs", type=JOBS, help="Threads; one a core unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
@click.pass_context
def inspect_command(
    ctx: click.Context, *, folders: tuple[Path, ...], quick: bool, jobs: int | None, as_json: bool
) -> None:
    """Say what DIR is, count its images and labels, and list damaged files.

    DIR is a folder in Kaggle's layout, one that `umnist generate` wrote in any format, a
    noise study, folders named by the label, Megapixel MNIST as make_mnist.py writes it, Needle
    MNIST in its original layout, MetH or MAMe with its table, the Swedish traffic signs, or any
    folder of images. Data sets of `umnist generate` in it are looked at by themselves.

    Several are also compared: sizes, shapes, years, and the share of images in both, beside what
    the document of MetH says of them.
    """
    seen: list[Inspection] = []
    for folder in folders:
        for inspection in _iter_inspections(folder, quick=quick, jobs=jobs):
            seen.append(inspection)
            _print(asdict(inspection) if as_json else _lines(inspection))
    if len(folders) > 1:
        comparison = compare_datasets(seen, quick=quick)
        _print({"comparison": asdict(comparison)} if as_json else comparison_lines(comparison))
    ctx.exit(0 if all(one.is_sound for one in seen) else 1)


def _print(said: object) -> None:
    click.echo("\n".join(said) if isinstance(said, list) else json.dumps(said))


def _iter_inspections(folder: Path, *, quick: bool, jobs: int | None) -> Iterator[Inspection]:
    """Look at a folder and at the data sets of ours in it, which are no part of it."""
    inner = find_datasets(folder)
    try:
        yield inspect_dataset(folder, quick=quick, jobs=jobs, progress=True)
    except MissingFileError:
        # A study's folder has no images beside its data sets.
        if not inner or (folder / MANIFEST).exists():
            raise
    for part in inner:
        yield inspect_dataset(part, quick=quick, jobs=jobs, progress=True)


def _lines(found: Inspection) -> list[str]:
    lines = [f"{found.folder}: {found.kind}"]
    lines += [f"  made by   {command}" for command in found.made_by]
    if found.stand_in:
        lines.append("  digits    STAND-IN DIGITS, not MNIST")
    for split, count in found.counts.items():
        of = f" of {found.expected[split]}" if split in found.expected else ""
        lines.append(f"  images    {split} {count}{of}")
    lines.append(f"  labels    {_joined(found.labels)}")
    lines += [f"  years     {split}  {_joined(bins)}" for split, bins in found.years.items()]
    lines += [f"  boxes     {_joined(found.boxes)}"] if found.boxes else []
    sizes = dict(list(found.sizes.items())[:_LISTED_SIZES])
    lines.append(f"  sizes px  {_joined(sizes)}{' ...' if len(sizes) < len(found.sizes) else ''}")
    for kind, count in found.choices.items():
        lines.append(f"  read as   {count} {CHOICES[kind]}")
    for split in found.unfinished:
        lines.append(
            f"  {split} is unfinished: run the command above again with this folder as OUT."
        )
    lines += [f"  note      {note}" for note in found.notes]
    lines += [f"  missing   {name}" for name in found.missing]
    lines += [f"  damaged   {sentence}" for sentence in found.damaged]
    if found.is_sound:
        how = "every pixel decoded" if found.check == "decoded" else "headers and ends checked"
        lines.append(f"  sound     {how}, nothing missing or damaged")
    return lines


def _joined(counts: object) -> str:
    assert isinstance(counts, dict)
    return "  ".join(f"{name}: {count}" for name, count in counts.items())
