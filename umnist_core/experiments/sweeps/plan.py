"""From a sweep file to cells.

A file names a kind of cells, settings that all share, axes whose values are crossed, and seeds:

    title = "Thickness of strokes"
    kind = "train"
    seeds = 5

    [base]
    from = "ips-compact-200"
    training.run.epochs = 3

    [axes]
    "training.data.overrides.thickness" = [1.0, 1.5, 2.0]

An axis is a list of values of one setting, or a list of tables of several settings that go
together, ``label`` among them if they are to have a name. What a setting means is the kind's.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from umnist_core.errors import InvalidValueError, MissingFileError, NotFoundError
from umnist_core.experiments.sweeps.fingerprint import code_of
from umnist_core.experiments.sweeps.results import COLUMNS
from umnist_core.parsing import parse_toml
from umnist_core.seeds import MAX_SEED

SEEDS = 5
"""Of a sweep that names none."""

CELLS_MAX = 20_000
NAME_DIGITS = 16

SIZES = ("paper", "compact")

FILES = Path(__file__).resolve().parent / "files"
"""The sweeps that come with the package."""

Settings = dict[str, Any]


@dataclass(frozen=True)
class Resolved:
    """What a cell's settings come to.

    Attributes
    ----------
    config
        Every setting, defaults included, ready for JSON.
    data
        By content, what it is made from.
    rooms
        Sources that its figures follow from; see `umnist_core.experiments.sweeps.fingerprint`.
    command
        That does this cell alone; empty where the sweep's own is the only one.
    """

    config: Settings
    data: Mapping[str, Any]
    rooms: tuple[str, ...]
    command: str = ""


class CellKind(Protocol):
    """A kind of cells, as the engine knows it."""

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        """Return what settings come to, or raise an `InvalidValueError`."""


@dataclass(frozen=True)
class SweepCell:
    """A cell of a sweep; see `umnist_core.experiments.sweeps.results` for the fields."""

    name: str
    kind: str
    labels: Mapping[str, str]
    seed: int
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    code: str
    command: str


@dataclass(frozen=True)
class SweepFile:
    """What a file says.

    Attributes
    ----------
    title
        One line for people, by which a folder knows its sweep.
    kind
        Of its cells.
    axes
        Axis -> its points: the labels and the settings of each.
    seeds
        One or more, each once.
    base
        Settings of all cells.
    about
        More for people.
    published
        What it re-runs: a key of the published results, such as
        ``ips_generalizability.thickness``; empty if nothing.
    size
        One of `SIZES`, or empty.
    needs
        The machine that it is meant for, in words; empty for any.
    text
        The whole file.
    """

    title: str
    kind: str
    axes: Mapping[str, Sequence[tuple[Mapping[str, str], Settings]]]
    seeds: tuple[int, ...]
    base: Settings
    about: str = ""
    published: str = ""
    size: str = ""
    needs: str = ""
    text: str = ""

    def points(self) -> Iterator[tuple[dict[str, str], Settings]]:
        """Yield labels and settings of every point; the last axis changes fastest."""
        for parts in product(*self.axes.values()):
            labels: dict[str, str] = {}
            settings = copy.deepcopy(self.base)
            for told, changes in parts:
                labels |= told
                _merge(settings, changes)
            yield labels, settings

    @property
    def count(self) -> int:
        """How many cells there are."""
        found = len(self.seeds)
        for points in self.axes.values():
            found *= len(points)
        return found


@dataclass(frozen=True)
class Sweep:
    """A file with its cells, in the order in which they are run."""

    file: SweepFile
    cells: tuple[SweepCell, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what is kept beside the results, ready for JSON: all but configurations."""
        file = self.file
        kept = ("name", "labels", "seed")
        return {
            **{name: getattr(file, name) for name in ("title", "kind", "about", "published")},
            **{name: getattr(file, name) for name in ("size", "needs")},
            "cells": [{name: asdict(cell)[name] for name in kept} for cell in self.cells],
        }


def load_sweep(path: Path) -> SweepFile:
    """Read a sweep file.

    Parameters
    ----------
    path
        Of a TOML file, or the name of one that comes with the package (`sweep_names`).

    Raises
    ------
    MissingFileError, NotFoundError
        If there is none.
    InvalidValueError
        If it is no TOML or a part of it is not as it should be.
    """
    place = _find(path)
    try:
        text = place.read_text(encoding="utf-8-sig")
        found = parse_toml(text)
    except OSError as error:
        raise MissingFileError(
            f"{path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    except ValueError as error:
        raise InvalidValueError(f"{path} is no TOML ({error}); correct it.") from error
    return parse_sweep(found, text, str(path))


def sweep_names() -> list[str]:
    """Return the names of the sweeps that come with the package."""
    return sorted(path.stem for path in FILES.glob("*.toml"))


def parse_sweep(found: Mapping[str, Any], text: str, name: str) -> SweepFile:
    """Return what a file says.

    Raises
    ------
    InvalidValueError
        If a part of it is not as it should be.
    """
    known = ("title", "kind", "seeds", "base", "axes", "about", "published", "size", "needs")
    if unknown := [key for key in found if key not in known]:
        raise InvalidValueError(
            f"A sweep file has {', '.join(known)}; {name} has {unknown[0]!r:.60}; remove it, or "
            "put settings of cells under [base]."
        )
    _check_values(found, name)
    texts = {key: found.get(key, "") for key in known if key not in ("seeds", "base", "axes")}
    for key, value in texts.items():
        if not isinstance(value, str) or (key in ("title", "kind") and not value.strip()):
            raise InvalidValueError(f"{name}: expected {key} to be a text; got {value!r:.60}.")
        if not value.isprintable() and key != "about":
            raise InvalidValueError(f"{name}: expected {key} in one line; got {value!r:.60}.")
    if texts["size"] and texts["size"] not in SIZES:
        raise InvalidValueError(f"{name}: size is one of {', '.join(SIZES)}; got {texts['size']}.")
    parts = {key: found.get(key, {}) for key in ("base", "axes")}
    for key, value in parts.items():
        if not isinstance(value, dict):
            raise InvalidValueError(f"{name}: expected a section [{key}]; got {value!r:.60}.")
    base: Settings = {}
    _merge(base, _nested(parts["base"]))
    axes = {key: _axis(key, value, name) for key, value in _flat_axes(parts["axes"], name).items()}
    _check_apart(axes, name)
    sweep = SweepFile(
        axes=axes, seeds=_seeds(found.get("seeds", SEEDS), name), base=base, text=text, **texts
    )
    if not 1 <= sweep.count <= CELLS_MAX:
        raise InvalidValueError(
            f"{name}: a sweep has 1 to {CELLS_MAX:,} cells; got {sweep.count:,}; name fewer values."
        )
    return sweep


def plan_sweep(file: SweepFile, kinds: Mapping[str, CellKind]) -> Sweep:
    """Resolve every cell of a sweep.

    Parameters
    ----------
    file
        Which.
    kinds
        The kinds that there are, by their names.

    Raises
    ------
    InvalidValueError
        If there is no such kind, or a cell's settings are not allowed; the message says which cell.
    UmnistError
        If a file that cells follow from is missing or damaged.
    """
    if file.kind not in kinds:
        raise InvalidValueError(
            f"The kinds of cells are {', '.join(kinds)}; got {file.kind[:40]!r}; choose one."
        )
    cells = [
        _cell(file, kinds[file.kind], labels, settings, seed)
        for labels, settings in file.points()
        for seed in file.seeds
    ]
    return Sweep(file, tuple(cells))


def name_of(kind: str, config: Mapping[str, Any], data: Mapping[str, Any], code: str) -> str:
    """Return the name of a cell: the hash of all that its figures follow from."""
    told = {"kind": kind, "config": config, "data": data, "code": code}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]


def _cell(
    file: SweepFile, kind: CellKind, labels: Mapping[str, str], settings: Settings, seed: int
) -> SweepCell:
    try:
        found = kind.resolve(copy.deepcopy(settings), seed)
    except InvalidValueError as error:
        where = ", ".join(f"{name} = {value}" for name, value in labels.items()) or "its one point"
        raise InvalidValueError(f"The sweep {file.title!r} at {where}: {error}") from error
    # As it is written: tuples are lists.
    config = json.loads(json.dumps(found.config, allow_nan=False))
    code = code_of(found.rooms)
    return SweepCell(
        name=name_of(file.kind, config, found.data, code),
        kind=file.kind,
        labels=labels,
        seed=seed,
        config=config,
        data=dict(found.data),
        code=code,
        command=found.command,
    )


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    ours = FILES / f"{path}.toml"
    if str(path) in sweep_names():
        return ours
    if path.suffix == ".toml" or path.exists():
        raise MissingFileError(f"Expected a sweep file at {path}, found no file; check the path.")
    raise NotFoundError(
        f"Expected a TOML file or one of {', '.join(sweep_names())}; got {str(path)[:80]!r}."
    )


# -- parts of a file ------------------------------------------------------------------


