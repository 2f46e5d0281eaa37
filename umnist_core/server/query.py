"""The parameters of a tile address: which image, which view of it, which tiles.

Every scene parameter of ``--set`` is a parameter here under the same name and in the
same text form; adding one to `umnist_core.scenes.PARAMETER_NAMES` is all it takes. Those of
MNIST Large Scale stand beside them, for its preset alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from umnist_core.datasets.large_scale.ref import (
    ALL_PARAMETER_NAMES,
    AnyRef,
    any_ref_from_query,
    names_of,
)
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import MODEL_SIDES_PX
from umnist_core.pyramid.grid import DEFAULT_OVERLAP_PX, DEFAULT_TILE_PX
from umnist_core.pyramid.tones import Tones
from umnist_core.rendering import FILTERS, LAYERS
from umnist_core.server.web.fields import one_of, parse_query, parse_whole

MODEL_VIEWS = {f"model-{side_px}": side_px for side_px in MODEL_SIDES_PX}
"""View -> longer side, in px, of the image as a model sees it."""

VIEWS = (*LAYERS, *MODEL_VIEWS)
VIEW_TITLES = {
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
"""What may be shown of a scene, one of `VIEWS`, and its name for people."""

FILE_VIEWS = ("full", *MODEL_VIEWS)

_TILE_NAMES = ("tile", "overlap")
_SCENE_NAMES = ("preset", "seed", "split", "index")
_SCENE_QUERY_NAMES = (*_SCENE_NAMES, *ALL_PARAMETER_NAMES, "view", "filter", *_TILE_NAMES, "pin")
_TONE_NAMES = ("low", "high", "channel")
_FILE_QUERY_NAMES = ("view", *_TONE_NAMES, *_TILE_NAMES)


@dataclass(frozen=True, slots=True)
class SceneQuery:
    """What an address under ``/tiles/scene`` asks for.

    Attributes
    ----------
    ref
        Which scene, or which image of MNIST Large Scale.
    view
        One of `VIEWS`.
    pyramid_filter
        ``"area"`` or ``"nearest"``.
    tile_px, overlap_px
        As in `umnist_core.pyramid.PyramidGrid`.
    pin
        What the address says that its pixels depend on (`umnist_core.rendering.pixel_pin`);
        None where it says nothing.
    """

    ref: AnyRef
    view: str
    pyramid_filter: str
    tile_px: int
    overlap_px: int
    pin: str | None

    @property
    def file_stem(self) -> str:
        """A name for downloads that tells which scene it is."""
        ref = self.ref
        parts = ["ultramnist", ref.preset, ref.split, f"seed-{ref.seed}", f"index-{ref.index}"]
        parts += [f"{name}-{value}" for name, value in ref.overrides]
        parts += [] if self.view == "full" else [self.view]
        return re.sub(r"[^A-Za-z0-9._-]", "", "_".join(parts))


@dataclass(frozen=True, slots=True)
class FileQuery:
    """What an address under ``/tiles/file`` asks for; the fields of `SceneQuery`.

    Attributes
    ----------
    tones
        What of the values is drawn; None for the rule of all files.
    """

    view: str
    tile_px: int
    overlap_px: int
    tones: Tones | None = None


def parse_scene_query(text: str) -> SceneQuery:
    """Read the query of a scene's address.

    Raises
    ------
    InvalidValueError
        If a parameter is unknown, given twice, or not allowed.
    """
    fields = parse_query(text, _SCENE_QUERY_NAMES)
    allowed = names_of(fields.get("preset", ""))
    for name in fields:
        if name in ALL_PARAMETER_NAMES and name not in allowed:
            raise InvalidValueError(
                f"There is no parameter {name} of the preset {fields.get('preset', 'released')}; "
                f"its parameters are {', '.join(allowed)}."
            )
    tile_px, overlap_px = _tile_numbers(fields)
    return SceneQuery(
        ref=any_ref_from_query(fields),
        view=one_of("view", fields, VIEWS),
        pyramid_filter=one_of("filter", fields, FILTERS),
        tile_px=tile_px,
        overlap_px=overlap_px,
        pin=_pin(fields),
    )


def parse_file_query(text: str) -> FileQuery:
    """Read the query of a file's address.

    Raises
    ------
    InvalidValueError
        If a parameter is unknown, given twice, or not of its kind.
    """
    fields = parse_query(text, _FILE_QUERY_NAMES)
    view, tones = one_of("view", fields, FILE_VIEWS), _tones(fields)
    if tones is not None and view != "full":
        raise InvalidValueError(
            f"Models read a file by the rule of all files; got a window for the view {view!r}, so "
            "leave out low, high and channel."
        )
    return FileQuery(view, *_tile_numbers(fields), tones)


def parse_channel(text: str) -> int | None:
    """Read the query of a file's range: the number of a channel, or none.

    Raises
    ------
    InvalidValueError
        If there is anything else.
    """
    fields = parse_query(text, ("channel",))
    return parse_whole("channel", fields["channel"]) if "channel" in fields else None


def _tones(fields: Mapping[str, str]) -> Tones | None:
    if not any(name in fields for name in _TONE_NAMES):
        return None
    try:
        low, high = (float(fields[name]) for name in ("low", "high"))
    except (KeyError, ValueError) as error:
        raise InvalidValueError(
            "A window is two numbers, low and high; got "
            f"{fields.get('low', 'none')[:40]!r} and {fields.get('high', 'none')[:40]!r}."
        ) from error
    channel = parse_whole("channel", fields["channel"]) if "channel" in fields else None
    return Tones(low, high, channel)


def _whole(name: str, fields: Mapping[str, str], default: int) -> int:
    return parse_whole(name, fields[name]) if name in fields else default


def _tile_numbers(fields: Mapping[str, str]) -> tuple[int, int]:
    return (
        _whole("tile", fields, DEFAULT_TILE_PX),
        _whole("overlap", fields, DEFAULT_OVERLAP_PX),
    )


def _pin(fields: Mapping[str, str]) -> str | None:
    value = fields.get("pin")
    if value is not None and not re.fullmatch(r"[0-9a-f]{8}-[0-9]{1,6}", value):
        raise InvalidValueError(
            "pin is 8 hexadecimal digits of the glyph set's checksum and the version of the "
            f"renderer, such as edc0d109-1; got {value[:40]!r}."
        )
    return value
