"""Settings of the noise: given a name, kept as YAML, told as a command or as Python.

A setting and the number of a sample are all that an image follows from, so a setting of
a few lines stands for any number of images, on every machine.

Named settings
--------------
Every preset is one. Those of the noise study are the ten test sets of bioailab's
UltraMNIST_FasterRCNN-Archive: 1 to 5 pairs of shapes at a checkerboard of 4, and one
pair at checkerboards of 4, 8 ... 24; the two series share one set.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import yaml

from umnist_core.digits import GlyphSet
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.scenes import PRESETS, Scene, get_preset, plan_scene
from umnist_core.seeds import SPLITS

YAML_VERSION = 1
MAX_YAML_BYTES = 64 * 1024
"""A setting is a few hundred bytes; more is something else."""

MAX_SEED = 10**9


@dataclass(frozen=True)
class NoiseSetting:
    """How images are drawn, and which one of them.

    Attributes
    ----------
    preset
        Name in `umnist_core.scenes.PRESETS`.
    overrides
        Parameters that differ from the preset, as (name, text) pairs in the order of
        their names; see `NoiseSetting.of`.
    seed, split, index
        Which sample, as `umnist_core.scenes.plan_scene` takes it.
    """

    preset: str
    overrides: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    split: str = "train"
    index: int = 0

    @classmethod
    def of(
        cls,
        preset: str,
        overrides: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        seed: int = 0,
        split: str = "train",
        index: int = 0,
    ) -> NoiseSetting:
        """Return a checked setting without the overrides that say what the preset says.

        Raises
        ------
        InvalidValueError
            If the preset is unknown, a parameter is not allowed or the sample cannot be.
        """
        parameters = get_preset(preset)
        given = dict(overrides)
        preset_text, text = parameters.to_text(), parameters.with_overrides(given).to_text()
        changed = {name: text[name] for name in given if text[name] != preset_text.get(name)}
        for name, number in (("seed", seed), ("index", index)):
            if not 0 <= number <= MAX_SEED:
                raise InvalidValueError(
                    f"{name} is a whole number from 0 to {MAX_SEED}; got {number}."
                )
        if split not in SPLITS:
            raise InvalidValueError(f"split is one of {', '.join(SPLITS)}; got {split!r}.")
        return cls(preset, tuple(sorted(changed.items())), seed, split, index)

    def at(self, index: int) -> NoiseSetting:
        """Return the same setting at another sample of its split."""
        return replace(self, index=index)

    def plan(self, glyphs: GlyphSet) -> Scene:
        """Plan the image.

        Raises
        ------
        InvalidValueError, PlacementError
            As `umnist_core.scenes.plan_scene` does.
        """
        return plan_scene(
            self.preset,
            self.seed,
            self.split,
            self.index,
            glyphs=glyphs,
            overrides=dict(self.overrides),
        )

    @property
    def _options(self) -> list[str]:
        changes = [part for name, text in self.overrides for part in ("--set", f"{name}={text}")]
        return ["--preset", self.preset, "--seed", str(self.seed), "--split", self.split, *changes]

    def render_command(self, out: str = "sample.png") -> str:
        """Return the command line that draws this image."""
        return shlex.join(["umnist", "render", *self._options, "--index", str(self.index), out])

    def generate_command(self, count: int, out: str = "dataset") -> str:
        """Return the command line that writes a data set of this setting."""
        return shlex.join(["umnist", "generate", out, *self._options, "--count", str(count)])

    def python_code(self) -> str:
        """Return a program that draws this image into a uint8 array ``image``."""
        return (
            "from umnist_core.digits import load_glyphs\n"
            "from umnist_core.rendering import render\n"
            "from umnist_core.scenes import plan_scene\n\n"
            "glyphs = load_glyphs()\n"
            "scene = plan_scene(\n"
            f"    {self.preset!r},\n"
            f"    seed={self.seed}, split={self.split!r}, index={self.index},\n"
            "    glyphs=glyphs,\n"
            f"    overrides={dict(self.overrides)!r},\n"
            ")\n"
            "image = render(scene, glyphs)\n"
        )


@dataclass(frozen=True)
class NamedSetting:
    """A setting that people know by name.

    Attributes
    ----------
    key
        Short name, for addresses.
    title, group
        Name for people, and what it belongs to.
    setting
        Preset and overrides; its sample is of no meaning.
    """

    key: str
    title: str
    group: str
    setting: NoiseSetting


_PRESET_NAMES = {
    "released": ("UltraMNIST", "UltraMNIST, as released"),
    "paper": ("UltraMNIST", "UltraMNIST, as in the paper"),
    "megapixel": ("Megapixel MNIST", "Megapixel MNIST, lines"),
    "megapixel-bezier": ("Megapixel MNIST", "Megapixel MNIST, Bézier strokes"),
    "o2i-28": ("Megapixel MNIST", "O2I 0.009 %, digits of 28 px"),
    "o2i-56": ("Megapixel MNIST", "O2I 0.035 %, digits of 56 px"),
    "o2i-84": ("Megapixel MNIST", "O2I 0.078 %, digits of 84 px"),
    "o2i-112": ("Megapixel MNIST", "O2I 0.139 %, digits of 112 px"),
}
"""Preset -> group and title; any other preset stands under its own name."""

_STUDY = ((1, 4), (2, 4), (3, 4), (4, 4), (5, 4), (1, 8), (1, 12), (1, 16), (1, 20), (1, 24))
"""Pairs of shapes and cells of the checkerboard of the noise study's test sets."""


