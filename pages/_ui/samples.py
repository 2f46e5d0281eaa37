"""Which image a page shows: chosen with widgets, started from the address.

The address is only read here. The viewer writes it (see ``link.js``), with what `scene_link` and
`FileSample.link` hold, so that every view is a link and panning never reruns a page.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.rendering import pixel_pin
from umnist_core.scenes import PARAMETER_NAMES, MegapixelTasks, SceneRef, get_preset

PICTURES = {
    "full": "Full image",
    "noise_free": "Noise-free",
    "digits": "Digits only",
    "background": "Background only",
    "model-256": "As a model sees it, 256 px",
    "model-512": "As a model sees it, 512 px",
    "model-1024": "As a model sees it, 1024 px",
    "model-1536": "As a model sees it, 1536 px",
    "model-2048": "As a model sees it, 2048 px",
}
"""What a pane may show of a scene: the tile route's ``view``, and its name for people."""

FILTERS = {"area": "mean of the pixels under it", "nearest": "pixel at its middle"}
"""How coarser levels are made: the tile route's ``filter``, and its name for people."""


RANDOM_INDEX = 100_000
"""Random samples come from the first this many, so that their numbers stay readable."""


def stepped(number: int, step: str, high: int) -> int:
    """Return the number of the ``"next"``, the ``"previous"`` or a ``"random"`` sample."""
    steps = {"next": number + 1, "previous": number - 1, "random": random.randrange(RANDOM_INDEX)}
    return min(max(steps[step], 0), high)


def scene_link(ref: SceneRef) -> dict[str, str | None]:
    """Return a scene as parameters of the page's address; None removes one."""
    unset = dict.fromkeys((*PARAMETER_NAMES, "source", "path", "folder", "image", "page"))
    return {**unset, **ref.to_query()}


def scene_url(ref: SceneRef, glyphs: GlyphSet, suffix: str, **more: str) -> str:
    """Return the address of one of a scene's files, ``dzi``, ``png``, ``json`` ..."""
    query = {**ref.to_query(), **more, "pin": pixel_pin(glyphs)}
    return f"/tiles/scene.{suffix}?{urlencode(query)}"


@dataclass(frozen=True)
class FileSample:
    """An image file, and the sum of its digits or its Megapixel tasks where a table gives them.

    ``boxes`` are those that COCO or Pascal VOC have of it, in px of the image as shown.
    ``page`` counts from 0; in addresses and on the page it counts from 1.
    """

    path: Path
    title: str
    label: int | None
    link: dict[str, str | None]
    tasks: MegapixelTasks | None = None
    page: int = 0
    boxes: tuple[DrawnBox, ...] = ()

    @property
    def explained(self) -> str | None:
        """The label in words, where it is no sum."""
        return None if self.tasks is None else explain_tasks(self.tasks)

    @property
    def truth(self) -> dict[str, list[int]]:
        """The right answers, by the name of the task that a model answers."""
        if self.tasks is not None:
            tasks = self.tasks
            one = {"majority": [tasks.majority], "max": [tasks.max], "top": [tasks.top]}
            return one | {"multi": list(tasks.multi)}
        return {} if self.label is None else {"sum": [self.label]}


@dataclass(frozen=True)
class PictureChoice:
    """What the panes show: one or two of `PICTURES`, and how levels are reduced."""

    first: str
    second: str | None
    pyramid_filter: str


Sample = SceneRef | FileSample


def explain_tasks(tasks: MegapixelTasks) -> str:
    """Return the four labels of a Megapixel image in words, the majority first."""
    present = ", ".join(map(str, tasks.multi))
    return f"majority; largest {tasks.max}, topmost {tasks.top}, present {present}"


def parse_overrides(text: str, preset: str) -> dict[str, str]:
    """Read ``shape_pairs=3 rotation=-10..10``.

    Raises
    ------
    InvalidValueError
        If a part is not NAME=VALUE, a name is unknown or a value is not allowed.
    """
    overrides = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidValueError(f"Expected NAME=VALUE such as shape_pairs=3, found {part!r}.")
        overrides[name] = value
    get_preset(preset).with_overrides(overrides)
    return overrides


def overrides_in(query: Mapping[str, str]) -> str:
    """Return the scene parameters of an address in the form that people type."""
    return " ".join(f"{name}={query[name]}" for name in PARAMETER_NAMES if name in query)
