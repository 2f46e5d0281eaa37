"""Files of published tables: each figure a row, LaTeX that compiles, pictures that are some."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

from tests.experiments.published.making import write_evaluation
from umnist_core.experiments.drawing.chart import ChartPoint, ChartSeries, HeatMap, SeriesChart
from umnist_core.experiments.drawing.picture import svg_text
from umnist_core.experiments.drawing.plots import chart_picture, heat_picture
from umnist_core.experiments.drawing.png import png_bytes
from umnist_core.experiments.published.beside import load_folder, ours_beside
from umnist_core.experiments.published.charts import chart_of, heat_of
from umnist_core.experiments.published.exports import (
    COLUMNS,
    figure_rows,
    figures_text,
    latex_text,
    parquet_bytes,
    png_file,
    svg_bytes,
)
from umnist_core.experiments.published.sweep_files import sweep_latex, sweep_parquet
from umnist_core.experiments.published.tables import (
    PublishedTable,
    get_table,
    published_tables,
)


def test_comma_separated_and_parquet_hold_the_same_figures() -> None:
    """A row for each, ours with interval and command."""
    table = get_table("ultramnist-accuracy")
    rows = figure_rows(table, ours_beside(table, [], with_own=False))
    read = list(csv.DictReader(io.StringIO(figures_text(rows))))
    frame = pd.read_parquet(io.BytesIO(parquet_bytes(rows)))
    assert tuple(frame.columns) == COLUMNS
    assert len(read) == len(frame) == len(rows)
    assert [float(one["value"]) for one in read] == list(frame["value"])
    ours = frame[frame["tier"] == "re-run here"]
    assert set(ours["name"]) == {"digit-finder", "additive-pyramid"}
    assert ours["low"].notna().all()
    assert frame[frame["tier"] == "published"]["where"].notna().all()


@pytest.mark.parametrize("found", published_tables(), ids=lambda one: one.key)
def test_latex_escapes_all_and_has_as_many_cells_in_every_row(found: PublishedTable) -> None:
    """So that it compiles: no bare special character, one width."""
    text = latex_text(found, ours_beside(found, [], with_own=False))
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(lines) > len(found.rows)
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(found.columns)}
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert not re.search(r"(?<!\\)[%#_]", body)


def test_pictures_are_files_of_their_kind(tmp_path: Path) -> None:
    """SVG that parses and loads nothing, PNG of the same shape, with ink on it."""
    write_evaluation(
        tmp_path, [({"shape_pairs": "1", "checkerboard": "4"}, (8,))], published="noise-study"
    )
    sweep = load_folder(tmp_path)
    assert sweep is not None
    table = get_table("noise-study")
    ours = ours_beside(table, [sweep], with_own=False)
    classes = get_table("noise-study-classes")
    own = ours_beside(classes, [sweep], with_own=False)
    chart = chart_of(table, ours, "digits")
    assert chart is not None
    pictures: list[SeriesChart | HeatMap] = [chart]
    pictures += heat_of(classes, classes.columns[0].key, own)
    assert len(pictures) == 2
    for drawn in pictures:
        svg = svg_bytes(drawn)
        root = ElementTree.fromstring(svg)
        assert b"href" not in svg
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        image = Image.open(io.BytesIO(png_file(drawn)))
        assert image.width / image.height == pytest.approx(width / height, rel=0.01)
        assert len(image.convert("L").getcolors(256) or []) > 5


def test_a_chart_is_drawn_where_its_values_are() -> None:
    """Higher values higher up, places in order, intervals around their point."""
    points = (ChartPoint(1, 20, 10, 30), ChartPoint(10, 80, 70, 90), ChartPoint(100, 50))
    series = (
        ChartSeries("a", "ours", points),
        ChartSeries("b <&>", "published", (ChartPoint(float("nan"), 40),), is_across=True),
    )
    picture = chart_picture(SeriesChart("Title", "x", "y (%)", series, log=True))
    root = ElementTree.fromstring(svg_text(picture))
    dots = [one for one in root.iter() if one.tag.endswith("circle")][:3]
    xs, ys = ([float(one.attrib[name]) for one in dots] for name in ("cx", "cy"))
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1])
    assert ys[1] < ys[2] < ys[0]
    assert "b <&>" in [one.text for one in root.iter() if one.tag.endswith("text")]
    assert png_bytes(picture).startswith(b"\x89PNG")


def test_an_empty_cell_of_a_heat_map_stays_empty() -> None:
    """It has a frame and no number."""
    heat = HeatMap("t", "x", "y", "%", ("1", "2"), ("a",), ((None, 5.0),))
    texts = [one for one in svg_text(heat_picture(heat)).splitlines() if one.startswith("<text")]
    assert sum(">5.0<" in one for one in texts) == 1
    assert not any("None" in one or "nan" in one for one in texts)


def test_the_table_of_a_sweep_is_parquet_and_latex(tmp_path: Path) -> None:
    """With its axes as texts, and each accuracy with its interval."""
    write_evaluation(tmp_path, [({"shape_pairs": "1"}, (8, 9))], title="50 % & more")
    sweep = load_folder(tmp_path)
    assert sweep is not None
    frame = pd.read_parquet(io.BytesIO(sweep_parquet(sweep)))
    assert list(frame["shape_pairs"]) == ["1", "1"]
    assert list(frame["mean"]) == [0.85, 0.75]
    text = sweep_latex(sweep)
    assert r"\caption{50 \% \& more}" in text
    assert r"1 & Sum & 2 & 85.0 & 64.0 to 94.8 \\" in text
