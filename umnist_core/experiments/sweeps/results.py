"""What a sweep leaves: one small JSON file for each cell, whole or not there.

A folder of a sweep
-------------------
``sweep.toml``, ``plan.json``
    The file that it was begun with, and what that came to: ``title``, ``kind``, ``about``,
    ``published`` (a key of the published results), ``size``, ``needs``, and as ``cells`` all of
    its cells in order, each with ``name``, ``labels`` and ``seed``. A result whose name is not
    among these is stale: of other code, data or settings. Two points may have one cell.
``cells/NAME.json``
    The result of a cell; the format is below.
``leases/NAME.N``
    Somebody works on a cell (`umnist_core.experiments.sweeps.leases`).
``work/NAME/``
    What a cell keeps while it runs, such as the state of a training; it goes with the result.

Shipped results are such folders without ``leases`` and ``work``, in
``umnist_core/experiments/results/SWEEP/``.

A result
--------
``format``
    `FORMAT`.
``name``
    16 hexadecimal digits: the hash of ``kind``, ``config``, ``data`` and ``code``.
``status``
    ``"done"`` or ``"failed"``.
``kind``
    ``"evaluate"``, ``"train"``, ``"attend"`` or ``"probe"``.
``labels``
    Axis of the sweep -> this cell's value on it, both texts; what a table has columns of. The
    cells of one point differ in the seed alone.
``seed``
    Whole number.
``config``
    All that the cell follows from, every default included. Of ``evaluate``: ``checkpoint``,
    ``preset``, ``overrides``, ``seed``, ``split``, ``first``, ``count``, ``layer`` (as
    `umnist_core.scenes.SceneRef` takes them; image ``n`` has the index ``figures.index[n]``),
    ``batch_size`` and ``device``; of ``attend`` the same. Of ``train``: ``training``, a whole
    training configuration (`umnist_core.training.config`), ``test``, the images of the test,
    ``tests``, the overrides of further ones, and ``train_measured``.
``data``
    What it was made from, by content: ``digits``, ``digits_sha256``, ``stand_in``, and of a
    checkpoint ``checkpoint_sha256``; of folders ``folder_sha256``.
``code``
    16 hexadecimal digits of the source files that matter, without comments and docstrings.
``command``
    The command line that makes this cell again.
``figures``
    What came out, by kind, below; empty if it failed. A number that is none is None.
``error``
    The sentence of a failure; empty if it is done.
``attempts``
    How many times it was begun and ended, 1 or more.
``cost``
    ``seconds``, ``cpu_seconds``, ``peak_bytes``, ``device``, ``hardware``, ``threads``,
    ``started_utc``, ``ended_utc`` and ``versions``. Of these alone two runs of a cell differ.

Figures of ``evaluate``
-----------------------
``index``
    Indices of the images that were answered, in order.
``not_drawn``
    Indices of scenes that cannot be, since their digits find no place.
``tasks``
    Task -> ``images``, ``right``, and as lists in the order of ``index`` ``said`` and ``true``: a
    whole number, or a text such as ``"1 4 7"`` where several classes may be right. An image is
    missed where the two differ.
``confidence``
    List, 0 to 1, of the first task.
``warnings``
    List of texts, the kinds of doubts of an image with blanks between; None of a model that has
    none.
``by``
    Quantity -> rows of ``from`` and ``below`` (None: no end), or of ``value``, with ``images`` and
    ``right`` in the first task: ``smallest_side_px``, ``digits`` (how many) and ``true`` (class).
``digits``
    Empty of models that find no digits. Else ``digits`` and ``right``, and ``by_side_px`` (rows of
    ``from``, ``below``, ``digits`` and ``right``) and ``by_class`` (rows of ``value``, 0 to 9,
    with ``digits`` and ``right``). Right is a digit whose box was found and whose class was read.
``seconds_per_image``, ``model_seconds_per_image`` are in ``cost``.

Figures of ``train``
--------------------
``epochs``
    A row for each, in order: ``epoch`` (from 1), ``learning_rate``, ``running_loss`` (the mean of
    the steps, as the net changed), and ``train``, ``validation`` and ``test``, each with
    ``images``, ``loss`` and ``right`` (task -> right answers). All three are measured in evaluation
    mode with the weights at the end of the epoch; ``train`` on the first ``train_measured``
    training images. A loss that is no number is None.
``first``, ``best``, ``final``
    Rows of ``epochs``. Best is by validation, never by test.
``chosen_by``
    ``"accuracy"`` or ``"loss"``, of the validation images.
``answers``
    What the weights at the end say of each image of the test, as of ``evaluate``, whose scenes are
    those of ``config.test``; and ``ids`` of images of a folder, else None.
``tests``
    Name of a further test -> the same of it; empty unless the sweep has some.
``batch_size``, ``parameters``, ``weights``, ``precision``
    Images of a step, numbers that are learned, where the weights are from, and what was computed
    with.
``course``
    For a model with a course of its own (``recipe``), which has lessons instead of epochs: its
    history, or empty. It has ``answers``, and no epochs: ``first``, ``best`` and ``final`` are
    None.

Figures of ``attend``
---------------------
``index``, ``not_drawn``
    As of ``evaluate``.
``by_image``
    Lists in the order of ``index``: ``digits``, ``noise`` and ``blank``, shares of the model's
    attention on places with ink of a digit, else with ink of noise, else with nothing; the same
    with ``_chance`` behind, the shares of such places in the image; ``ink`` and ``ink_chance``, of
    the digits' ink itself; and ``pointing`` (`umnist_core.attention.compare`).

Figures of ``probe``
--------------------
``answer``
    A number that follows from the configuration; for measurements and tests of the engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json

FORMAT = 1

DONE, FAILED = "done", "failed"

CELLS, LEASES, WORK = "cells", "leases", "work"
"""Folders of a sweep's folder."""

