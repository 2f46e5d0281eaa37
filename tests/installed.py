"""umnist as a wheel, in an environment of its own that knows nothing of the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Installed:
    """An installed wheel.

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
        # What umnist depends on is shared with the tests: only folders named here are, and of
        # those no .pth file is read, so the clone is not on the path.
        return {**kept, **places, "PYTHONPATH": sysconfig.get_path("purelib")}

    def run(self, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``umnist`` in a user's home."""
        return subprocess.run(
            [self.umnist, *words],
            cwd=home,
            env=self.environment(home),
            capture_output=True,
            text=True,
            check=False,
        )


def install_wheel(folder: Path) -> Installed:
    """Build the wheel and install it into a new environment, without what it depends on."""
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = _run([sys.executable, "-c", build], ROOT)
    wheel = folder / built.split()[-1]
    _run([sys.executable, "-m", "venv", "--without-pip", "venv"], folder)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", str(wheel)]
    _run(pip, folder)
    packages = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_run([str(python), "-c", packages], folder).strip())
    return Installed(python, python.with_name("umnist"), site)


def _run(command: list[str], cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout
