"""What commands that need torch say where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from umnist_core.errors import MissingFileError


def check_torch() -> None:
    """Refuse to go on without the extra packages of models.

    Raises
    ------
    MissingFileError
        If one of them is not installed.
    """
    missing = [name for name in ("torch", "torchvision", "safetensors") if find_spec(name) is None]
    if missing:
        raise MissingFileError(
            f"Models need {' and '.join(missing)}, which this installation lacks; get it with "
            "pip install 'umnist[models]'."
        )
