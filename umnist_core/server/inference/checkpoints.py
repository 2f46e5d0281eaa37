"""Which models browsers may ask of, and where they run."""

from __future__ import annotations

from typing import Any

from umnist_core.errors import NotFoundError
from umnist_core.models.cards import find_checkpoints
from umnist_core.server.web.fields import get_text
from umnist_core.settings import Settings


def get_device(fields: dict[str, Any]) -> str:
    """Read the key of a device; whether there is one is for the pool to say.

    Raises
    ------
    InvalidValueError
        If it is no such text.
    """
    return get_text("device", fields, r"[0-9A-Za-z:]{1,40}")


def check_known(name: str, settings: Settings) -> str:
    """Return the name of a checkpoint that is here; a path would be a way to look for files.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    known = find_checkpoints(settings)
    if name not in known:
        raise NotFoundError(
            f"Expected the name of a checkpoint ({', '.join(known) or 'there is none'}), got "
            f"{name[:80]!r}; choose one of the list."
        )
    return name
