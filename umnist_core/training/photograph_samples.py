"""The images of a run: photographs in colour for models that see it, what `data` opens for others.

Photographs come with what their data set says of them, a class or a year. The images of another
split may validate, as MetH and MAMe have one for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from umnist_core.datasets import DatasetReader, open_dataset
from umnist_core.datasets.years import FIRST_YEAR
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import CLASS, Model
from umnist_core.pyramid import WHOLE_MAX_PX, ArraySource
from umnist_core.seeds import sample_rng
from umnist_core.training.config import DataPart
from umnist_core.training.data import FolderSamples, Item, Samples, open_samples, split_ids
from umnist_core.training.order import split_places
from umnist_core.training.samples import Sample
from umnist_core.training.sign_choice import choose_signs

STAND_IN_PX = 2400
"""Side of an image that stands in for one of MetH, which have 5 to 14 million px in the mean."""


class PhotographSamples(FolderSamples):
    """The photographs of a data set.

    Parameters
    ----------
    reader, ids
        As of `FolderSamples`.
    """

    # A process that is forked where libvips has decoded before waits for its threads for ever.
    context = "forkserver"

    def get(self, place: int) -> Sample:
        """Read an image in colour, and what is known of it."""
        image_id = self.ids[place]
        pixels = self.reader.read_colour(image_id)
        # Levels are made of what cannot be read whole alone: they take longer than the rest.
        is_held = pixels.shape[0] * pixels.shape[1] <= WHOLE_MAX_PX
        source = ArraySource(pixels, "nearest" if is_held else "area")
        name = image_id.removeprefix(f"{self.reader.get_split(image_id)}/")
        return Sample(name, source, None, None, known=self.reader.known(image_id))

    def find_size(self, place: int) -> tuple[int, int]:
        """Return height and width by the table, or else by the file's header."""
        image_id = self.ids[place]
        return self.reader.known(image_id).stated_size or self.reader.read_size(image_id)

    def describe(self) -> dict[str, Any]:
        """Return folder, count, kind, and the names of classes by their numbers."""
        names = list(self.reader.class_names)
        return super().describe() | {"kind": self.reader.kind, "class_names": names}


def open_for(part: DataPart, model: Model) -> Samples:
    """Return the images of a split as a model sees them.

    Raises
    ------
    MissingFileError, DamagedFileError
        If the folder is no data set.
    InvalidValueError
        If there are too few images, or the model has another number of classes.
    """
    if not model.sees_colour:
        return open_samples(part)
    reader = _open_photographs(part, model)
    return PhotographSamples(reader, split_ids(reader, part.split)[: part.count or None])


def open_for_run(part: DataPart, model: Model) -> tuple[Samples, list[int], list[int]]:
    """Return the images of a run, and the places of those that train and that validate.

    Raises
    ------
    MissingFileError, DamagedFileError, InvalidValueError
        As `open_for`.
    """
    if not part.validation_split:
        samples = open_for(part, model)
        return samples, *split_places(len(samples), part.validation_share, part.split_seed)
    is_colour = model.sees_colour
    reader = _open_photographs(part, model) if is_colour else open_dataset(Path(part.folder))
    kind = PhotographSamples if is_colour else FolderSamples
    train: Sequence[str] = split_ids(reader, part.split)[: part.count or None]
    other = split_ids(reader, part.validation_split)
    samples = kind(reader, [*train, *other])
    return samples, list(range(len(train))), list(range(len(train), len(samples)))


def stand_in_item(model: Model, place: int = 0) -> Item:
    """Return a square of noise as a model is given it in training, for what hangs on shapes.

    No two of its patches are alike, so that models which see equal ones once see all; those of
    another place are others.
    """
    shape = (STAND_IN_PX, STAND_IN_PX, 3)
    noise = sample_rng(place, "train", 0, "noise").integers(0, 256, shape, np.uint8)
    source = ArraySource(noise, "nearest")
    with torch.no_grad():
        prepared = model.prepare_to_learn(source, sample_rng(0, "train", 0, "stand-in"))
    own = model.find_own_targets(prepared)
    is_class = model.tasks[0].asks == CLASS
    told = torch.tensor(0) if is_class else torch.tensor(float(FIRST_YEAR))
    return prepared, {model.tasks[0].name: told} if own is None else own


def _open_photographs(part: DataPart, model: Model) -> DatasetReader:
    if not part.folder:
        raise InvalidValueError(
            "Expected a folder of photographs for a model that sees colour, found scenes of "
            "digits; name one with data.folder or --data."
        )
    reader = choose_signs(open_dataset(Path(part.folder)), part.signs)
    task, names = model.tasks[0], reader.class_names
    if task.name == CLASS and len(names) != task.classes:
        raise InvalidValueError(
            f"Expected a data set with the {task.classes} classes of the model, found "
            f"{len(names)} in {part.folder}; set model.settings.classes, or choose another."
        )
    return reader
