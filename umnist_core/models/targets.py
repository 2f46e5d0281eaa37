"""What a model is to say of an image: answers to its tasks, and digits where it may see them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.known import Known
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import CLASS, DIGIT_TASK, SUM_TASK, YEAR_TASK, Task
from umnist_core.scenes import Scene, Tasks

BOXES = "boxes"
"""float32 (digits, 4): row0, col0, row1, col1 of each digit's square in image px; in a batch
(B, most digits, 4), the rest 0."""

CLASSES = "classes"
"""int64 (digits,): 0 to 9; in a batch (B, most digits), the rest `NO_DIGIT`."""

NO_DIGIT = -1


def scene_targets(scene: Scene, tasks: Sequence[Task], with_digits: bool) -> dict[str, Tensor]:
    """Return the targets of one image.

    Parameters
    ----------
    scene
        What is in it.
    tasks
        What the model answers.
    with_digits
        Whether `BOXES` and `CLASSES` are told too; never to a model that sees labels only.

    Raises
    ------
    InvalidValueError
        If the scene has no answer to a task.
    """
    targets = {task.name: _answer(scene, task) for task in tasks}
    if with_digits:
        boxes = [(box.row0, box.col0, box.row1, box.col1) for box in scene.boxes]
        targets[BOXES] = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        labels = [digit.label for digit in scene.digits]
        targets[CLASSES] = torch.tensor(labels, dtype=torch.int64)
    return targets


def _answer(scene: Scene, task: Task) -> Tensor:
    if task.name == SUM_TASK.name:
        total = sum(digit.label for digit in scene.digits)
        if total >= task.classes:
            raise InvalidValueError(
                f"A sum is 0 to {task.classes - 1}, found {total}; draw images whose digits add up "
                "to no more."
            )
        return torch.tensor(total)
    if task.name == DIGIT_TASK.name:
        if len(scene.digits) != 1:
            raise InvalidValueError(
                f"The task {task.name!r} is of images with one digit, found {len(scene.digits)}; "
                "draw images with one, or choose a model that answers sums."
            )
        return torch.tensor(scene.digits[0].label)
    if task.name in (CLASS, YEAR_TASK.name):
        raise InvalidValueError(
            f"Expected a photograph for the task {task.name!r}, found a scene of digits; name a "
            "folder of photographs with --data or data.folder."
        )
    if scene.asks_sum:
        raise InvalidValueError(
            f"The task {task.name!r} is none of a scene whose sum is asked; choose a preset of "
            "Megapixel MNIST or Needle MNIST, or a model that answers sums."
        )
    return task_targets(scene.tasks, [task])[task.name]


def _task_answer(tasks: Tasks, task: Task) -> Tensor:
    value = getattr(tasks, task.name)
    if not task.is_multi:
        return torch.tensor(value)
    target = torch.zeros(task.classes)
    target[list(value)] = 1.0
    return target


def task_targets(known: Tasks, tasks: Sequence[Task]) -> dict[str, Tensor]:
    """Return the targets of an image of which no more is known than its tasks.

    Raises
    ------
    InvalidValueError
        If the model answers anything else.
    """
    names = [task.name for task in tasks]
    if not set(names) <= set(known.names()):
        raise InvalidValueError(
            f"Expected images with an answer to {', '.join(names)}, found {known.title}, which has "
            f"{', '.join(known.names())}; use a model of {known.title}."
        )
    return {task.name: _task_answer(known, task) for task in tasks}


def label_targets(label: int, tasks: Sequence[Task]) -> dict[str, Tensor]:
    """Return the targets of an image of which one number is known: its digit, or their sum.

    Raises
    ------
    InvalidValueError
        If the model answers anything else, or no such number.
    """
    names = [task.name for task in tasks]
    if names not in ([SUM_TASK.name], [DIGIT_TASK.name]):
        raise InvalidValueError(
            f"Expected images with an answer to {', '.join(names)}, found one of which only the "
            "sum is known; use a model that answers sums, or a data set of Megapixel MNIST."
        )
    if not 0 <= label < tasks[0].classes:
        what = "sums of digits" if names == [SUM_TASK.name] else "single digits"
        raise InvalidValueError(
            f"Labels are {what} from 0 to {tasks[0].classes - 1}, found {label}; use a data set "
            f"whose labels are {what}."
        )
    return {names[0]: torch.tensor(label)}


def drawn_targets(
    boxes: Sequence[DrawnBox], height: int, width: int, tasks: Sequence[Task]
) -> dict[str, Tensor]:
    """Return the targets of an image whose digits somebody drew boxes around.

    Parameters
    ----------
    boxes
        Of the image as it is shown; those that name no digit are left out, and what sticks out
        of the image is cut off.
    height, width
        Of the image, px.
    tasks
        What the model answers: the sum.

    Raises
    ------
    InvalidValueError
        If the model answers anything else, or the digits add up to no such sum.
    """
    digits = [one for one in boxes if one.is_digit]
    labels = [int(one.name) for one in digits]
    ends = [(one.y, one.x, one.y + one.height, one.x + one.width) for one in digits]
    least, most = torch.zeros(4), torch.tensor([height, width, height, width]).float()
    return {
        **label_targets(sum(labels), tasks),
        BOXES: torch.tensor(ends, dtype=torch.float32).reshape(-1, 4).clamp(least, most),
        CLASSES: torch.tensor(labels, dtype=torch.int64),
    }


def known_targets(known: Known, tasks: Sequence[Task]) -> dict[str, Tensor] | None:
    """Return the targets of a photograph: int64 () of its class, float32 () of its year.

    Returns
    -------
    dict
        None where nothing is known of it.

    Raises
    ------
    InvalidValueError
        If the model answers anything else, or has no such class.
    """
    name = tasks[0].name
    if name == YEAR_TASK.name and known.year is not None:
        return {name: torch.tensor(known.year, dtype=torch.float32)}
    if name == CLASS and known.class_name is not None and known.label is not None:
        if known.label >= tasks[0].classes:
            raise InvalidValueError(
                f"Expected one of {tasks[0].classes} classes, found number {known.label} "
                f"({known.class_name!r:.60}); set model.settings.classes to those of the data set."
            )
        return {name: torch.tensor(known.label)}
    if known.label is None and known.year is None:
        return None
    has = "a year" if known.year is not None else "a class"
    raise InvalidValueError(
        f"Expected images with an answer to {name}, found some with {has}; use a model of those."
    )


def collate_targets(targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Join the targets of several images; see `BOXES` and `CLASSES` for those of digits."""
    batch: dict[str, Tensor] = {}
    for name in targets[0]:
        values = [one[name] for one in targets]
        if name in (BOXES, CLASSES):
            rest = 0 if name == BOXES else NO_DIGIT
            batch[name] = torch.nn.utils.rnn.pad_sequence(values, True, rest)  # (B, most, ...)
        else:
            batch[name] = torch.stack(values)  # (B,) or (B, classes)
    return batch
