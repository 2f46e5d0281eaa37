"""What a widget is given to show, as the viewer takes it: a scene, a file, an array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, UmnistError
from umnist_core.files import passing_folder, write_whole
from umnist_core.notebook.answers import Answers
from umnist_core.pyramid import ArraySource, TileSource, model_size, scene_source
from umnist_core.scenes import Scene, SceneRef
from umnist_core.server.files import FileEntry, register_file
from umnist_core.server.generated import digit_truth, scene_url, subject_of
from umnist_core.server.query import FILE_VIEWS, MODEL_VIEWS, VIEW_TITLES, VIEWS
from umnist_core.server.truth import scene_truth

NO_TRUTH: dict[str, Any] = {"label": None, "digits": [], "shapes": []}


@dataclass(frozen=True)
class ShownImage:
    """An image of a widget.

    Attributes
    ----------
    title
        For people.
    height, width
        Canvas, px.
    layers
        What may be shown of it, names of `umnist_core.server.query.VIEW_TITLES`.
    truth
        What is in it, as the viewer and the answers take it.
    subject
        What is shown, whatever its noise.
    """

    title: str
    height: int
    width: int
    layers: tuple[str, ...]
    truth: dict[str, Any]
    subject: str
    _pane: dict[str, Any]
    _ref: AnyRef | None = None

    def pane(self, layer: str, key: str) -> dict[str, Any]:
        """Return a pane of the viewer that shows a layer; ``PaneData`` in ``pane.js``.

        Raises
        ------
        InvalidValueError
            If there is no such layer.
        """
        if layer not in self.layers:
            raise InvalidValueError(f"layers are of {', '.join(self.layers)}; got {layer!r}.")
        size = {"width": self.width, "height": self.height}
        if layer in MODEL_VIEWS:
            height, width = model_size(self.height, self.width, MODEL_VIEWS[layer])
            size = {"width": width, "height": height}
        title = self.title if layer == "full" else VIEW_TITLES[layer]
        pane = {**self._pane, **size, "key": key, "title": title}
        if self._ref is not None:
            more = {} if layer == "full" else {"view": layer}
            pane["dzi"] = scene_url(self._ref, load_glyphs(), "dzi", **more)
        elif layer != "full":
            pane["dzi"] += f"?view={layer}"
            pane.pop("values", None)
        return pane


def show(image: Any, answers: Answers) -> ShownImage:
    """Return an image as it is shown.

    Parameters
    ----------
    image
        A `SceneRef`, a `DigitRef`, a `Scene`, the path of an image file, an array of uint8 or
        uint16 (H, W) or (H, W, 3), of bool (H, W), or an image of Pillow.
    answers
        Serves what no address of the app can name.

    Raises
    ------
    UmnistError
        If it is none of these, or cannot be planned or opened.
    """
    if isinstance(image, Scene):
        ref = ref_of(image)
        return _scene(image, answers) if ref is None else _generated(ref)
    if isinstance(image, SceneRef | DigitRef):
        return _generated(image)
    if isinstance(image, str | Path):
        path = Path(image)
        return _file(register_file(path), path.name)
    array = as_array(image)
    return _file(register_file(_kept(array)), f"{array.shape[1]} x {array.shape[0]} px")


def _tiles(**more: Any) -> dict[str, Any]:
    return {"tiles": {"tileSize": 512, "overlap": 1, "format": "png"}, **more}


def _generated(ref: AnyRef) -> ShownImage:
    title = f"{ref.preset}, seed {ref.seed}, {ref.split}, {ref.index}"
    if isinstance(ref, DigitRef):
        side = LARGE_SCALE_PX
        return ShownImage(
            title, side, side, ("full",), digit_truth(ref), subject_of(ref), _tiles(), ref
        )
    scene = ref.plan(load_glyphs())
    height, width = scene.height, scene.width
    return ShownImage(
        title, height, width, VIEWS, scene_truth(scene), subject_of(ref), _tiles(), ref
    )


def _scene(scene: Scene, answers: Answers) -> ShownImage:
    """Return a scene that was changed by hand, which no reference names."""
    address = answers.add_source(scene_source(scene, load_glyphs()))
    title = f"Scene of {len(scene.digits)} digits"
    height, width, truth = scene.height, scene.width, scene_truth(scene)
    return ShownImage(title, height, width, FILE_VIEWS, truth, address, _tiles(dzi=address))


def _file(entry: FileEntry, title: str) -> ShownImage:
    height, width = entry.height, entry.width
    return ShownImage(title, height, width, FILE_VIEWS, NO_TRUTH, entry.id, _tiles(**entry.pane))


def ref_of(scene: Scene) -> SceneRef | None:
    """Return the reference that a scene was planned from; None if it gives another one here."""
    source = scene.provenance
    if source is None:
        return None
    changes = tuple((name, str(text)) for name, text in source.parameters.items())
    try:
        ref = SceneRef(source.preset, source.seed, source.split, source.index, changes)
        return ref if ref.plan(load_glyphs()) == scene else None
    except UmnistError:
        return None


def source_of(image: Any) -> TileSource:
    """Return the pixels of what `show` takes.

    Raises
    ------
    UmnistError
        As `show`.
    """
    from umnist_core.pyramid.files import file_source

    if isinstance(image, Scene):
        return scene_source(image, load_glyphs())
    if isinstance(image, SceneRef):
        return scene_source(image.plan(load_glyphs()), load_glyphs())
    if isinstance(image, DigitRef):
        return ArraySource(image.draw())
    if isinstance(image, str | Path):
        return file_source(Path(image))
    return file_source(_kept(as_array(image)))


def as_array(image: Any) -> np.ndarray[Any, Any]:
    """Return an array or an image of Pillow as an array that can be kept as a file.

    Raises
    ------
    InvalidValueError
        If it is neither, or of another kind.
    """
    if hasattr(image, "mode") and hasattr(image, "convert"):
        image = image if image.mode in ("L", "RGB", "I;16", "1") else image.convert("RGB")
    array = np.asarray(image)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    is_grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if not is_grey or array.dtype not in (np.uint8, np.uint16) or array.size == 0:
        raise InvalidValueError(
            "Expected a SceneRef, a Scene, a path, an image of Pillow or an array of uint8 or "
            f"uint16 (H, W) or (H, W, 3), found {type(image).__name__} {array.dtype} "
            f"{array.shape}; bring it into one of these, such as (255 * image).astype('uint8')."
        )
    return array


def _kept(array: np.ndarray[Any, Any]) -> Path:
    import pyvips

    contiguous = np.ascontiguousarray(array)
    name = hashlib.blake2b(contiguous.tobytes(), digest_size=12).hexdigest()
    shape = "x".join(map(str, array.shape))
    path = passing_folder("notebook") / f"{name}-{shape}-{array.dtype}.tif"
    if not path.exists():
        write_whole(path, pyvips.Image.new_from_array(contiguous).tiffsave_buffer())
    return path


def sequence(value: Any) -> Sequence[Any]:
    """Return what may be one of something or several, as several; none of None."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
