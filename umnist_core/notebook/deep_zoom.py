"""An image to look at as closely as one likes, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.inference.process import Outcome
from umnist_core.notebook.base import ViewerWidget
from umnist_core.notebook.images import NO_TRUTH, sequence, show, source_of
from umnist_core.pyramid import TileSource
from umnist_core.server.heat import Choice, places_json
from umnist_core.server.query import VIEW_TITLES

STILL_MAX_PX = 4096 * 4096
"""Pixels of an image of which a still picture is kept beside the widget."""

PLACES = 8
"""Strongest places that are outlined."""


class DeepZoom(ViewerWidget):
    """An image, and what is known of it, in the app's own viewer.

    Parameters
    ----------
    image
        A `umnist_core.scenes.SceneRef` or `Scene`, an image of MNIST Large Scale, the path of an
        image file, an array of uint8 or uint16 (H, W) or (H, W, 3), or an image of Pillow.
    beside
        Another one, shown beside it in step.
    attention
        Where a model looked: an `umnist_core.attention.AttentionMap`, a prediction or what a
        process of models answered; two of them are shown beside each other.
    layers
        What of the image is shown, one or two of ``"full"``, ``"noise_free"``, ``"digits"``,
        ``"background"``, ``"model-256"`` ...; of files ``"full"`` and ``"model-..."``.
    compare
        ``"side"`` or ``"wipe"``: how two pictures stand.
    height
        Of the viewer, CSS px.

    Attributes
    ----------
    layers
        As the argument; changed here or there.

    Raises
    ------
    UmnistError
        If the image cannot be planned or opened, or something does not go with it.
    """

    layers = traitlets.List(traitlets.Unicode(), default_value=["full"]).tag(sync=True)

    def __init__(
        self,
        image: Any,
        beside: Any = None,
        *,
        attention: Any = None,
        layers: Any = ("full",),
        compare: str = "side",
        height: int = 560,
        **traits: Any,
    ) -> None:
        if compare not in ("side", "wipe"):
            raise InvalidValueError(f"compare is side or wipe; got {compare!r}.")
        self._compare = compare
        self._image: Any = None
        self._looks: list[dict[str, Any]] = []
        super().__init__(height=height)
        self._shown = show(image, self._answers)
        self._beside = None if beside is None else show(beside, self._answers)
        self._image = image
        self._looks = [self._look(one, place) for place, one in enumerate(sequence(attention))]
        self.layers = list(sequence(layers))
        self.set_trait("_data", self._viewer_data())
        for name, value in traits.items():
            setattr(self, name, value)

    @traitlets.validate("layers")
    def _check_layers(self, proposal: Mapping[str, Any]) -> list[str]:
        value = list(proposal["value"])
        if self._image is None:
            return value
        most = 1 if self._beside else 2
        known = all(one in self._shown.layers for one in value)
        if not known or not 1 <= len(value) <= most:
            raise InvalidValueError(
                f"layers are 1 to {most} of {', '.join(self._shown.layers)}; got {value!r}."
            )
        return value

    @traitlets.observe("layers")
    def _layers_changed(self, _change: Any) -> None:
        if self._image is not None:
            self.set_trait("_data", self._viewer_data())

    def _viewer_data(self) -> dict[str, Any]:
        shown, beside = self._shown, self._beside
        panes = [shown.pane(layer, f"{place}") for place, layer in enumerate(self.layers)]
        if beside is not None:
            panes.append(beside.pane("full", "beside"))
        truth = shown.truth if beside is None or beside.subject == shown.subject else NO_TRUTH
        return {
            "panes": panes,
            "image": {"width": shown.width, "height": shown.height},
            "subject": shown.subject,
            "compare": self._compare,
            "truth": truth,
            "looks": self._looks,
            "choices": [[name, VIEW_TITLES[name]] for name in shown.layers],
            "mayPair": beside is None,
        }

    def _look(self, attention: Any, place: int) -> dict[str, Any]:
        """Return what lies over a pane; ``Look`` in ``bus.js``."""
        outcome = _outcome_of(attention)
        found = outcome.attention
        shown = self._shown
        if found is None or (found.height, found.width) != (shown.height, shown.width):
            size = "none" if found is None else f"that of {found.width} x {found.height} px"
            raise InvalidValueError(
                f"Expected attention to an image of {shown.width} x {shown.height} px, found "
                f"{size}; give a map of this image."
            )
        places = places_json(outcome, Choice(), str(PLACES))
        return {
            "key": str(place),
            "title": getattr(attention, "checkpoint", found.kind),
            "url": f"{self._answers.add_maps(outcome)}/{{level}}/{{column}}_{{row}}.png",
            "places": places,
        }

    def _still(self) -> TileSource | None:
        if self._image is None or self._shown.height * self._shown.width > STILL_MAX_PX:
            return None
        return source_of(self._image)


def _outcome_of(attention: Any) -> Outcome:
    if isinstance(attention, Outcome):
        return attention
    if isinstance(attention, AttentionMap):
        return Outcome({}, attention)
    if hasattr(attention, "attention") and hasattr(attention, "rounds"):
        return Outcome({}, attention.attention, tuple(attention.rounds))
    kind = type(attention).__name__
    extra = f" {attention.shape}" if isinstance(attention, np.ndarray) else ""
    raise InvalidValueError(
        f"Expected an AttentionMap or a prediction, found {kind}{extra}; make one with "
        "umnist_core.attention.AttentionMap, which says where each weight lies."
    )
