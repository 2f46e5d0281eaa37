"""Build the site of ``docs/`` with Sphinx: for the app to show, or all of it for ``scripts/docs``.

What the app shows lies in the package, where a wheel and a clone have it, and is built anew when
its sources have changed. Nothing of it loads anything from elsewhere.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANUAL = Path("umnist_core", "server", "site")
STAMP = "built-from.sha256"
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "umnist_core/__init__.py")
"""Files that pages of the site show parts of."""

_SOURCES = {".md", ".svg", ".png", ".json", ".ipynb", ".py", ".css"}


def fill_manual(root: Path) -> None:
    """Build the pages that the app shows, unless they are there from the same sources.

    Raises
    ------
    RuntimeError
        If Sphinx finds fault with a page.
    """
    target = root / MANUAL
    wanted = _fingerprint(root)
    if _built_from(target) == wanted:
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".site-") as name:
        made = Path(name) / "site"
        build_site(root, made)
        (made / STAMP).write_text(wanted + "\n", encoding="ascii")
        try:
            if target.exists():
                target.rename(Path(name) / "before")
            made.rename(target)
        except OSError:  # another build was quicker
            if _built_from(target) != wanted:
                raise


def build_site(root: Path, target: Path, *words: str) -> None:
    """Build the site into a folder.

    Parameters
    ----------
    root
        Of the clone.
    target
        Where to; a folder of an earlier build is gone on with.
    words
        For Sphinx, such as ``-t full``.

    Raises
    ------
    RuntimeError
        If Sphinx finds fault with a page.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        command += ["-c", str(root / "scripts" / "docs_site"), "-d", scratch, *words]
        finished = subprocess.run(
            [*command, str(root / "docs"), str(target)], capture_output=True, text=True, check=False
        )
    if finished.returncode != 0:
        raise RuntimeError(
            f"Expected Sphinx to build the documents, found fault with them; correct them:\n"
            f"{finished.stderr[-4000:]}"
        )
    for path in [*target.rglob("*.map"), target / ".buildinfo"]:  # for whoever debugs the theme
        path.unlink(missing_ok=True)


def _built_from(target: Path) -> str:
    stamp = target / STAMP
    return stamp.read_text(encoding="ascii").strip() if stamp.is_file() else ""


def _fingerprint(root: Path) -> str:
    """Return a name of all that the pages are made from."""
    digest = hashlib.sha256()
    folders = (root / "docs", root / "scripts" / "docs_site")
    sources = (path for folder in folders for path in folder.rglob("*") if path.suffix in _SOURCES)
    beside = (root / name for name in BESIDE)
    for path in sorted([*sources, *beside, root / "scripts" / "site_build.py"]):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Build all of it into the folder that is named, ``build/docs`` by default.

    With ``--app`` see that what the app shows is there; 1 if it is not and Sphinx neither.
    """
    word = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "docs")
    target = Path(word)
    try:
        if word == "--app":
            if find_spec("sphinx") is None:
                return int(_built_from(ROOT / MANUAL) != _fingerprint(ROOT))
            fill_manual(ROOT)
            return 0
        shutil.rmtree(target, ignore_errors=True)
        build_site(ROOT, target, "-t", "full")
    except RuntimeError as error:
        print(f"umnist: {error}", file=sys.stderr)
        return 1
    print(target / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
