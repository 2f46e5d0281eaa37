"""umnist as a wheel and as an sdist, in environments that know nothing of the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OTHER_PYTHONS = ("3.12", "3.13")

PACKAGES = sysconfig.get_path("purelib")
"""What umnist depends on is shared with the tests: of a folder that is named on the path no .pth
file is read, so the clone is not on it."""


@dataclass(frozen=True)
class Installed:
    """An installation.

    Attributes
    ----------
    python, umnist
        The environment's own commands.
    site
        Its folder of packages.
    """

    python: Path
    umnist: Path
    site: Path

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables of a user with a home of their own."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("UMNIST_")}
        places = {"HOME": str(home), "TMPDIR": str(home), "XDG_DATA_HOME": str(home / "data")}
        return {**kept, **places, "PYTHONPATH": PACKAGES}

    def run(self, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``umnist`` in a user's home."""
        return self._run(home, str(self.umnist), *words)

    def run_python(self, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python in a user's home."""
        return self._run(home, str(self.python), *words)

    def _run(self, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment(home)
        return subprocess.run(
            command, cwd=home, env=environment, capture_output=True, text=True, check=False
        )


def build(kind: str, folder: Path, source: Path = ROOT) -> Path:
    """Build a ``wheel`` or an ``sdist`` into a folder, with what the tests have.

    No registry is asked: what npm and Sphinx make is there, or it fails.
    """
    code = f"from hatchling.build import build_{kind} as b; print(b({str(folder)!r}))"
    offline = {"npm_config_registry": "http://127.0.0.1:9"} if source != ROOT else {}
    return folder / _run([sys.executable, "-c", code], source, offline).split()[-1]


def install(package: Path, folder: Path, python: str = sys.executable) -> Installed:
    """Install a built package into a new environment, without what it depends on."""
    _run([python, "-m", "venv", "--without-pip", "venv"], folder)
    inner = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(inner), "install"]
    # An sdist is built on the way, with the requirements that the tests have.
    _run(
        [*pip, "--no-deps", "--no-build-isolation", str(package)], folder, {"PYTHONPATH": PACKAGES}
    )
    packages = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_run([str(inner), "-c", packages], folder).strip())
    return Installed(inner, inner.with_name("umnist"), site)


def install_wheel(folder: Path) -> Installed:
    """Build the wheel and install it into a new environment, without what it depends on."""
    return install(build("wheel", folder), folder)


def find_python(version: str) -> str | None:
    """Return a Python of a version, on the path or kept by pyenv; None where there is none."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for candidate in (f"python{version}", *map(str, kept.glob(f"{version}.*/bin/python"))):
        code = f"import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
        try:
            done = subprocess.run([candidate, "-c", code], check=False, capture_output=True)
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def _run(command: list[str], cwd: Path, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
