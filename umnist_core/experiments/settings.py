"""Settings of the noise: given a name, kept as YAML, told as a command or as Python.

A setting is the preset and the overrides of a `umnist_core.scenes.SceneRef`: a few lines that
stand for any number of images, on every machine. Of MNIST Large Scale, it is those of a
`umnist_core.datasets.large_scale.ref.DigitRef`.

Named settings
--------------
Every preset is one, every set of the noise study (`umnist_core.datasets.study`), and every set
that MNIST Large Scale has to learn from.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef, any_ref
from umnist_core.datasets.large_scale.sets import LARGE_SCALE, TRAINING_SCALES
from umnist_core.datasets.study import NOISE_FREE, NOISE_STUDY
from umnist_core.digits import GLYPH_PX
from umnist_core.errors import DamagedFileError
from umnist_core.parsing import parse_yaml
from umnist_core.scenes import PRESETS, PUBLISHED_DISTRACTORS, SceneRef, Span, number_text
from umnist_core.seeds import SPLITS

YAML_VERSION = 1
MAX_YAML_BYTES = 64 * 1024
"""A setting is a few hundred bytes; more is something else."""


def render_command(ref: AnyRef, out: str = "sample.png") -> str | None:
    """Return the command line that draws an image; None where there is none."""
    if isinstance(ref, DigitRef):
        return None
    return shlex.join(["umnist", "render", *ref.options, "--index", str(ref.index), out])


def generate_command(ref: AnyRef, count: int, out: str = "dataset") -> str | None:
    """Return the command line that writes a data set of an image's setting; None without one.

    Sets of MNIST Large Scale are written with the published numbers alone, at any scale.
    """
    if isinstance(ref, DigitRef):
        given = dict(ref.overrides)
        if given.keys() - {"scale"}:
            return None
        options = ["--preset", ref.preset, "--seed", str(ref.seed), "--split", ref.split]
        options += ["--set", f"scale={ref.parameters.scale}"]
        count = min(count, ref.last_index + 1)
        return shlex.join(["umnist", "generate", out, *options, "--count", str(count)])
    return shlex.join(["umnist", "generate", out, *ref.options, "--count", str(count)])


def python_code(ref: AnyRef) -> str:
    """Return a program that draws an image into a uint8 array ``image``."""
    if isinstance(ref, DigitRef):
        return (
            "from umnist_core.datasets.large_scale.ref import DigitRef\n\n"
            "ref = DigitRef.of(\n"
            f"    {dict(ref.overrides)!r},\n"
            f"    seed={ref.seed}, split={ref.split!r}, index={ref.index},\n"
            ")\n"
            "values = ref.draw_values()  # as files hold them, -0.763 to 0.761\n"
            "image = ref.draw()\n"
        )
    return (
        "from umnist_core.digits import load_glyphs\n"
        "from umnist_core.rendering import render\n"
        "from umnist_core.scenes import SceneRef\n\n"
        "glyphs = load_glyphs()\n"
        "scene = SceneRef.of(\n"
        f"    {ref.preset!r},\n"
        f"    {dict(ref.overrides)!r},\n"
        f"    seed={ref.seed}, split={ref.split!r}, index={ref.index},\n"
        ").plan(glyphs)\n"
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
    ref
        Preset and overrides; its sample is of no meaning.
    """

    key: str
    title: str
    group: str
    ref: AnyRef


_NEEDLE = "needle"
_PRESET_NAMES = {
    "released": ("UltraMNIST", "UltraMNIST, as released"),
    "released-clean": ("UltraMNIST", "UltraMNIST, released without specks"),
    "paper": ("UltraMNIST", "UltraMNIST, as in the paper"),
    "megapixel": ("Megapixel MNIST", "Megapixel MNIST, lines"),
    "megapixel-bezier": ("Megapixel MNIST", "Megapixel MNIST, Bézier strokes"),
    "o2i-28": ("Megapixel MNIST", "O2I 0.009 %, digits of 28 px"),
    "o2i-56": ("Megapixel MNIST", "O2I 0.035 %, digits of 56 px"),
    "o2i-84": ("Megapixel MNIST", "O2I 0.078 %, digits of 84 px"),
    "o2i-112": ("Megapixel MNIST", "O2I 0.139 %, digits of 112 px"),
    "patchgd": ("UltraMNIST", "UltraMNIST, reduced as by PatchGD"),
}
"""Preset -> group and title; any other preset stands under its own name."""


