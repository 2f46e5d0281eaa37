"""What is said where the extra packages of models are not installed; nothing here needs them."""

from __future__ import annotations

from importlib.util import find_spec

from umnist_core.errors import MissingFileError
from umnist_core.settings import is_clone

INSTALL = (
    "in the clone, run .venv/bin/pip install -e '.[models]'"
    if is_clone()
    else "run pip install 'umnist[models]'"
)
"""What brings them."""

_PACKAGES = ("torch", "torchvision", "safetensors")


def needs_sentence() -> str:
    """Return what is missing for models and how to get it, in a sentence; empty if nothing is."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if not missing:
        return ""
    *others, last = missing
    names = f"{', '.join(others)} and {last}" if others else last
    return f"Models need {names}, which this installation lacks; {INSTALL}."


def check_torch() -> None:
    """Refuse to go on without the extra packages of models.

    Raises
    ------
    MissingFileError
        If one of them is not installed.
    """
    if sentence := needs_sentence():
        raise MissingFileError(sentence)
