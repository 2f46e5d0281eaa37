"""Which models browsers may ask of."""

from __future__ import annotations

from umnist_core.errors import NotFoundError
from umnist_core.models.cards import find_checkpoints
from umnist_core.settings import Settings


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
