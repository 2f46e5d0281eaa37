"""What is asked for: which image, which model, on which device. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from umnist_core.datasets.large_scale.ref import DigitRef, any_ref
from umnist_core.errors import InvalidValueError
from umnist_core.rendering import LAYERS
from umnist_core.scenes import SceneRef

AUTO = "auto"
"""The first GPU where there is one, else the CPU."""

LOAD, RUN = "load", "run"
STAGES = (LOAD, RUN)
"""What a prediction goes through: the model is loaded, if it is not yet; then it runs."""

Seen = Sequence[tuple[int, int, int, int]]
"""Places that a model looked at: x, y, width, height in image px."""


class OnProgress(Protocol):
    """Is told how far a prediction is."""

    def __call__(self, stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
        """Take in one of `STAGES`, the steps done, their number where known, and places."""


@dataclass(frozen=True)
class SceneImage:
    """A scene, and what of it is drawn.

    Attributes
    ----------
    ref
        Which scene.
    layer
        One of `umnist_core.rendering.LAYERS`.

    Raises
    ------
    InvalidValueError
        If there is no such layer.
    """

    ref: SceneRef
    layer: str = "full"

    def __post_init__(self) -> None:
        if self.layer not in LAYERS:
            raise InvalidValueError(
                f"layer is one of {', '.join(LAYERS)}; got {str(self.layer)[:40]!r}."
            )


@dataclass(frozen=True)
class DigitImage:
    """An image of MNIST Large Scale that is drawn here.

    Attributes
    ----------
    ref
        Which.
    """

    ref: DigitRef

    @property
    def layer(self) -> str:
        """All of it, as `SceneImage` has it."""
        return "full"


@dataclass(frozen=True)
class FileImage:
    """An image file: JPEG, PNG, TIFF or WebP.

    Attributes
    ----------
    path
        Where it is.
    page
        Of a file with several, from 0.
    is_frozen
        Whether it is an image of a study; see `umnist_core.pyramid.files.read_image_header`.
    """

    path: str
    page: int = 0
    is_frozen: bool = False


ImageRef = SceneImage | DigitImage | FileImage


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
    digits
        Fewest and most digits that the model is to assume; None for its own numbers.
    """

    checkpoint: str
    device: str
    image: ImageRef
    digits: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the request, ready for JSON."""
        image = self.image
        if isinstance(image, FileImage):
            described: dict[str, Any] = asdict(image)
        else:
            described = image.ref.to_dict() | {"view": image.layer}
        asked = {"checkpoint": self.checkpoint, "device": self.device, "image": described}
        return asked if self.digits is None else asked | {"digits": list(self.digits)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PredictRequest:
        """Return the request that `to_dict` described.

        Raises
        ------
        InvalidValueError
            If it is none.
        """
        try:
            digits = data.get("digits")
            return cls(
                str(data["checkpoint"]),
                str(data["device"]),
                _image(data["image"]),
                None if digits is None else (int(digits[0]), int(digits[1])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidValueError(
                f"Expected a request with checkpoint, device and image, found {str(data)[:80]!r}; "
                "make it with PredictRequest.to_dict."
            ) from error


def _image(data: Mapping[str, Any]) -> ImageRef:
    if "path" in data:
        page, is_frozen = data.get("page", 0), data.get("is_frozen", False)
        return FileImage(str(data["path"]), int(page), bool(is_frozen))
    overrides = {str(name): str(text) for name, text in data["overrides"].items()}
    sample = {name: data[name] for name in ("seed", "split", "index")}
    ref = any_ref(data["preset"], overrides, **sample)
    return DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref, data["view"])