def _name_settings() -> dict[str, NamedSetting]:
    settings = [_name_preset(preset) for preset in PRESETS if preset != _NEEDLE]
    settings += [_name_noise(name, noise) for name, noise in NOISE_STUDY.items()]
    settings += [_name_needle(canvas_px) for canvas_px in PUBLISHED_DISTRACTORS]
    settings += [_name_scale(low, high) for low, high in (*TRAINING_SCALES, (0.5, 8.0))]
    order = ["UltraMNIST", "Noise study"]
    order += [one.group for one in settings if one.group not in order]
    return {one.key: one for one in sorted(settings, key=lambda one: order.index(one.group))}


def _name_preset(preset: str) -> NamedSetting:
    group, title = _PRESET_NAMES.get(preset, ("Other", preset))
    return NamedSetting(preset, title, group, SceneRef(preset))


def _name_noise(name: str, noise: Mapping[str, str]) -> NamedSetting:
    pairs, cells = noise["shape_pairs"], noise["checkerboard"]
    title = f"{pairs} {'pair' if pairs == '1' else 'pairs'}, checkerboard {cells}"
    ref = SceneRef.of("released", noise)
    if name == NOISE_FREE:
        return NamedSetting(name, "UltraMNIST, noise-free", "UltraMNIST", ref)
    return NamedSetting(name, title, "Noise study", ref)


def _name_needle(canvas_px: int) -> NamedSetting:
    ref = SceneRef.of(_NEEDLE, {"canvas": str(canvas_px)})
    percent = 100 * (GLYPH_PX / canvas_px) ** 2
    title = f"Needle MNIST, {canvas_px} px, O2I {percent:.2g} %"
    # The preset itself has one of the published sides.
    key = f"{_NEEDLE}-{canvas_px}" if ref.overrides else _NEEDLE
    return NamedSetting(key, title, "Needle MNIST", ref)


def _name_scale(low: float, high: float) -> NamedSetting:
    span = Span(low, high)
    scales = f"scale {span}" if low == high else f"scales {span.low:g} to {span.high:g} mixed"
    ref = DigitRef.of({"scale": str(span)})
    key = f"{LARGE_SCALE}-{span}".replace("..", "-") if ref.overrides else LARGE_SCALE
    return NamedSetting(key, f"MNIST Large Scale, {scales}", "MNIST Large Scale", ref)


NAMED_SETTINGS: Mapping[str, NamedSetting] = MappingProxyType(_name_settings())
"""Key -> named setting, in the order in which people are shown them."""


def find_setting(key: str) -> NamedSetting:
    """Return the named setting of a key, that of the released preset where there is none.

    Links used to name sets of the noise study by their numbers, ``study-1-4``.
    """
    if old := re.fullmatch(r"study-(\d+)-(\d+)", key):
        noise = {"shape_pairs": old[1], "checkerboard": old[2]}
        key = next((name for name, one in NOISE_STUDY.items() if one == noise), key)
    return NAMED_SETTINGS.get(key, NAMED_SETTINGS["released"])


# -- YAML -------------------------------------------------------------------------


def setting_to_yaml(ref: AnyRef) -> str:
    """Return a setting as YAML; `setting_from_yaml` gives an equal one back."""
    data = {
        "umnist_setting": YAML_VERSION,
        "preset": ref.preset,
        "overrides": {name: _plain(text) for name, text in ref.overrides},
        "seed": ref.seed,
        "split": ref.split,
        "index": ref.index,
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
        if number_text(value) == text:
            return value
    return text


def setting_from_yaml(text: str | bytes) -> AnyRef:
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
    return any_ref(
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
        data = parse_yaml(text)
    except ValueError as error:
        line = getattr(error, "line", None)
        where = "" if line is None else f" in line {line}"
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
        return number_text(value) if isinstance(value, float) else str(value)
    raise DamagedFileError(f"{name} is a word or a number, found {str(value)[:40]!r}; correct it.")


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DamagedFileError(f"{name} is a whole number, found {str(value)[:40]!r}; correct it.")
    return value
