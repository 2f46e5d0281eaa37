"""One name for a scene: everything that its pixels follow from, besides the digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.scenes.presets import PARAMETER_NAMES, get_preset, plan_scene
from umnist_core.scenes.scene import Scene
from umnist_core.seeds import MAX_SEED, SPLITS
from umnist_core.shown import ShowsItself

_PLANS = 256
"""Scenes that are kept planned; each is some 10 KB, or with many squares of noise some 100."""

_LARGE_PLANS = 8
"""Scenes of more squares that are kept planned; each is some megabytes."""

_MANY_SQUARES = 1000

Overrides = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SceneRef(ShowsItself):
    """Which scene; equal where the images are.

    Whatever is given, it holds each override that differs from the preset once, in the text
    form of `umnist_core.scenes.PlannerParameters.to_text` and in the order of the names. So
    one image has one reference, one address and one place in a cache.

    Attributes
    ----------
    preset
        Name in `umnist_core.scenes.PRESETS`.
    seed, index
        Whole numbers from 0 to `umnist_core.seeds.MAX_SEED`.
    split
        One of `umnist_core.seeds.SPLITS`.
    overrides
        Parameters that differ from the preset, as (name, text) pairs.

    Raises
    ------
    InvalidValueError
        If there is no such preset or split, a parameter is not allowed, or a number is out of
        range.
    """

    preset: str = "released"
    seed: int = 0
    split: str = SPLITS[0]
    index: int = 0
    overrides: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        parameters, given = get_preset(self.preset), dict(self.overrides)
        plain, text = parameters.to_text(), parameters.with_overrides(given).to_text()
        changed = sorted((name, text[name]) for name in given if text[name] != plain.get(name))
        object.__setattr__(self, "overrides", tuple(changed))
        for name, number in (("seed", self.seed), ("index", self.index)):
            if not 0 <= number <= MAX_SEED:
                raise InvalidValueError(
                    f"{name} is a whole number from 0 to {MAX_SEED}; got {number}."
                )
        if self.split not in SPLITS:
            raise InvalidValueError(f"split is one of {', '.join(SPLITS)}; got {self.split!r}.")

    @classmethod
    def of(cls, preset: str, overrides: Overrides = (), **sample: Any) -> SceneRef:
        """Return the reference of a preset with overrides, a mapping or pairs.

        Parameters
        ----------
        preset, overrides
            As the attributes.
        sample
            ``seed``, ``split`` and ``index``, as the attributes.
        """
        return cls(preset, overrides=tuple(dict(overrides).items()), **sample)

    def at(self, index: int) -> SceneRef:
        """Return the same at another index of its split."""
        return replace(self, index=index)

    def plan(self, glyphs: GlyphSet) -> Scene:
        """Plan the scene, or find it where it was planned lately.

        Raises
        ------
        PlacementError
            If the digits cannot be placed without overlap.
        """
        if _noise_squares(self.preset, self.overrides) > _MANY_SQUARES:
            return _plan_large(self, glyphs)
        return _plan(self, glyphs)

    # -- written and read -----------------------------------------------------------------

    def to_query(self) -> dict[str, str]:
        """Return the parameters of an address; `from_query` gives an equal reference back.

        ``scene_address.js`` writes the same in the same order;
        ``tests/golden/scene_addresses.json`` holds both to it.
        """
        sample = {"seed": str(self.seed), "split": self.split, "index": str(self.index)}
        return {"preset": self.preset, **sample, **dict(self.overrides)}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> SceneRef:
        """Read the parameters of an address; others than those of a scene are left alone.

        Raises
        ------
        InvalidValueError
            As `SceneRef`, or if a number is none.
        """
        return cls(
            preset=query.get("preset", "released"),
            seed=read_number("seed", query.get("seed", "0")),
            split=query.get("split", SPLITS[0]),
            index=read_number("index", query.get("index", "0")),
            overrides=tuple((name, query[name]) for name in PARAMETER_NAMES if name in query),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the reference, ready for JSON; `from_dict` gives an equal one back."""
        return {
            "preset": self.preset,
            "seed": self.seed,
            "split": self.split,
            "index": self.index,
            "overrides": dict(self.overrides),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SceneRef:
        """Read what `to_dict` returned.

        Raises
        ------
        KeyError
            If an entry is missing.
        InvalidValueError
            As `SceneRef`.
        """
        overrides = tuple((str(name), str(text)) for name, text in data["overrides"].items())
        return cls(data["preset"], data["seed"], data["split"], data["index"], overrides)

    @property
    def options(self) -> list[str]:
        """The options of the command line that name the scene, but for its index."""
        changes = [part for name, text in self.overrides for part in ("--set", f"{name}={text}")]
        return ["--preset", self.preset, "--seed", str(self.seed), "--split", self.split, *changes]


def read_number(name: str, text: str) -> int:
    """Read a seed or an index, in decimal digits.

    Raises
    ------
    InvalidValueError
        If it is none, or too large.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_SEED))
    if not is_number or int(text) > MAX_SEED:
        raise InvalidValueError(
            f"{name} is a whole number from 0 to {MAX_SEED}; got {text[:40]!r}."
        )
    return int(text)


@lru_cache(maxsize=_PLANS)
def _noise_squares(preset: str, overrides: tuple[tuple[str, str], ...]) -> int:
    return get_preset(preset).with_overrides(dict(overrides)).noise_squares


@lru_cache(maxsize=_LARGE_PLANS)
def _plan_large(ref: SceneRef, glyphs: GlyphSet) -> Scene:
    return _plan.__wrapped__(ref, glyphs)


@lru_cache(maxsize=_PLANS)
def _plan(ref: SceneRef, glyphs: GlyphSet) -> Scene:
    return plan_scene(
        ref.preset, ref.seed, ref.split, ref.index, glyphs=glyphs, overrides=dict(ref.overrides)
    )
