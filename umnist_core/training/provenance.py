"""What a run's figures depend on beside its configuration and hardware: commit, versions."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from umnist_core import __version__

_PACKAGES = ("numpy", "opencv-python-headless", "safetensors", "torch", "torchvision")


def find_commit() -> str:
    """Return the commit of this clone, with ``+`` if files were changed; empty without git."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no", "umnist_core"],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + ("+" if changes else "")


def find_versions() -> dict[str, str]:
    """Return the versions of what computes."""
    found = {"umnist": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
