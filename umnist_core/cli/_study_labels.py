"""Options and commands of studies for data: images without truth, and the labels people give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._study_choice import Function, choose_study, count_of, study_argument
from umnist_core.cli._study_spec import read_text
from umnist_core.cli._types import GivenPath
from umnist_core.datasets.label_mark import LABEL_FORMATS
from umnist_core.errors import DamagedFileError
from umnist_core.labeling.records import IMAGES_MAX, POOL_FOR_DATA
from umnist_core.labeling.self_study import IMAGES
from umnist_core.labeling.service import StudyService
from umnist_core.parsing import parse_json
from umnist_core.paths import expand_home

if TYPE_CHECKING:
    from umnist_core.labeling.labels import ImageLabel
    from umnist_core.scoring.consensus import LabelAgreement

_EACH = 30
"""Images of each person, or all where there are fewer."""


def truth_option(function: Function) -> Function:
    """Give a command the option of images without truth."""
    return click.option(
        "--truth/--no-truth",
        "has_truth",
        default=None,
        help="--no-truth: images of --folder whose sums nobody knows; people's answers become the "
        "labels. All images, one pool and no practice unless given.  [truth]",
    )(function)


def for_data(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as given, with those of a study for data for what was not given.

    Raises
    ------
    MissingFileError, DamagedFileError
        If there is no folder of images that can be read.
    """
    said = {name: value for name, value in given.items() if value is not None}
    alone = said.get("is_self", False)
    told = {"trial_feedback": False} if alone else {}
    if said.get("ask_boxes"):
        told["ask_digits"] = False  # boxes say them
    found: dict[str, Any] = {"practice": 0, "pools": (POOL_FOR_DATA,), **told, **said}
    if "stimuli" not in said and "folder" in said:
        from umnist_core.datasets import open_files

        images = len(open_files(expand_home(said["folder"])).ids)
        found["stimuli"] = min(images, IMAGES if alone else IMAGES_MAX)
    if "stimuli" in found:
        found.setdefault("images_per_annotator", min(_EACH, found["stimuli"]))
    return {**given, **found}


# -- commands ---------------------------------------------------------------------


@click.command(
    "labels",
    epilog="\b\nExamples:\n"
    "  umnist study labels Scans\n"
    "  umnist study labels Scans scans-coco --format coco\n"
    "  umnist study labels Scans scans-sums --format csv --link",
)
@study_argument
@click.argument("folder", required=False, type=GivenPath())
@click.option(
    "--format",
    "kind",
    type=click.Choice(LABEL_FORMATS),
    default="csv",
    show_default=True,
    help="A table of sums as train.csv; boxes as COCO or Pascal VOC.",
)
@click.option("--link", "is_linked", is_flag=True, help="Link images instead of copying them.")
@click.option("--json", "as_json", is_flag=True, help="Without FOLDER: an object an image.")
def labels_command(
    *, study: str, folder: Path | None, kind: str, is_linked: bool, as_json: bool
) -> None:
    """Say what people's labels of a study without truth come to, or write them into FOLDER."""
    from umnist_core.labeling.label_files import export_labels

    service, chosen = choose_study(study)
    if folder is None:
        _say_labels(service, chosen, as_json=as_json)
        return
    found = export_labels(service, chosen, folder, kind, is_linked=is_linked)
    boxes = f", {count_of(found.boxes, 'box', 'boxes')}" if kind != "csv" else ""
    click.echo(f"{found.folder}: {count_of(found.labelled, 'labelled image')}{boxes}")
    if found.open:
        click.echo(
            f"{count_of(found.open, 'image')} without a label left out; `umnist study adjudicate "
            f"{chosen} IMAGE --answer SUM` settles one."
        )


def _say_labels(service: StudyService, study: str, *, as_json: bool) -> None:
    from umnist_core.labeling.labels import agreement_of, labels_of, provenance_counts
    from umnist_core.labeling.results import FoldedStudy

    with service.log.snapshot() as log:
        labels = labels_of(FoldedStudy.of(log, study))
    if as_json:
        for one in labels:
            click.echo(json.dumps(_label_row(one)))
        return
    settled = sum(one.is_settled for one in labels)
    counts = ", ".join(f"{n} {name}" for name, n in provenance_counts(labels).items() if n)
    click.echo(f"{settled} of {count_of(len(labels), 'image')} settled: {counts}")
    for line in agreement_lines(agreement_of(labels)):
        click.echo(line)
    for one in labels:
        if one.said and not one.is_settled:
            said = ", ".join(f"{who} {label.answer}" for who, label in one.said.items())
            click.echo(f"  open  {one.stimulus}  {said}")


