"""The studies of this machine, for pages: opened once, or one sentence and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from pages._ui.shared.words import mark
from umnist_core.errors import NotFoundError, UmnistError
from umnist_core.labeling.service import StudyService, open_service
from umnist_core.labeling.views import Overview

STUDY = "study"
"""Parameter of the address that names the study a page is about."""


def get_service() -> StudyService:
    """Return the service; ends the run with a sentence if the store cannot be opened."""
    try:
        return open_service()
    except UmnistError as error:
        _stop(error)


def list_studies(service: StudyService) -> list[Overview]:
    """Return all studies: open ones first, then paused and closed ones, the newest first."""
    try:
        found = [service.overview(study) for study in service.studies()]
    except UmnistError as error:
        _stop(error)
    order = {"open": 0, "paused": 1, "closed": 2}
    found.sort(key=lambda one: one.created_utc, reverse=True)
    return sorted(found, key=lambda one: order[one.status])


def asked_study() -> str | None:
    """Return the study that the address names."""
    return st.query_params.get(STUDY)


def open_study(study: str | None) -> None:
    """Go to a study, or to the list of them; a callback."""
    if study is None:
        st.query_params.pop(STUDY, None)
    else:
        st.query_params[STUDY] = study


@contextmanager
def told() -> Iterator[None]:
    """Show an error of what is done within as a sentence, and go on."""
    try:
        yield
    except UmnistError as error:
        st.error(str(error))


def show_mark(one: Overview) -> None:
    """Say whose data a study has beside those of invited people, if it has any."""
    if one.spec.is_self:
        st.markdown(":violet[self: a study of oneself, never pooled with others]")
    elif marked := mark(one.pools):
        st.markdown(f":violet[Not all data are of invited people: {marked}]")


def _stop(error: UmnistError) -> NoReturn:
    st.error(str(error))
    st.stop()


def find_overview(service: StudyService, study: str) -> Overview | None:
    """Return a study; None, with a sentence on the page, if there is no such study."""
    try:
        return service.overview(study)
    except NotFoundError as error:
        st.warning(str(error))
        return None
    except UmnistError as error:
        _stop(error)
