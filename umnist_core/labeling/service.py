"""Studies: every change to one is decided, logged, and only then said to have happened."""

from __future__ import annotations

from functools import lru_cache

from umnist_core.labeling.annotating import Annotating
from umnist_core.labeling.managing import Managing
from umnist_core.settings import Settings, load_settings


class StudyService(Annotating, Managing):
    """The studies of one store.

    Every method is safe to call from many threads, and what it has returned from is on disk.
    Its arguments are those of `umnist_core.labeling.ledger.Ledger`.
    """


def open_service(settings: Settings | None = None) -> StudyService:
    """Return this process's service for the store that the settings name.

    Raises
    ------
    StoreError
        If the store cannot be opened.
    WriteError
        If the server's secret cannot be made.
    """
    return _open(settings or load_settings())


@lru_cache(maxsize=8)
def _open(settings: Settings) -> StudyService:
    from umnist_core.labeling.sql import open_log

    return StudyService(open_log(settings.database_url), settings.labeling_dir)
