"""A model that looks at an image, in a notebook: its answer beside, its attention over it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import traitlets

from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, NotFoundError, UmnistError
from umnist_core.inference.pool import shared_pool
from umnist_core.inference.process import Outcome
from umnist_core.inference.requests import AUTO
from umnist_core.models.cards import Card, find_checkpoints, load_card
from umnist_core.models.needs import needs_sentence
from umnist_core.notebook.base import ViewerWidget
from umnist_core.notebook.images import ShownImage, ref_of, show, source_of
from umnist_core.notebook.noise_lab import (
    LAB_HEIGHT_PX,
    checked_setting,
    pane_of,
    setting_json,
    truth_of,
)
from umnist_core.pyramid import TileSource
from umnist_core.scenes import Scene, SceneRef
from umnist_core.server.controls import controls_data
from umnist_core.server.generated import canvas_px, subject_of

FIRST = "digit-finder"
"""The model that is shown unasked."""

_OF_NEEDLE = ("no 3", "a 3")


class Watch(ViewerWidget):
    """What a model answers to an image and where it looked; both follow the image.

    Parameters
    ----------
    image
        What `umnist_core.notebook.DeepZoom` takes, or the name of a kept setting.
    model
        A name of `umnist models list`.
    beside
        Another model, which looks at the same image.
    sliders
        Whether the sliders of the Noise lab stand there too; of a generated image alone.
    follow
        Whether it predicts at once and again after every change.
    height
        Of the viewer, CSS px.

    Attributes
    ----------
    setting
        The generated image that is looked at; None of any other. Setting it shows another, such
        as that of a Noise lab: ``traitlets.dlink((lab, "setting"), (watch, "setting"))``.
    model, beside, follow
        As the arguments.
    result
        What the model answered last, as `umnist predict --json` writes it; empty before.

    Raises
    ------
    UmnistError
        If the image cannot be shown, or there is no such model.
    """

    setting = traitlets.Any(allow_none=True, default_value=None).tag(
        sync=True,
        to_json=setting_json,
        from_json=lambda data, widget: widget._from_sliders(data),
    )
    model = traitlets.Unicode(FIRST).tag(sync=True)
    beside = traitlets.Unicode(allow_none=True, default_value=None).tag(sync=True)
    follow = traitlets.Bool(True).tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    _job = traitlets.Unicode("").tag(sync=True)
    _watch = traitlets.Dict().tag(sync=True)
    _lab = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self,
        image: Any = "released",
        model: str = FIRST,
        *,
        beside: str | None = None,
        sliders: bool = False,
        follow: bool = True,
        height: int = LAB_HEIGHT_PX,
    ) -> None:
        self._shown: ShownImage | None = None
        super().__init__(height=height, _kind="watch", model=model, beside=beside, follow=follow)
        setting = _setting_of(image)
        if setting is None:
            kept = source_of(image).read_whole() if isinstance(image, Scene) else image
            self._shown = show(kept, self._answers)
        if sliders and setting is None:
            raise InvalidValueError("sliders are for a generated image; give a SceneRef.")
        if sliders:
            self._lab = controls_data(load_glyphs())
        self._watch = _watch_data()
        self.setting = setting
        self.set_trait("_data", self._viewer_data())

    @property
    def outcome(self) -> Outcome:
        """What the model answered last, with the maps of its attention.

        Raises
        ------
        NotFoundError
            If it answered nothing yet.
        """
        if not self._job:
            raise NotFoundError("The model has answered nothing yet; wait until it has.")
        return shared_pool().get_outcome(self._job)

    @traitlets.validate("setting")
    def _check_setting(self, proposal: Mapping[str, Any]) -> Any:
        return checked_setting(proposal["value"], may_be_none=True)

    @traitlets.validate("model", "beside")
    def _check_model(self, proposal: Mapping[str, Any]) -> Any:
        name = proposal["value"]
        if name is not None and name not in (known := find_checkpoints()):
            raise NotFoundError(
                f"Expected the name of a checkpoint ({', '.join(known) or 'there is none'}), got "
                f"{name!r}; choose one of the list."
            )
        return name

    @traitlets.observe("setting")
    def _setting_changed(self, _change: Any) -> None:
        if self._data:
            self.set_trait("_data", self._viewer_data())

    def _from_sliders(self, data: Mapping[str, Any] | None) -> Any:
        from umnist_core.notebook.noise_lab import _setting_from

        return _setting_from(data, "setting", self)

    def _viewer_data(self) -> dict[str, Any]:
        more: dict[str, Any] = {"compare": "side", "looks": [], "choices": [], "mayPair": False}
        if self.setting is not None:
            pane = pane_of(self.setting, "a")
            subject, truth = subject_of(self.setting), truth_of(self.setting)
        else:
            assert self._shown is not None
            pane, subject = self._shown.pane("full", "a"), self._shown.subject
            truth = self._shown.truth
        size = {"width": pane["width"], "height": pane["height"]}
        return {"panes": [pane], "image": size, "subject": subject, "truth": truth, **more}

    def _still(self) -> TileSource | None:
        if self.setting is None or canvas_px(self.setting) > 4096:
            return None
        return source_of(self.setting)


def _setting_of(image: Any) -> SceneRef | DigitRef | None:
    """Return what a generated image follows from; None of any other."""
    if isinstance(image, Scene):
        return ref_of(image)
    if isinstance(image, SceneRef | DigitRef):
        return image
    if isinstance(image, str):
        with contextlib.suppress(InvalidValueError):
            found: SceneRef | DigitRef = checked_setting(image)
            return found
    return None


def _names_of(card: Card) -> dict[str, list[str]]:
    """Return what a model's answers are called, by task, where they are no numbers."""
    classes = [str(one) for one in card.data.get("class_names") or ()]
    return {"needle": list(_OF_NEEDLE), **({"class": classes} if classes else {})}


def _watch_data() -> dict[str, Any]:
    """Return what the panel shows whatever is chosen; ``WatchData`` in ``watch.js``."""
    cards = {}
    for name, path in find_checkpoints().items():
        with contextlib.suppress(UmnistError):
            cards[name] = load_card(path)
    sentence = needs_sentence()
    devices = [{"key": one.key, "title": one.title} for one in shared_pool().devices()]
    if not sentence:
        with contextlib.suppress(UmnistError):  # whoever predicts is told
            shared_pool().start(AUTO)
    return {
        "checkpoints": [
            {"key": name, "title": name, "model": card.model, "names": _names_of(card)}
            for name, card in cards.items()
        ],
        "devices": devices,
        "sentence": sentence or (None if cards else "There is no trained model here."),
    }