SWEEP_FILE, PLAN_FILE = "sweep.toml", "plan.json"

COST_COLUMNS = ("seconds", "cpu_seconds", "peak_bytes", "hardware")
"""Of a table, in which two runs of one sweep differ."""

COLUMNS = (
    *("task", "part", "at", "seeds", "failed", "missing", "images", "right", "mean", "sd"),
    *("low", "high", "interval", "loss", *COST_COLUMNS),
)
"""Of a table, behind the axes; `umnist_core.experiments.sweeps.tables` explains them."""

SHIPPED = Path(__file__).resolve().parents[1] / "results"
"""The results that come with the package, a folder each."""


@dataclass(frozen=True)
class CellResult:
    """The result of a cell; the module's text explains every field."""

    name: str
    status: str
    kind: str
    labels: Mapping[str, str]
    seed: int
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    code: str
    command: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    attempts: int = 1
    cost: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether there are figures."""
        return self.status == DONE

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {"format": FORMAT, **asdict(self)}


def result_path(folder: Path, name: str) -> Path:
    """Return where the result of a cell lies."""
    return folder / CELLS / f"{name}.json"


def save_result(folder: Path, result: CellResult) -> None:
    """Write the result of a cell; one that is there is replaced whole.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    text = json.dumps(result.to_dict(), allow_nan=False, separators=(",", ":"))
    write_whole(result_path(folder, result.name), (text + "\n").encode())


def find_result(folder: Path, name: str) -> CellResult | None:
    """Return the result of a cell; None where there is none.

    Raises
    ------
    DamagedFileError
        If the file is no result.
    """
    path = result_path(folder, name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return _read(path, data)


def iter_results(folder: Path) -> Iterator[CellResult]:
    """Yield all results of a sweep's folder, by their names; those of earlier code, too.

    Raises
    ------
    MissingFileError
        If it is no such folder.
    DamagedFileError
        If a file of it is no result.
    """
    cells = folder / CELLS
    if not cells.is_dir():
        raise MissingFileError(
            f"Expected the folder of a sweep at {folder}, found no {CELLS} in it; run "
            "`umnist sweep` first, or correct the path."
        )
    for path in sorted(cells.glob("[!.]*.json")):
        yield _read(path, path.read_bytes())


def _read(path: Path, data: bytes) -> CellResult:
    try:
        found = dict(parse_json(data))
        number = found.pop("format")
        if number != FORMAT:
            raise ValueError(f"format {number}")
        result = CellResult(**found)
        if result.name != path.stem or result.status not in (DONE, FAILED):
            raise ValueError(f"name {result.name!r:.40}, status {result.status!r:.20}")
        parts = (result.labels, result.config, result.data, result.figures, result.cost)
        if not all(isinstance(one, Mapping) for one in parts):
            raise ValueError("labels, settings, data, figures or cost without names")
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path}: expected the result of a cell of a sweep, found something else "
            f"({str(error)[:100]}); remove it, and the cell is run again."
        ) from error
    return result
