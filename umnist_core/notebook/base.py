"""What all widgets here have in common: the viewer's module, its channel, and the traits."""

from __future__ import annotations

import base64
import math
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

import anywidget
import traitlets

from umnist_core.errors import MissingFileError
from umnist_core.notebook.answers import Answers
from umnist_core.notebook.channel import Channel
from umnist_core.pyramid import encode_png
from umnist_core.server.assets import STATIC_DIR

HEIGHT_PX = 560

OVERLAYS = {"answer": False, "shapes": False, "attention": True}
"""What may lie over an image, and whether it does at first."""


@cache
def module_text() -> str:
    """Return the viewer as one module, which the build made.

    Raises
    ------
    MissingFileError
        If it was not built.
    """
    try:
        return (STATIC_DIR / "vendor" / "viewer.one.js").read_text(encoding="utf-8")
    except OSError as error:
        raise MissingFileError(
            "Expected the viewer's file viewer.one.js, found none; install umnist again (in a "
            "clone, run scripts/app once)."
        ) from error


class ViewerWidget(anywidget.AnyWidget):
    """A viewer of the app in a notebook.

    Parameters
    ----------
    height
        Of the viewer, CSS px.

    Attributes
    ----------
    viewport
        Where one looks: ``{"x": ..., "y": ..., "zoom": ...}``, the point in the middle in px of
        the image and CSS px per px of the image; None for the whole image. What is set moves every
        view of the widget, and who moves one sets it.
    selection
        What was flown to last: the place of a digit in the truth, or a box as x, y, width,
        height; setting it flies there.
    overlays
        Whether the answer, the shapes and the attention are shown: ``"answer"``, ``"shapes"``,
        ``"attention"``.
    """

    _kind = traitlets.Unicode("zoom").tag(sync=True)
    _key = traitlets.Unicode().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(HEIGHT_PX).tag(sync=True)
    viewport = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    selection = traitlets.Union(
        [traitlets.Int(), traitlets.List(traitlets.Float(), minlen=4, maxlen=4)],
        allow_none=True,
        default_value=None,
    ).tag(sync=True)
    overlays = traitlets.Dict(default_value=OVERLAYS).tag(sync=True)

    def __init__(self, *, height: int = HEIGHT_PX, **traits: Any) -> None:
        self._answers = Answers()
        self._esm = module_text()
        super().__init__(height=height, _key=secrets.token_hex(8), **traits)
        self._channel = Channel(self._answers, self.send)
        self.on_msg(self._take)

    @traitlets.validate("viewport")
    def _check_viewport(self, proposal: Mapping[str, Any]) -> Any:
        value = proposal["value"]
        if value is None:
            return None
        numbers = {name: float(value.get(name, float("nan"))) for name in ("x", "y", "zoom")}
        if not numbers["zoom"] > 0 or any(map(math.isnan, numbers.values())):
            raise traitlets.TraitError(
                f"viewport is x, y and zoom, or None for the whole image; got {value!r}."
            )
        return numbers

    @traitlets.validate("overlays")
    def _check_overlays(self, proposal: Mapping[str, Any]) -> dict[str, bool]:
        value = proposal["value"]
        if unknown := set(value) - set(OVERLAYS):
            raise traitlets.TraitError(
                f"overlays are {', '.join(OVERLAYS)}; got {', '.join(sorted(map(str, unknown)))}."
            )
        before = getattr(self, "overlays", None) or OVERLAYS
        return {name: bool(value.get(name, before[name])) for name in OVERLAYS}

    def close(self) -> None:
        """End the widget; what it was about to answer is dropped."""
        if hasattr(self, "_channel"):
            self._channel.close()
        super().close()

    def _take(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        if content.get("kind") == "asks":
            self._channel.take(content)

    def _picture(self) -> bytes | None:
        """Return a still picture of it as PNG, for where no widget runs; None for none."""
        from umnist_core.notebook.pictures import overview

        source = self._still()
        return None if source is None else encode_png(overview(source))

    def _still(self) -> Any:
        return None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        picture = self._picture()
        if shown is None or picture is None:
            return shown
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, "image/png": _base64(picture)}, metadata


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