def agreement_lines(found: LabelAgreement) -> Iterator[str]:
    """Yield what agreement is, a sentence a line."""
    for one in found.alphas:
        if isnan(one.estimate):
            yield f"Krippendorff's alpha ({one.metric}): {one.note}"
            continue
        ends = "" if isnan(one.low) else f" ({one.low:.2f} to {one.high:.2f})"
        yield (
            f"Krippendorff's alpha ({one.metric}): {one.estimate:.2f}{ends}, of "
            f"{count_of(one.units, 'unit')} and {count_of(one.people, 'person', 'people')}"
        )
    if not isnan(found.mean_iou):
        yield f"Mean overlap of boxes of one digit: {found.mean_iou:.2f}"
    for person in found.people:
        if person.pairs:
            yield (
                f"  {person.person}  says what others say {100 * person.share:.0f} % of the time, "
                f"{count_of(person.images, 'image')}"
            )


def _label_row(one: ImageLabel) -> dict[str, Any]:
    return {
        "image": one.stimulus,
        "provenance": one.provenance,
        "people": one.consensus.people,
        "dispute": one.consensus.dispute,
        "answer": one.answer,
        "boxes": None if one.boxes is None else [asdict(box) for box in one.boxes],
        "said": {person: said.answer for person, said in one.said.items()},
    }


@click.command(
    "adjudicate",
    epilog="\b\nExamples:\n"
    "  umnist study adjudicate Scans f3a9c1 --answer 12\n"
    "  umnist study adjudicate Scans f3a9c1 --take a71b20\n"
    "  umnist study adjudicate Scans f3a9c1 --boxes boxes.json\n"
    "  umnist study adjudicate Scans f3a9c1 --reopen",
)
@study_argument
@click.argument("image")
@click.option("--answer", type=int, help="The sum.")
@click.option("--boxes", type=GivenPath(), help="JSON: label, x, y, width and height of each.")
@click.option("--take", metavar="PERSON", help="What this person said.")
@click.option("--reopen", is_flag=True, help="Take back what was settled.")
def adjudicate_command(
    *,
    study: str,
    image: str,
    answer: int | None,
    boxes: Path | None,
    take: str | None,
    reopen: bool,
) -> None:
    """Settle what the label of IMAGE is, of a study without truth; the last decision counts.

    IMAGE and PERSON are ids, or the first letters of one.
    """
    given = [answer is not None or boxes is not None, take is not None, reopen]
    if sum(given) != 1:
        raise click.UsageError("Give the label with --answer or --boxes, or --take, or --reopen.")
    service, chosen = choose_study(study)
    state = service.state(chosen)
    stimulus = _begins(image, state.stimuli, "image")
    if reopen:
        service.reopen(chosen, stimulus)
        click.echo(f"{stimulus} is as people left it.")
        return
    if take is not None:
        service.take_label(chosen, stimulus, _begins(take, state.annotators, "person"))
    else:
        drawn = None if boxes is None else _read_json(boxes)
        service.adjudicate(chosen, stimulus, answer, boxes=drawn)
    click.echo(f"{stimulus} is {service.state(chosen).rulings[stimulus].answer}.")


def _read_json(file: Path) -> Any:
    try:
        return parse_json(read_text(file))
    except ValueError as error:
        raise DamagedFileError(
            f"Expected boxes as JSON in {file}, found something else; write a list of objects with "
            "label, x, y, width and height."
        ) from error


def _begins(text: str, ids: Iterable[str], what: str) -> str:
    found = [one for one in ids if one == text] or [one for one in ids if one.startswith(text)]
    if len(found) != 1:
        raise click.UsageError(
            f"Expected the id of one {what}, found {count_of(len(found), what)} that begin with "
            f"{text[:40]!r}; give more letters of it, or look it up."
        )
    return found[0]


LABEL_COMMANDS: tuple[click.Command, ...] = (labels_command, adjudicate_command)
