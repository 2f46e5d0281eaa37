"""The notebooks of the documents run from top to bottom in a real kernel, and hold no outputs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))
PICTURES = {"analyse-a-study": 0, "make-and-look": 4, "tune-the-noise": 3, "watch-a-model": 5}
"""How many outputs of each are, or have beside a widget, a picture."""


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def test_there_is_a_notebook_for_each_way_of_working() -> None:
    """Make and look, tune the noise, analyse a study, watch a model."""
    assert {path.stem for path in NOTEBOOKS} == set(PICTURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    """What it shows is made by whoever runs it."""
    code = [cell for cell in _read(path).cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    """No cell fails or writes to the error stream, and every record shows a picture."""
    notebook = _read(path)
    environment = {**os.environ, "PYTHONPATH": str(DOCS.parents[1])}
    environment["IPYTHONDIR"] = str(tmp_path / "ipython")
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment)
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    assert [one.text for one in outputs if one.get("name") == "stderr"] == []
    pictures = [one for one in outputs if "image/png" in one.get("data", {})]
    assert len(pictures) == PICTURES[path.stem]
