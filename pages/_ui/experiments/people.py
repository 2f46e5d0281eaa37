"""People against models on the same images: from a study or its export, and predictions."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st

from pages._ui.experiments.figures import chart_figure, heat_figure, told_of
from pages._ui.experiments.loading import colours_here
from pages._ui.experiments.people_charts import (
    accuracy_chart,
    breakdown_chart,
    breakdowns_of,
    consistency_heat,
    reason_chart,
)
from pages._ui.experiments.people_looks import looks_html
from pages._ui.experiments.rows import rows_html
from pages._ui.shared.studies import get_service, list_studies
from umnist_core.errors import UmnistError
from umnist_core.experiments.drawing.chart import SeriesChart
from umnist_core.experiments.people import (
    ModelAnswers,
    PeopleData,
    PeopleReport,
    compare_people,
    people_of_tables,
    read_predictions,
    report_html,
    report_tables,
)
from umnist_core.experiments.people.plots import ability_chart
from umnist_core.labeling.export import read_tables
from umnist_core.labeling.exported import read_export

_UPLOAD = "An export"
_REPORT = "experiments_people"
_SAME = "experiments_people_of"

_MIB = 200


def show_people() -> None:
    """Draw the choice of a study and of predictions, and what comes out."""
    st.html(
        '<p class="umnist-about">People and models on the same images only, paired by the hash of '
        "their pixels. Predictions are what <code>umnist people predict</code>, <code>umnist "
        "evaluate --answers</code> and <code>umnist predict --out</code> write.</p>"
    )
    with st.container(horizontal=True, vertical_alignment="top"):
        study, export = _choose_study()
        files = st.file_uploader(
            "Predictions", type=["csv"], accept_multiple_files=True, max_upload_size=_MIB
        )
    if study is None and export is None:
        st.info(
            "Choose a closed study, or upload what `umnist study export` wrote, to see people here."
        )
        return
    key = _key(study, export, files)
    if st.session_state.get(_SAME) != key:
        st.session_state.pop(_REPORT, None)
    if st.button("Compare", type="primary", key="people_compare"):
        _compare(study, export, files, key)
    report = st.session_state.get(_REPORT)
    if report is not None:
        _show_report(report)


def _choose_study() -> tuple[str | None, Any]:
    """Return the id of a closed study, or an uploaded export."""
    closed = {one.study: one for one in list_studies(get_service()) if one.status == "closed"}
    with st.container():
        options = [*closed, _UPLOAD]
        chosen = st.selectbox(
            "Study",
            options,
            format_func=lambda one: closed[one].spec.name if one in closed else one,
            key="people_study",
            help="Open studies are not compared: who looks before the end is tempted to stop.",
        )
        if chosen != _UPLOAD:
            return chosen, None
        return None, st.file_uploader("Export of a study", type=["zip"], max_upload_size=_MIB)


def _key(study: str | None, export: Any, files: Sequence[Any]) -> str:
    told = [study or "", *(one.file_id for one in ([export] if export else [])), "|"]
    return hashlib.sha256(" ".join([*told, *(one.file_id for one in files)]).encode()).hexdigest()


def _compare(study: str | None, export: Any, files: Sequence[Any], key: str) -> None:
    bar = st.progress(0.0, "Comparing")

    def tell(done: int, of: int) -> None:
        bar.progress(done / of, f"Comparing, step {done} of {of}")

    try:
        with TemporaryDirectory(prefix="umnist-") as folder:
            people = _read_people(study, export, Path(folder))
            models = [_read_model(one, Path(folder)) for one in files]
        report = compare_people(people, models, progress=tell)
    except UmnistError as error:
        st.error(str(error))
        return
    finally:
        bar.empty()
    st.session_state[_REPORT] = report
    st.session_state[_SAME] = key


def _read_people(study: str | None, export: Any, folder: Path) -> PeopleData:
    if study is not None:
        service = get_service()
        service.note_seen(study, "page")
        tables = read_tables(service.log, study)
        return people_of_tables(
            tables["answers"],
            tables["digits"],
            tables["stimuli"],
            tables["traces"],
            service.overview(study).spec.name,
        )
    path = folder / "export.zip"
    path.write_bytes(export.getvalue())
    return read_export(path)


def _read_model(file: Any, folder: Path) -> ModelAnswers:
    # The name of the file is that of the model, where the table does not say it.
    path = folder / Path(str(file.name)).name
    path.write_bytes(file.getvalue())
    return read_predictions(path)


# -- what came out --------------------------------------------------------------------


def _show_report(report: PeopleReport) -> None:
    figures = report.to_dict()
    told = "".join(f"<li>{escape(one)}</li>" for one in figures.get("sentences", ()))
    st.html(f'<ul class="umnist-told">{told}</ul>')
    for sentence in figures["left_out"]:
        st.caption(sentence)
    with st.container(key="people_files", horizontal=True):
        st.download_button(
            "Report (HTML, printable)", report_html(report), "people-and-models.html", "text/html"
        )
        st.download_button("Tables (CSV)", _zipped(report), "people-and-models.zip")
    left, right = st.columns(2, gap="medium")
    with left:
        _chart("Accuracy, on the same images", accuracy_chart(figures))
        _by_quantity(figures)
        if figures["scale"] is not None:
            _chart("Ability, on one scale", ability_chart(figures["scale"]["rasch"]))
    with right:
        _consistency(figures)
        _chart("Why answers were wrong", reason_chart(figures))
        st.html(looks_html(figures))
    _tests(figures)


def _zipped(report: PeopleReport) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in report_tables(report).items():
            pack.writestr(name, text)
    return file.getvalue()


def _chart(title: str, chart: SeriesChart | None) -> None:
    if chart is None:
        return
    colours, is_dark = colours_here()
    st.html(f"<h3>{escape(title)}</h3>")
    st.plotly_chart(
        chart_figure(chart, colours, is_dark=is_dark),
        key=f"people_{title}",
        config={"displayModeBar": False},
        alt=f"{title}. {told_of(chart)}",
    )


def _by_quantity(figures: dict[str, Any]) -> None:
    names = breakdowns_of(figures)
    if not names:
        return
    chosen = st.selectbox(
        "Accuracy by", names, format_func=lambda one: one.replace("_", " "), key="people_by"
    )
    _chart(f"By {chosen.replace('_', ' ')}", breakdown_chart(figures, chosen))


def _consistency(figures: dict[str, Any]) -> None:
    heat = consistency_heat(figures)
    if heat is None:
        return
    colours, _ = colours_here()
    st.html("<h3>Error consistency (kappa)</h3>")
    st.plotly_chart(
        heat_figure(heat, colours),
        key="people_kappa",
        config={"displayModeBar": False},
        alt=heat.title,
    )
    groups = figures["consistency"]["groups"]
    rows = [
        [
            one["kind"] + (f", {one['model']}" if one.get("model") else ""),
            _number(one["kappa"]),
            _ends(one, "low", "high"),
            _ends(one, "null_low", "null_high"),
        ]
        for one in groups
    ]
    st.html(rows_html(("Pairs", "Kappa", "95 %", "If independent"), rows, "Error consistency"))


def _tests(figures: dict[str, Any]) -> None:
    tests = [one for one in figures["paired_tests"] if one["kind"] != "person-person"]
    if not tests:
        return
    rows = [
        [
            f"{one['a']} less {one['b']}",
            str(one["images"]),
            f"{100 * one['difference']:+.1f} points",
            f"{100 * one['low']:+.1f} to {100 * one['high']:+.1f}",
            _number(one["p_value"]),
        ]
        for one in tests
        if one["low"] is not None
    ]
    heads = ("Pair", "Same images", "Difference", "95 %", "p, exact McNemar")
    with st.expander(f"{len(rows)} paired tests"):
        st.html(rows_html(heads, rows, "Paired tests"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value >= 0.01 or value < 0 else f"{value:.1g}"


def _ends(row: dict[str, Any], low: str, high: str) -> str:
    return "none" if row[low] is None else f"{row[low]:.2f} to {row[high]:.2f}"
