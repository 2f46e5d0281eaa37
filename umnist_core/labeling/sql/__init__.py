"""Studies in SQLite or PostgreSQL; the only place that knows SQLAlchemy.

Nothing here loads it before a store is opened, so the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from umnist_core.labeling.sql.store import SqlLog


def open_log(url: str) -> SqlLog:
    """Open the store at an address; a new one is made and an older one brought up to date.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, whose folder is made if it is not there, or
        ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Returns
    -------
    SqlLog
        Safe to use from many threads; close it when done.

    Raises
    ------
    InvalidValueError
        If the address is of another kind.
    MissingFileError
        If PostgreSQL's driver is not installed.
    StoreError
        If nothing answers there, it cannot be written, it holds something else, or it was
        made by a newer version.
    """
    from umnist_core.labeling.sql.store import SqlLog

    return SqlLog(url)
