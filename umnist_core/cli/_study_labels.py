"""Options and commands of studies for data: images without truth, and the labels people give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from umnist_core.cli._study_choice import Function
from umnist_core.labeling.records import IMAGES_MAX, POOL_FOR_DATA
from umnist_core.labeling.self_study import IMAGES
from umnist_core.paths import expand_home

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
    found: dict[str, Any] = {"practice": 0, "pools": (POOL_FOR_DATA,), **told, **said}
    if "stimuli" not in said and "folder" in said:
        from umnist_core.datasets import open_files

        images = len(open_files(expand_home(said["folder"])).ids)
        found["stimuli"] = min(images, IMAGES if alone else IMAGES_MAX)
    if "stimuli" in found:
        found.setdefault("images_per_annotator", min(_EACH, found["stimuli"]))
    return {**given, **found}