def _name_settings() -> dict[str, NamedSetting]:
    settings = [_name_preset(preset) for preset in PRESETS]
    settings += [
        _name_change("noise-free", "UltraMNIST, noise-free", "UltraMNIST", pairs=0, cells=0)
    ]
    for pairs, cells in _STUDY:
        title = f"{pairs} {'pair' if pairs == 1 else 'pairs'}, checkerboard {cells}"
        settings.append(
            _name_change(f"study-{pairs}-{cells}", title, "Noise study", pairs=pairs, cells=cells)
        )
    order = ["UltraMNIST", "Noise study"]
    order += [one.group for one in settings if one.group not in order]
    return {one.key: one for one in sorted(settings, key=lambda one: order.index(one.group))}


def _name_preset(preset: str) -> NamedSetting:
    group, title = _PRESET_NAMES.get(preset, ("Other", preset))
    return NamedSetting(preset, title, group, NoiseSetting(preset))


def _name_change(key: str, title: str, group: str, *, pairs: int, cells: int) -> NamedSetting:
    overrides = {"shape_pairs": str(pairs), "checkerboard": str(cells)}
    return NamedSetting(key, title, group, NoiseSetting.of("released", overrides))


NAMED_SETTINGS: Mapping[str, NamedSetting] = MappingProxyType(_name_settings())
"""Key -> named setting, in the order in which people are shown them."""


# -- YAML -------------------------------------------------------------------------


def setting_to_yaml(setting: NoiseSetting) -> str:
    """Return a setting as YAML; `setting_from_yaml` gives an equal setting back."""
    data = {
        "umnist_setting": YAML_VERSION,
        "preset": setting.preset,
        "overrides": {name: _plain(text) for name, text in setting.overrides},
        "seed": setting.seed,
        "split": setting.split,
        "index": setting.index,
    }
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return text


def _plain(text: str) -> str | int | float:
    """Return a number where the text is one, which YAML then shows without quotes."""
    for number in (int, float):
        try:
            value = number(text)
        except ValueError:
            continue
        if f"{value:g}" == text:
            return value
    return text


def setting_from_yaml(text: str | bytes) -> NoiseSetting:
    """Read a setting.

    Parameters
    ----------
    text
        As `setting_to_yaml` writes it; numbers may stand without quotes, and seed, split,
        index and overrides may be left out.

    Raises
    ------
    DamagedFileError
        If it is no YAML, or not that of a setting.
    InvalidValueError
        If a value is not allowed.
    """
    data = _load_mapping(text)
    version = data.pop("umnist_setting", None)
    if version != YAML_VERSION or isinstance(version, bool):
        raise DamagedFileError(
            f"Expected a setting with the line 'umnist_setting: {YAML_VERSION}', found "
            f"{version!r} there; save it again in the Noise lab."
        )
    unknown = [name for name in data if name not in _FIELDS]
    if unknown:
        raise DamagedFileError(
            f"A setting has the entries {', '.join(_FIELDS)}, found {str(unknown[0])[:40]!r}; "
            "remove it."
        )
    overrides = data.get("overrides") or {}
    if not isinstance(overrides, dict):
        raise DamagedFileError(
            "overrides holds lines such as 'shape_pairs: 3', found something else; correct it."
        )
    return NoiseSetting.of(
        _scalar("preset", data.get("preset")),
        {str(name): _scalar(str(name), value) for name, value in overrides.items()},
        seed=_whole("seed", data.get("seed", 0)),
        split=_scalar("split", data.get("split", SPLITS[0])),
        index=_whole("index", data.get("index", 0)),
    )


_FIELDS = ("preset", "overrides", "seed", "split", "index")


def _load_mapping(text: str | bytes) -> dict[Any, Any]:
    if len(text) > MAX_YAML_BYTES:
        raise DamagedFileError(
            f"A setting has at most {MAX_YAML_BYTES} bytes, found {len(text)}; choose the YAML "
            "file that the Noise lab saved."
        )
    try:
        data = yaml.safe_load(text)
    # A date such as 2024-99-99 is a ValueError, and deep nesting a RecursionError.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise DamagedFileError(
            f"Expected YAML, found something else{where}; choose the file that the Noise lab saved."
        ) from error
    if not isinstance(data, dict):
        raise DamagedFileError(
            "Expected the YAML of a setting, with preset and overrides, found something else; "
            "choose the file that the Noise lab saved."
        )
    return data


def _scalar(name: str, value: Any) -> str:
    """Return a word or a number in its text form."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    raise DamagedFileError(f"{name} is a word or a number, found {str(value)[:40]!r}; correct it.")


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DamagedFileError(f"{name} is a whole number, found {str(value)[:40]!r}; correct it.")
    return value
