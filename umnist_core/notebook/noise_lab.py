"""The sliders of the Noise lab beside their image, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets

from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef, any_ref
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, UmnistError
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.notebook.base import ViewerWidget
from umnist_core.notebook.images import NO_TRUTH, source_of
from umnist_core.pyramid import TileSource
from umnist_core.scenes import SceneRef
from umnist_core.server.controls import TILE_PX, controls_data
from umnist_core.server.generated import canvas_px, digit_truth, scene_url, subject_of
from umnist_core.server.truth import scene_truth

LAB_HEIGHT_PX = 640


def setting_json(setting: AnyRef | None, _widget: Any = None) -> dict[str, Any] | None:
    """Return a setting as the sliders have it."""
    if setting is None:
        return None
    return {**setting.to_dict(), "reference": setting.preset}


def _setting_from(data: Mapping[str, Any] | None, name: str, widget: Any) -> AnyRef | None:
    """Return what the sliders say; where it cannot be, the viewer says why, and all stays."""
    if data is None:
        return None
    try:
        sample = {key: data[key] for key in ("seed", "split", "index")}
        return any_ref(data["preset"], data["overrides"], **sample)
    except UmnistError:
        before: AnyRef | None = getattr(widget, name)
        return before


def checked_setting(setting: Any, *, may_be_none: bool = False) -> Any:
    """Return a setting.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    if isinstance(setting, str):
        named = NAMED_SETTINGS.get(setting)
        if named is None:
            names = ", ".join(NAMED_SETTINGS)
            raise InvalidValueError(f"There is no setting {setting!r}; there are {names}.")
        return named.ref
    if isinstance(setting, SceneRef | DigitRef) or (may_be_none and setting is None):
        return setting
    raise InvalidValueError(
        f"Expected a SceneRef or the name of a setting, found {type(setting).__name__}; make one "
        "such as SceneRef.of('released', {'shape_pairs': '3'})."
    )


def pane_of(setting: AnyRef, key: str) -> dict[str, Any]:
    """Return a pane as the sliders make it too, so that both mean one address."""
    side = canvas_px(setting)
    return {
        "key": key,
        "title": f"{setting.preset}, seed {setting.seed}, {setting.split}, {setting.index}",
        "dzi": scene_url(setting, load_glyphs(), "dzi", tile=str(TILE_PX)),
        "width": side,
        "height": side,
        "tiles": {"tileSize": TILE_PX, "overlap": 1, "format": "png"},
    }


def truth_of(setting: AnyRef) -> dict[str, Any]:
    """Return what is in an image; nothing where it cannot be planned, which the viewer says."""
    if isinstance(setting, DigitRef):
        return digit_truth(setting)
    try:
        return scene_truth(setting.plan(load_glyphs()))
    except UmnistError:
        return NO_TRUTH


class NoiseLab(ViewerWidget):
    """An image and the sliders that it follows.

    Parameters
    ----------
    setting
        A `umnist_core.scenes.SceneRef` or the name of a kept setting, such as ``"released"``.
    beside
        Another setting, which it is compared with.
    height
        Of the viewer, CSS px.

    Attributes
    ----------
    setting, beside
        As the sliders stand, when they are let go of; setting one moves the sliders. What is in
        the image follows: ``setting.plan(load_glyphs())``.

    Raises
    ------
    InvalidValueError
        If it is no setting.
    """

    setting = traitlets.Any().tag(
        sync=True,
        to_json=setting_json,
        from_json=lambda data, widget: _setting_from(data, "setting", widget),
    )
    beside = traitlets.Any(allow_none=True, default_value=None).tag(
        sync=True,
        to_json=setting_json,
        from_json=lambda data, widget: _setting_from(data, "beside", widget),
    )
    _lab = traitlets.Dict().tag(sync=True)

    def __init__(
        self, setting: Any = "released", beside: Any = None, *, height: int = LAB_HEIGHT_PX
    ) -> None:
        super().__init__(
            height=height,
            _kind="lab",
            setting=setting,
            beside=beside,
            _lab=controls_data(load_glyphs()),
        )
        self.set_trait("_data", self._viewer_data())

    @traitlets.validate("setting")
    def _check_setting(self, proposal: Mapping[str, Any]) -> Any:
        return checked_setting(proposal["value"])

    @traitlets.validate("beside")
    def _check_beside(self, proposal: Mapping[str, Any]) -> Any:
        return checked_setting(proposal["value"], may_be_none=True)

    @traitlets.observe("setting", "beside")
    def _setting_changed(self, _change: Any) -> None:
        if self._data:
            self.set_trait("_data", self._viewer_data())

    def _viewer_data(self) -> dict[str, Any]:
        settings = [("a", self.setting), ("b", self.beside)]
        panes = [pane_of(one, key) for key, one in settings if one is not None]
        side = panes[0]["width"]
        return {
            "panes": panes,
            "image": {"width": side, "height": side},
            "subject": subject_of(self.setting),
            "compare": "side",
            "truth": truth_of(self.setting),
            "looks": [],
            "choices": [],
            "mayPair": False,
        }

    def _still(self) -> TileSource | None:
        return source_of(self.setting) if canvas_px(self.setting) <= TILE_PX * 4 else None
