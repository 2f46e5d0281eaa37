"""Which images people and models both answered, by the hash of their pixels and by nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.people.data import ImageFacts, PeopleData
from umnist_core.experiments.people.predictions import ModelAnswer, ModelAnswers
from umnist_core.scoring.agreement import Marks
from umnist_core.scoring.correct import is_correct


@dataclass(frozen=True, eq=False)
class Paired:
    """Answers to the same images.

    Attributes
    ----------
    people
        The study.
    images
        Id -> image, of those that somebody and every model answered.
    answers
        Of people, to those images.
    models
        Name of each model -> image -> its answer to the whole image.
    through_people
        Name of each model -> (person, image) -> its answer to what that person saw.
    marks
        Of people and models.
    left_out
        What was not compared, and why, in sentences.
    """

    people: PeopleData
    images: Mapping[str, ImageFacts]
    answers: pd.DataFrame
    models: Mapping[str, Mapping[str, ModelAnswer]]
    through_people: Mapping[str, Mapping[tuple[str, str], ModelAnswer]]
    marks: Marks
    left_out: tuple[str, ...]

    def is_right(self, model: str, image: str) -> bool:
        """Return whether a model's answer to an image is right."""
        return is_correct(self.models[model][image].said, self.images[image].truth)


def pair(people: PeopleData, models: Sequence[ModelAnswers]) -> Paired:
    """Pair people's and models' answers.

    Parameters
    ----------
    people
        Of one study.
    models
        None or more, each of another name.

    Raises
    ------
    InvalidValueError
        If two models have one name or that of a person, nobody answered anything, or no image
        was answered by people and all models.
    """
    _check_names(people, models)
    by_pixels, left_out = _by_pixels(people) if models else ({}, [])  # people need no hashes
    whole: dict[str, dict[str, ModelAnswer]] = {}
    through: dict[str, dict[tuple[str, str], ModelAnswer]] = {}
    for model in models:
        whole[model.name], through[model.name] = _of_model(model, by_pixels)
        left_out += _left_out(model, by_pixels)
    answered = list(dict.fromkeys(people.answers["stimulus"]))
    shared = [name for name in answered if all(name in own for own in whole.values())]
    if not shared:
        raise InvalidValueError(
            f"Expected images that people and {', '.join(whole) or 'models'} both answered, found "
            "none with the same pixels; let the models answer with `umnist people predict`."
        )
    if len(shared) < len(answered):
        left_out.append(
            f"{len(answered) - len(shared)} of {len(answered)} images that people answered have no "
            "answer of every model, and are left out."
        )
    images = {name: people.images[name] for name in shared}
    kept = people.answers[people.answers["stimulus"].isin(set(shared))].reset_index(drop=True)
    names = {
        model: {image: answer for image, answer in own.items() if image in images}
        for model, own in whole.items()
    }
    return Paired(people, images, kept, names, through, _marks(kept, names, images), (*left_out,))


def _check_names(people: PeopleData, models: Sequence[ModelAnswers]) -> None:
    if people.answers.empty:
        raise InvalidValueError(
            "Expected answers of people, found none in this study; compare once somebody answered."
        )
    counts = Counter([*(one.name for one in models), *set(people.answers["annotator"])])
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise InvalidValueError(
            f"Expected each model and person under a name of its own, found {twice[0]!r} twice; "
            "name a table of predictions with NAME=FILE."
        )


def _by_pixels(people: PeopleData) -> tuple[dict[str, str], list[str]]:
    """Return hash -> image of the study, and what could not be paired."""
    found: dict[str, str] = {}
    without, same = 0, 0
    for name, one in people.images.items():
        without += one.pixels is None
        if one.pixels is not None:
            same += one.pixels in found
            found.setdefault(one.pixels, name)
    said = []
    if without:
        said.append(
            f"{without} of {len(people.images)} images of the study have no hash of their pixels; "
            "export it again with --with-images."
        )
    if same:
        said.append(f"{same} images of the study have the pixels of another and are left out.")
    return found, said


def _of_model(
    model: ModelAnswers, by_pixels: Mapping[str, str]
) -> tuple[dict[str, ModelAnswer], dict[tuple[str, str], ModelAnswer]]:
    whole: dict[str, ModelAnswer] = {}
    through: dict[tuple[str, str], ModelAnswer] = {}
    for one in model.answers:
        image = by_pixels.get(one.pixels)
        if image is not None and one.seen_by:
            through.setdefault((one.seen_by, image), one)
        elif image is not None:
            whole.setdefault(image, one)
    return whole, through


def _left_out(model: ModelAnswers, by_pixels: Mapping[str, str]) -> list[str]:
    others = sum(one.pixels not in by_pixels for one in model.answers)
    said = []
    if others:
        said.append(
            f"{model.name}: {others} of {len(model.answers)} predictions are of images that are "
            "not in the study."
        )
    if twice := len(model.answers) - len({(one.pixels, one.seen_by) for one in model.answers}):
        said.append(
            f"{model.name}: {twice} predictions are of an image that it has answered before, and "
            "are left out."
        )
    if model.without_pixels:
        said.append(f"{model.name}: {model.without_pixels} rows have no hash of pixels.")
    return said


def _marks(
    answers: pd.DataFrame,
    models: Mapping[str, Mapping[str, ModelAnswer]],
    images: Mapping[str, ImageFacts],
) -> Marks:
    raters = [str(name) for name in answers["annotator"]]
    pictures = [str(name) for name in answers["stimulus"]]
    right = [bool(mark) for mark in answers["correct"]]
    for model, own in models.items():
        for image, answer in own.items():
            raters.append(model)
            pictures.append(image)
            right.append(is_correct(answer.said, images[image].truth))
    return Marks.of_rows(raters, pictures, right, list(models))
