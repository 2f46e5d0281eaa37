"""Studies: every change to one is decided, logged, and only then said to have happened."""

from __future__ import annotations

import atexit
import logging
import threading
from functools import lru_cache

from umnist_core.labeling.adjudication import Adjudicating
from umnist_core.labeling.annotating import Annotating
from umnist_core.labeling.log import EventLog
from umnist_core.labeling.surveying import Surveying
from umnist_core.settings import Settings, find_stray_studies, is_clone, load_settings

_log = logging.getLogger(__name__)

_open_logs: list[EventLog] = []
_lock = threading.Lock()


class StudyService(Annotating, Surveying, Adjudicating):
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


def close_services() -> None:
    """Close every store that `open_service` opened, so that all is in the files that are named.

    Done at the end of a process by itself; a server that a signal ends does it before.
    """
    with _lock:
        logs, _open_logs[:] = _open_logs[:], []
    _open.cache_clear()
    for log in logs:
        log.close()


atexit.register(close_services)


@lru_cache(maxsize=8)
def _open(settings: Settings) -> StudyService:
    from umnist_core.labeling.sql import open_log

    is_new = not settings.labeling_dir.exists()
    log = open_log(settings.database_url)
    with _lock:
        _open_logs.append(log)
    service = StudyService(log, settings.labeling_dir)
    if is_new:
        _tell_folder(settings)
    return service


def _tell_folder(settings: Settings) -> None:
    """Say where studies are kept, when a place that nobody chose is first used."""
    if is_clone() or settings.labeling_dir.parent != settings.data_dir:
        return
    stray = find_stray_studies()
    _log.warning(
        "Studies are kept in %s; set UMNIST_LABELING to keep them elsewhere.%s",
        settings.labeling_dir,
        f" Those of an earlier version are in {stray}: move what is in it there." if stray else "",
    )
