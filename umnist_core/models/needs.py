"""What is said where the extra packages of models are not installed; nothing here needs them."""

from __future__ import annotations

from importlib.util import find_spec

from umnist_core.errors import MissingFileError

_PACKAGES = ("torch", "torchvision", "safetensors")


def needs_sentence() -> str:
    """Return what is missing for models and how to get it, in a sentence; empty if nothing is."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"Models need {' and '.join(missing)}, which this installation lacks; get it with "
        "pip install 'umnist[models]'."
    )


def check_torch() -> None:
    """Refuse to go on without the extra packages of models.

    Raises
    ------
    MissingFileError
        If one of them is not installed.
    """
    if sentence := needs_sentence():
        raise MissingFileError(sentence)
