"""What is asked for: which image, which model, on which device. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.rendering import LAYERS
from umnist_core.seeds import SPLITS

AUTO = "auto"
"""The first GPU where there is one, else the CPU."""

LOAD, RUN = "load", "run"
STAGES = (LOAD, RUN)
"""What a prediction goes through: the model is loaded, if it is not yet; then it runs."""

OnProgress = Callable[[str, int, int | None], None]
"""Called with one of `STAGES`, the steps done, and their number where it is known."""


@dataclass(frozen=True)
class SceneImage:
    """A scene, as `umnist_core.scenes.plan_scene` takes it.

    Attributes
    ----------
    preset, seed, split, index
        As of `plan_scene`.
    overrides
        Parameter and value as text, sorted by name.
    view
        One of `umnist_core.rendering.LAYERS`.

    Raises
    ------
    InvalidValueError
        If there is no such split or view; the rest is checked when the scene is planned.
    """

    preset: str
    seed: int
    split: str
    index: int
    overrides: tuple[tuple[str, str], ...] = ()
    view: str = "full"

    def __post_init__(self) -> None:
        for name, value, allowed in (("split", self.split, SPLITS), ("view", self.view, LAYERS)):
            if value not in allowed:
                raise InvalidValueError(
                    f"{name} is one of {', '.join(allowed)}; got {str(value)[:40]!r}."
                )


@dataclass(frozen=True)
class FileImage:
    """An image file: JPEG, PNG or TIFF.

    Attributes
    ----------
    path
        Where it is.
    """

    path: str


ImageRef = SceneImage | FileImage


@dataclass(frozen=True)
class PredictRequest:
    """One prediction.

    Attributes
    ----------
    checkpoint
        A name of `umnist_core.models.cards.find_checkpoints`, or a path.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda:0"``; it says which predictor is meant.
    image
        What is looked at.
    """

    checkpoint: str
    device: str
    image: ImageRef

    def to_dict(self) -> dict[str, Any]:
        """Return the request, ready for JSON."""
        image = self.image
        if isinstance(image, FileImage):
            described: dict[str, Any] = {"path": image.path}
        else:
            described = {
                "preset": image.preset,
                "seed": image.seed,
                "split": image.split,
                "index": image.index,
                "overrides": dict(image.overrides),
                "view": image.view,
            }
        return {"checkpoint": self.checkpoint, "device": self.device, "image": described}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PredictRequest:
        """Return the request that `to_dict` described.

        Raises
        ------
        InvalidValueError
            If it is none.
        """
        try:
            return cls(str(data["checkpoint"]), str(data["device"]), _image(data["image"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidValueError(
                f"Expected a request with checkpoint, device and image, found {str(data)[:80]!r}; "
                "make it with PredictRequest.to_dict."
            ) from error


def _image(data: Mapping[str, Any]) -> ImageRef:
    if "path" in data:
        return FileImage(str(data["path"]))
    overrides = tuple(sorted((str(key), str(value)) for key, value in data["overrides"].items()))
    return SceneImage(
        preset=data["preset"],
        seed=data["seed"],
        split=data["split"],
        index=data["index"],
        overrides=overrides,
        view=data["view"],
    )
