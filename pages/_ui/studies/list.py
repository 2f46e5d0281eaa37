"""The list of studies, and those that are being made."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from pages._ui.shared.making import Making, forget, makings
from pages._ui.shared.studies import get_service, list_studies, open_study, told
from pages._ui.shared.words import STATUS_COLOURS, count, plain
from pages._ui.studies.form import open_form
from pages._ui.studies.replication import ask_replication
from pages._ui.studies.words import bars, day, duration
from umnist_core.labeling.views import Overview
from umnist_core.paths import expand_home

_IMPORTED = "study_imported"
_TAKEN = "studies_imported"
LARGEST_UPLOAD_MIB = 256

_LISTED = "makings_listed"
"""Key of the session under which makings stand that were over when the list was drawn."""

EMPTY = """\
There is no study yet. A study shows the same hidden-digit images to two groups of people, one \
with guidance and one without, and keeps every answer.

1. **Make one**: the settings are those of the paper, 1,000 images and 30 for each person.
2. **Invite people**: each gets a link, or all get the same one.
3. **Watch it fill**, close it, and read what came out under Results."""


def show_list() -> None:
    """Draw the list."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Studies", anchor=False)
        st.button("New study", type="primary", on_click=open_form, key="new_study")
    if makings():
        _show_makings()
    studies = list_studies(get_service())
    if not studies and not makings():
        st.markdown(EMPTY)
    for study in studies:
        _show_study(study)
    _show_import()


def _show_study(one: Overview) -> None:
    people = sum(pool.people for pool in one.pools)
    with st.container(border=True, gap="small"):
        left, right = st.columns([5, 6], vertical_alignment="center", gap="medium")
        with left:
            st.button(
                plain(one.spec.name),
                type="tertiary",
                key=f"open_{one.study}",
                on_click=open_study,
                args=(one.study,),
                help="Open this study",
            )
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge(one.status.capitalize(), color=STATUS_COLOURS[one.status])  # type: ignore[arg-type]
                if one.spec.is_self:
                    st.badge("self", color="violet")
                st.caption(
                    f"{count(people, 'person', 'people')} · {count(one.spec.stimuli, 'image')} · "
                    f"made {day(one.created_utc)}"
                    + (" · images can be guessed" if one.is_guessable else "")
                )
        right.html(bars(one.pools))


@st.fragment(run_every="1s")
def _show_makings() -> None:
    """Draw how far studies are that are being made; the page is drawn anew when one is done."""
    listed: set[int] = st.session_state.setdefault(_LISTED, set())
    for making in makings():
        if making.study is not None and making.number not in listed:
            listed.add(making.number)
            if not making.said:
                forget(making)
            st.rerun(scope="app")
        _show_making(making)
    if not makings():
        st.rerun(scope="app")


def _show_making(making: Making) -> None:
    if making.is_over:
        _show_outcome(making)
        return
    left_s = making.seconds_left
    told = f"Freezing the images of “{plain(making.name)}”: {making.done:,} of {making.total:,}"
    if not making.total:
        told = f"Checking what “{plain(making.name)}” is made from"
    if making.is_cancelled:
        told = f"Cancelling “{plain(making.name)}”"
    elif left_s is not None:
        told += f", about {duration(left_s)} left"
    st.progress(making.share, told)
    st.button(
        "Cancel",
        key=f"cancel_{making.number}",
        on_click=making.cancel,
        disabled=making.is_cancelled,
        help="Nothing of it is kept.",
    )


def _show_outcome(making: Making) -> None:
    """Draw why a study could not be made, or what there is to say of the images of one that was."""
    name = plain(making.name)
    if making.error is not None:
        st.error(f"“{name}” could not be made. {making.error}")
    else:
        st.info("\n\n".join([f"“{name}” is made.", *making.said]))
    st.button("Understood", key=f"forget_{making.number}", on_click=forget, args=(making,))


def _show_import() -> None:
    """Draw what takes in a study that was exported elsewhere."""
    if name := st.session_state.pop(_IMPORTED, None):
        st.success(f"“{plain(name)}” was checked and taken in.")
    with st.expander("Import a study"):
        # Another key after each: Streamlit holds an upload in memory as long as its widget.
        taken = st.session_state.get(_TAKEN, 0)
        uploaded = st.file_uploader(
            "Zip that was made by “Export”",
            type=["zip"],
            key=f"import_zip_{taken}",
            max_upload_size=LARGEST_UPLOAD_MIB,
        )
        path = st.text_input(
            "or its path on this machine",
            key=f"import_path_{taken}",
            help=f"For files of more than {LARGEST_UPLOAD_MIB} MiB; as `umnist study import`.",
        )
        is_given = bool(uploaded or path)
        with st.container(horizontal=True):
            wanted = st.button("Check and take in", key="import", disabled=not is_given)
            again = st.button(
                "Make a replication of it",
                key="replicate",
                disabled=not is_given,
                help="A new study with the same images, texts and settings, which nobody has "
                "answered. The study itself is not taken in.",
            )
        if not is_given or not (wanted or again):
            return
        with told(), TemporaryDirectory() as folder:
            if uploaded is None:
                source = expand_home(path)
            else:
                source = Path(folder) / "study.zip"
                source.write_bytes(uploaded.getbuffer())
            if wanted:
                _import(source, taken)
            else:
                ask_replication(source)


def _import(source: Path, taken: int) -> None:
    """Take a study in, and draw the page anew."""
    from umnist_core.labeling.importing import import_study  # loads a good deal

    service = get_service()
    with st.spinner("Checking", show_time=True):
        study = import_study(service, source)
    st.session_state[_IMPORTED] = service.overview(study).spec.name
    st.session_state[_TAKEN] = taken + 1
    st.rerun()
