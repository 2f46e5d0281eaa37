"""What a prediction is: answers beside the truth, and where the model looked. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from umnist_core.attention import AttentionMap, AttentionShare, ChosenPlaces
from umnist_core.inference.measured import MEASURED
from umnist_core.inference.wrong import Why
from umnist_core.scenes import Scene
from umnist_core.shown import ShowsItself

if TYPE_CHECKING:  # the module itself has torch
    from umnist_core.models.base import Doubt

SUM = "sum"


@dataclass(frozen=True)
class TaskAnswer:
    """What a model answers to one task.

    Attributes
    ----------
    name
        Of the task, such as ``"sum"``.
    classes
        How many answers there are to choose from; 0 where it is a number, such as a year.
    is_multi
        Whether several classes may be right at once.
    probabilities
        Of each class, 0 to 1; they sum to 1 unless several may be right.
    answer
        The likeliest class, or in ascending order all above one half; or the number, rounded.
    truth
        The right class or classes; None where it is not known. It may lie beyond the classes,
        as the sum of a Megapixel image does that is more than 27.
    """

    name: str
    classes: int
    is_multi: bool
    probabilities: tuple[float, ...]
    answer: tuple[int, ...]
    truth: tuple[int, ...] | None

    @property
    def is_right(self) -> bool | None:
        """Whether the answer is the truth; None where that is not known."""
        return None if self.truth is None else self.answer == self.truth


@dataclass(frozen=True)
class FoundBox:
    """A digit that a model says is there: class, score 0 to 1.

    Attributes
    ----------
    box
        row0, col0, row1, col1 in image px.
    """

    label: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Looked:
    """Attention to one task against the truth, as `umnist_core.attention.compare` has it.

    Attributes
    ----------
    ink, boxes
        Attention to the digits' ink, and to their boxes: how much, how much by chance, and how
        much a perfect model has.
    pointing
        Whether the heaviest place is on a digit or beside it; None where nothing was looked at,
        or of several that are as heavy some are and some are not.
    effective_places
        Over how many places of equal weight it would be as spread.
    """

    ink: AttentionShare
    boxes: AttentionShare
    pointing: bool | None
    effective_places: float

    @property
    def mass(self) -> float:
        """Share of the attention on ink, 0 to 1."""
        return self.ink.mass

    @property
    def chance(self) -> float:
        """Share of the image that is ink, which attention spread evenly would have."""
        return self.ink.chance

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {
            **asdict(self.ink),
            "boxes": asdict(self.boxes),
            "pointing": self.pointing,
            "effective_places": self.effective_places,
        }


@dataclass(frozen=True)
class Prediction(ShowsItself):
    """The answer to a request.

    Attributes
    ----------
    checkpoint, model
        Name or path as it was asked for, and the model's name in the registry.
    device
        In words, such as ``"CPU, 2 threads"``.
    height, width
        Of the image, px.
    tasks
        The answers.
    confidence
        Chance that the answer to the first task is right, 0 to 1; None of a number.
    is_calibrated
        Whether that chance was fitted to how often the model is right; else it is the probability
        that the model gives its answer.
    doubts
        What the model finds unlike the images that it knows; None of models that do not look.
    found
        The digits that the model says are there; None of models that do not say.
    attention
        Where it looked; None where there is none.
    no_attention
        Why; empty where there is some.
    rounds
        Maps of the rounds of an iterative selection, first to last.
    looked
        Task -> attention against the truth; None where either is not known.
    seconds
        ``"load"`` of the model, ``"read"`` of the image, ``"run"`` of the model.
    peak_bytes
        Most memory that was in use meanwhile: of the process, or on a GPU of PyTorch.
    chosen
        What the places are on that the model chose in rounds; None of models that choose none,
        and where the truth is not known.
    why
        Why the answer is wrong; None where it is right, or the digits are not known.
    """

    checkpoint: str
    model: str
    device: str
    height: int
    width: int
    tasks: tuple[TaskAnswer, ...]
    confidence: float | None
    is_calibrated: bool
    doubts: tuple[Doubt, ...] | None
    found: tuple[FoundBox, ...] | None
    attention: AttentionMap | None
    no_attention: str
    rounds: tuple[AttentionMap, ...]
    looked: Mapping[str, Looked] | None
    seconds: Mapping[str, float]
    peak_bytes: int
    chosen: ChosenPlaces | None = None
    why: Why | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction, ready for JSON, without the arrays of attention.

        Boxes are x, y, width, height, as browsers have them.
        """
        found, looked, doubts = self.found, self.looked, self.doubts
        return {
            "tasks": [_task_dict(task) for task in self.tasks],
            "confidence": self.confidence,
            "is_calibrated": self.is_calibrated,
            "doubts": None if doubts is None else [_doubt_dict(one) for one in doubts],
            "found": None if found is None else [_found_dict(one) for one in found],
            "device": self.device,
            "image": {"width": self.width, "height": self.height},
            "seconds": dict(self.seconds),
            "peak_bytes": self.peak_bytes,
            "attention": self._attention_dict(),
            "no_attention": self.no_attention,
            "looked": None
            if looked is None
            else {task: one.to_dict() for task, one in looked.items()},
            "chosen": self.chosen and _chosen_dict(self.chosen),
            "why": self.why and self.why.to_dict(),
        }

    def _attention_dict(self) -> dict[str, Any] | None:
        found = self.attention
        if found is None:
            return None
        return {
            "kind": found.kind,
            "tasks": list(found.tasks),
            "heads": found.heads,
            "rounds": len(self.rounds),
            "places": len(found.boxes),
        }


def _task_dict(task: TaskAnswer) -> dict[str, Any]:
    return {
        "name": task.name,
        "classes": task.classes,
        "is_multi": task.is_multi,
        "probabilities": list(task.probabilities),
        "answer": list(task.answer),
        "truth": None if task.truth is None else list(task.truth),
        "is_right": task.is_right,
    }


def _doubt_dict(one: Doubt) -> dict[str, str]:
    return {"kind": one.kind, "sentence": one.sentence, "measured": MEASURED.get(one.kind, "")}


def _chosen_dict(chosen: ChosenPlaces) -> dict[str, int]:
    return {
        "places": chosen.count,
        "on_digit": chosen.on_digit,
        "on_noise": chosen.on_noise,
        "on_nothing": chosen.on_nothing,
    }


def _found_dict(one: FoundBox) -> dict[str, Any]:
    return {"label": one.label, "score": one.score, "box": as_xywh(one.box)}


def as_xywh(box: tuple[float, float, float, float]) -> list[float]:
    """Return row0, col0, row1, col1 as x, y, width, height."""
    row0, col0, row1, col1 = box
    return [col0, row0, col1 - col0, row1 - row0]


def true_answer(scene: Scene | None, task: str, view: str = "full") -> tuple[int, ...] | None:
    """Return the right answer of a scene to a task; None where there is none.

    Parameters
    ----------
    scene
        What is in the image; None where that is not known.
    task
        Name of the task.
    view
        Which layer of the scene is looked at; in ``"background"`` there is no digit to count.
    """
    if scene is None or view == "background":
        return None
    if task == SUM:
        return (sum(digit.label for digit in scene.digits),)
    if scene.asks_sum or task not in scene.tasks.names():
        return None
    value = getattr(scene.tasks, task)
    return value if isinstance(value, tuple) else (value,)
