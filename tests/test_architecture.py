"""The shape of the code: who may import whom, how long things may be, what may be tracked."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LONGEST_FILE = 500
LONGEST_FUNCTION = 40
LARGEST_TRACKED_BYTES = 2_000_000
LARGEST_CHECKPOINT_BYTES = 10_000_000

NEEDS_MORE = (
    r"__main__$|\.(labeling\.sql\.|hardware|models|rendering_torch|training)"
    r"|\.inference\.(doubts|predictor|sight|why)$"
    r"|\.bench\.(data|durability|inference|ips|label_server|study)$"
    r"|\.bench\.gpu\.(agreement|live|recipes|small_state|step)$"
)
"""Modules that may load torch or SQLAlchemy; they are imported when they are asked for."""

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[!_]*.py"))

LONGER_FOR_A_REASON: dict[str, str] = {}
"""``path`` or ``path::function`` -> why it may be longer than the limits."""

# Written so that the patterns do not match themselves.
REGISTRY_HOST = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|conda\.anaconda\.org")
MACHINE_PATH = re.compile(r"(?<![\w.:])/(?:work|root|home|Users|opt|tmp)/\w")


def _files_of_the_project() -> list[Path]:
    """Return what git tracks and what it would add: everything but ignored files."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in output.split("\0") if name]
    return [path for path in paths if path.is_file()]


def _python_files() -> list[Path]:
    return [path for path in _files_of_the_project() if path.suffix == ".py"]


def _code_files() -> list[Path]:
    suffixes = {".py", ".js", ".mjs", ".css"}
    return [path for path in _files_of_the_project() if path.suffix in suffixes]


def _texts() -> Iterator[tuple[str, str]]:
    for path in _files_of_the_project():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT).as_posix(), content.decode()


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _loaded_after(code: str, packages: tuple[str, ...]) -> list[str]:
    """Return which of ``packages`` a fresh interpreter has loaded after running ``code``."""
    report = f"import sys, json; print(json.dumps([p for p in {packages!r} if p in sys.modules]))"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    loaded: list[str] = json.loads(result.stdout)
    return loaded


def test_no_two_classes_of_the_package_have_one_name() -> None:
    """One word, one thing: whoever meets a class's name knows which one is meant."""
    homes: dict[str, list[str]] = {}
    for path in _python_files():
        place = path.relative_to(ROOT)
        if place.parts[0] in ("umnist_core", "pages"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    homes.setdefault(node.name, []).append(f"{place}:{node.lineno}")
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_imports_point_down_only() -> None:
    """Every contract of import-linter in pyproject.toml holds."""
    # In a process of its own: it switches off every logger that there is.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_title_and_a_room_and_enters_no_other(page: str) -> None:
    """Script and room import the room itself and what pages share, and no script."""
    room = ROOT / "pages" / "_ui" / page
    imported = set()
    for path in (ROOT / "pages" / f"{page}.py", *room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Import):
                imported |= {one.name for one in node.names}
    allowed = tuple(f"pages._ui.{one}." for one in (page, "shared"))
    of_pages = {name for name in imported if name.partition(".")[0] == "pages"}
    assert {name for name in of_pages if not name.startswith(allowed)} == set()
    assert (room / "__init__.py").is_file()
    assert f'    "{page}": "' in (room.parent / "shell.py").read_text()


def test_importing_every_module_leaves_the_heavy_libraries_out() -> None:
    """Only models need torch, only the store needs SQLAlchemy, and nothing needs Streamlit."""
    package = ROOT / "umnist_core"
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in package.rglob("*.py")]
    modules = sorted(".".join(one).removesuffix(".__init__") for one in parts)
    light = [name for name in modules if not re.search(NEEDS_MORE, name)]
    code = f"import importlib\nfor name in {light}: importlib.import_module(name)"
    # The last of these is there to show that the walk came through.
    names = ("torch", "sqlalchemy", "streamlit", "umnist_core.cli.app")
    assert _loaded_after(code, names) == ["umnist_core.cli.app"]


def test_rendering_loads_no_more_than_numpy_and_opencv() -> None:
    """A GPU machine that has only the usual PyTorch image can plan and draw scenes."""
    others = ("click", "pandas", "PIL", "plotly", "pooch", "pyvips", "sklearn", "starlette", "tqdm")
    assert _loaded_after("import umnist_core.scenes, umnist_core.rendering", others) == []


def test_functions_are_short() -> None:
    """No function's body is longer than 40 lines, but for the listed reasons."""
    too_long = []
    for path in _python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(ROOT).as_posix()}::{node.name}"
                if _body_lines(node) > LONGEST_FUNCTION and name not in LONGER_FOR_A_REASON:
                    too_long.append(f"{name}: {_body_lines(node)} lines")
    assert too_long == []


def test_files_are_short() -> None:
    """No Python, JavaScript or style sheet exceeds 500 lines, but for the listed reasons."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in _code_files()
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert {name for name in too_long if name not in LONGER_FOR_A_REASON} == set()


def test_exceptions_to_the_lengths_still_exist() -> None:
    """A listed exception that is no longer in the code is taken off the list."""
    for name in LONGER_FOR_A_REASON:
        path, _, function = name.partition("::")
        assert (
            f"def {function}" in (ROOT / path).read_text() if function else (ROOT / path).exists()
        )


def test_tracked_files_are_small() -> None:
    """No data set and no build output is tracked by accident."""
    sizes = {path: path.stat().st_size for path in _files_of_the_project()}
    large = {
        path.name: size
        for path, size in sizes.items()
        if size > LARGEST_TRACKED_BYTES
        and not (path.suffix == ".safetensors" and size <= LARGEST_CHECKPOINT_BYTES)
    }
    assert large == {}


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, MACHINE_PATH], ids=["registry", "path"])
def test_files_name_no_registry_and_no_path_of_one_machine(pattern: re.Pattern[str]) -> None:
    """A clone works wherever it is and from whichever mirror its packages come."""
    named = [
        f"{name}: {match.group()}" for name, text in _texts() for match in pattern.finditer(text)
    ]
    assert named == []


def test_lock_files_hold_no_download_addresses() -> None:
    """Npm takes packages from the registry that is configured, and checks their hashes."""
    locks = {name: text for name, text in _texts() if name.endswith("package-lock.json")}
    assert locks, "Expected the viewer's package-lock.json, found none."
    for text in locks.values():
        packages = json.loads(text)["packages"]
        assert all("resolved" not in package for package in packages.values())
        assert all("integrity" in package for name, package in packages.items() if name)
