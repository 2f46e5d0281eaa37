"""What is asked of a scene where it is not the sum of its digits.

Each kind is a frozen record whose fields are its tasks, by the names that models and tables of
labels have for them. A new kind is a class here and its place in `TASK_KINDS`; the parameters of a
planner name the kind of its scenes (`umnist_core.scenes.PlannerParameters.asks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Tasks:
    """The answers of an image; a subclass has a field for each, the image's label first.

    Attributes
    ----------
    title
        The images of which they are asked.
    answers
        What answers are, for people.
    largest
        Answers are whole numbers from 0 to this one.
    several
        The tasks to which several answers are right at once; each is a tuple, ascending.
    """

    title: ClassVar[str]
    answers: ClassVar[str]
    largest: ClassVar[int]
    several: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the tasks, in order."""
        return tuple(one.name for one in fields(cls))

    @property
    def label(self) -> int:
        """The answer that is the label of the image."""
        label: int = getattr(self, self.names()[0])
        return label

    def to_dict(self) -> dict[str, Any]:
        """Return the answers by the names of their tasks."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, lists in place of tuples too; other entries are left alone.

        Raises
        ------
        KeyError
            If a task is missing.
        """
        values = {name: data[name] for name in cls.names()}
        return cls(**values | {name: tuple(values[name]) for name in cls.several})


@dataclass(frozen=True, slots=True)
class MegapixelTasks(Tasks):
    """The four labels of a Megapixel MNIST image.

    Attributes
    ----------
    majority
        Class of most digits; of the first such digit where two classes have as many.
    max
        Largest class.
    top
        Class of the digit whose square begins in the smallest row; the first of them in
        the order of the scene.
    multi
        The classes that there are, ascending.
    """

    title: ClassVar[str] = "Megapixel MNIST"
    answers: ClassVar[str] = "classes"
    largest: ClassVar[int] = 9
    several: ClassVar[tuple[str, ...]] = ("multi",)

    majority: int
    max: int
    top: int
    multi: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NeedleTasks(Tasks):
    """The label of a Needle MNIST image.

    Attributes
    ----------
    needle
        1 if the digit that is looked for is there, else 0.
    """

    title: ClassVar[str] = "Needle MNIST"
    answers: ClassVar[str] = "0 or 1"
    largest: ClassVar[int] = 1

    needle: int


TASK_KINDS: tuple[type[Tasks], ...] = (MegapixelTasks, NeedleTasks)
