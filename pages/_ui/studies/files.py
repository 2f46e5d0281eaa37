"""Checking a study, and taking it away as files."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages._ui.shared.offers import offer_file
from pages._ui.shared.studies import told
from pages._ui.shared.words import count
from pages._ui.studies.recruits import show_payments
from umnist_core.labeling.backup import write_backup
from umnist_core.labeling.freeze import find_damaged
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.verify import Verification, verify_log
from umnist_core.labeling.views import Overview

MOST_FAULTS = 20
"""Faults that are listed; nobody reads a thousand."""

TABLES = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}


def show_files(service: StudyService, one: Overview) -> None:
    """Draw what checks the study, exports it and backs all studies up."""
    left, right = st.columns(2, gap="large")
    with left:
        _show_check(service, one)
        _show_backup(service)
    with right:
        _show_export(service, one)
        show_payments(service, one)


def _show_check(service: StudyService, one: Overview) -> None:
    st.markdown("**Check**")
    st.caption(
        "Follows the chain of hashes through every event, and compares every frozen image with "
        "its checksum."
    )
    kept = f"verified_{one.study}"
    if st.button("Verify", key="verify"):
        st.session_state.pop(kept, None)
        with told(), st.spinner("Checking", show_time=True):
            found = verify_log(service.log, one.study)
            images = find_damaged(service.study_folder(one.study))
            faults = [*service.log.faults(), *found.faults, *images]
            st.session_state[kept] = _Check(datetime.now(UTC), found, tuple(faults))
    if kept in st.session_state:
        _show_checked(one, st.session_state[kept])


@dataclass(frozen=True)
class _Check:
    """What a verification found, and when; shown until the next."""

    when: datetime
    found: Verification
    faults: tuple[str, ...]


def _show_checked(one: Overview, check: _Check) -> None:
    if check.faults:
        st.error("\n".join(f"- {fault}" for fault in check.faults[:MOST_FAULTS]))
        if len(check.faults) > MOST_FAULTS:
            st.caption(f"And {count(len(check.faults) - MOST_FAULTS, 'more')}.")
    else:
        st.success(
            f"All is as it was logged: {count(check.found.events, 'event')}, "
            f"{count(one.spec.stimuli + one.spec.practice, 'image')}. Hash of the last event: "
            f"{check.found.head_hash}"
        )
    later = one.events - check.found.events
    since = f"; {count(later, 'event')} came after it" if later > 0 else ""
    st.caption(f"Checked {check.when:%Y-%m-%d %H:%M:%S} UTC{since}.")


def _show_export(service: StudyService, one: Overview) -> None:
    st.markdown("**Export**")
    st.caption(
        "One zip: the log, tables as CSV and Parquet with a codebook, consent and instructions, "
        "versions, and a script that recomputes every figure without umnist. It tells the truth "
        "of the images, once the study is closed also the key that they were drawn from, and no "
        "link opens by it."
    )
    images = st.checkbox("With the images", key="export_images")

    def make_export(target: Path) -> None:
        from umnist_core.labeling.export import export_study  # loads a good deal

        export_study(service, one.study, target, with_images=images)

    offer_file(f"export-{one.study}", "the export", f"umnist-{one.study}.zip", make_export)
    kind = st.segmented_control(
        "Tables alone",
        list(TABLES),
        format_func=TABLES.__getitem__,
        default="csv",
        required=True,
        key="export_kind",
    )

    def make_tables(target: Path) -> None:
        from umnist_core.labeling.export import export_tables

        with tempfile.TemporaryDirectory() as folder:
            tables = Path(folder) / "tables"
            export_tables(service, one.study, tables, kind=kind or "csv")
            shutil.make_archive(str(target.with_suffix("")), "zip", tables)

    name = f"umnist-{one.study}-{kind}.zip"
    offer_file(f"tables-{kind}-{one.study}", "the tables", name, make_tables)


def _show_backup(service: StudyService) -> None:
    st.markdown("**Back up**")
    st.caption(
        "All studies of this machine in one zip, as they are at one moment, while people go on. "
        "From a terminal: `umnist study backup`."
    )
    images = st.checkbox("With the images", value=True, key="backup_images")

    def make_backup(target: Path) -> None:
        write_backup(service.log, service.folder / "studies" if images else None, target)

    offer_file("backup", "a backup", "umnist-backup.zip", make_backup)