def _check_values(found: Any, name: str, where: str = "") -> None:
    """Refuse what results cannot hold: dates, times, and numbers that are none or have no end."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            _check_values(value, name, f"{where}.{key}".lstrip("."))
    elif isinstance(found, list):
        for value in found:
            _check_values(value, name, where)
    elif not isinstance(found, str | int | float) or not (
        isinstance(found, str) or isfinite(found)
    ):
        raise InvalidValueError(
            f"{name}: expected texts, finite numbers, true or false, found {where} = {found}; "
            "correct it."
        )


def _seeds(found: Any, name: str) -> tuple[int, ...]:
    seeds = list(range(min(found, CELLS_MAX + 1))) if type(found) is int else found
    is_right = (
        isinstance(seeds, list)
        and len(seeds) > 0
        and all(type(seed) is int and 0 <= seed <= MAX_SEED for seed in seeds)
        and len(set(seeds)) == len(seeds)
    )
    if not is_right or len(seeds) > CELLS_MAX:
        raise InvalidValueError(
            f"{name}: seeds is how many there are, 1 or more and at most {CELLS_MAX:,}, or a list "
            f"of different ones, 0 or more; got {found!r:.60}."
        )
    return tuple(seeds)


def _flat_axes(found: Mapping[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    """Return axes by their dotted names, whether these were written with quotes or without."""
    axes: dict[str, Any] = {}
    for key, value in found.items():
        inner = isinstance(value, dict) and value
        own = _flat_axes(value, name, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
        if twice := [axis for axis in own if axis in axes]:
            raise InvalidValueError(
                f"{name}: expected each axis once, found {twice[0]} twice, with quotes and "
                "without; put its values into one list."
            )
        axes |= own
    return axes


def _axis(axis: str, found: Any, name: str) -> list[tuple[dict[str, str], Settings]]:
    if not isinstance(found, list) or not found:
        raise InvalidValueError(
            f"{name}: expected a list of values of the axis {axis}; got {found!r:.60}."
        )
    points = [_point(axis, one) for one in found]
    told = [tuple(sorted(labels.items())) for labels, _ in points]
    if twice := [labels for labels, count in Counter(told).items() if count > 1]:
        raise InvalidValueError(
            f"{name}: expected every value of the axis {axis} once; got {dict(twice[0])} twice; "
            "leave one out."
        )
    return points


def _check_apart(
    axes: Mapping[str, Sequence[tuple[Mapping[str, str], Settings]]], name: str
) -> None:
    """Refuse axes that overwrite one another's settings, or columns of the table."""
    columns = {
        axis: {one for labels, _ in points for one in labels} for axis, points in axes.items()
    }
    settings = {
        axis: {one for _, changes in points for one, _ in _leaves(changes)}
        for axis, points in axes.items()
    }
    for axis, own in columns.items():
        if taken := sorted(own.intersection(COLUMNS)):
            raise InvalidValueError(
                f"{name}: expected the axis {axis} under a name that a table does not have itself, "
                f"found {taken[0]!r}; give its values as tables with a label, under another name."
            )
    for first, second in combinations(axes, 2):
        if both := sorted(columns[first] & columns[second]):
            raise InvalidValueError(
                f"{name}: expected columns of its own for each axis, found {both[0]!r} of {first} "
                f"and {second}; give values of one of them as tables with a label."
            )
        for one, other in product(sorted(settings[first]), sorted(settings[second])):
            if f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}."):
                raise InvalidValueError(
                    f"{name}: expected that each axis changes something else, found {one} changed "
                    f"by {first} and {second}; take it out of one of them."
                )


def _point(axis: str, one: Any) -> tuple[dict[str, str], Settings]:
    if not isinstance(one, dict):
        return {axis.rpartition(".")[2]: label_text(one)}, _nested({axis: one})
    settings = dict(one)
    label = settings.pop("label", None)
    nested = _nested(settings)
    if label is not None:
        return {axis: label_text(label)}, nested
    return {key.rpartition(".")[2]: label_text(value) for key, value in _leaves(nested)}, nested


def _leaves(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def label_text(value: Any) -> str:
    """Return a value as a table shows it: as TOML and JSON write it, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def _nested(found: Mapping[str, Any]) -> Settings:
    """Return settings with every dotted name taken apart; a key with blanks is a name itself."""
    nested: Settings = {}
    for key, value in found.items():
        *sections, last = [key] if " " in key else key.split(".")
        inner: Any = _nested(value) if isinstance(value, dict) else value
        for section in reversed([*sections, last]):
            inner = {section: inner}
        _merge(nested, inner)
    return nested


def _merge(settings: Settings, changes: Mapping[str, Any]) -> None:
    """Put changes into settings, section by section."""
    for key, value in changes.items():
        there = settings.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            _merge(there, value)
        else:
            settings[key] = copy.deepcopy(value)
