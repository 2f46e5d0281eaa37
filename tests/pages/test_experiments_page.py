"""The page Experiments as Streamlit runs it: tables, sweeps while they run, people and models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.experiments.figures import chart_figure, heat_figure
from pages._ui.experiments.links import image_address, images_html
from pages._ui.experiments.people_charts import (
    accuracy_chart,
    breakdown_chart,
    consistency_heat,
    reason_chart,
)
from pages._ui.experiments.people_looks import looks_html
from pages._ui.experiments.tables import CELL
from pages._ui.shared.charts import LIGHT
from tests.experiments.people.making import IMAGES, hash_of, model_of, small_study
from tests.experiments.published.making import write_evaluation
from umnist_core.experiments.drawing.chart import ChartPoint, ChartSeries, HeatMap, SeriesChart
from umnist_core.experiments.people import ModelAnswer, ModelAnswers, compare_people
from umnist_core.experiments.published import beside
from umnist_core.experiments.published.sweep_charts import AnsweredImage

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pages" / "experiments.py"

PAIRS = [({"shape_pairs": "1", "checkerboard": "4"}, (8, 9)), ({"shape_pairs": "7"}, (1, 2))]


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.setattr(beside, "SHIPPED", tmp_path / "shipped")  # what ships changes with time


def open_page(**asked: str) -> AppTest:
    """Run the page, and see that it did not fail."""
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in asked.items():
        page.query_params[name] = value
    return ran(page)


def ran(page: AppTest) -> AppTest:
    """Run a page, and see that it did not fail."""
    page.run()
    assert not page.exception
    return page


def html(page: AppTest) -> str:
    """Return all that the page says in HTML of its own."""
    return "\n".join(str(one.proto.body) for one in page.get("html"))


def open_sweep(page: AppTest, folder: Path) -> AppTest:
    """Go to the part of sweeps, and name a folder."""
    page.session_state["experiments_part"] = "Sweeps"
    ran(page)
    page.text_input(key="experiments_folder").set_value(str(folder))
    return ran(page)


def test_the_first_table_stands_with_ours_beside() -> None:
    """With interval, machine and the command; the page has loaded no torch for it."""
    page = open_page()
    told = html(page)
    for words in ("99.1 %", "digit-finder", "re-run here", "Wilson over images", "998 of 1,008"):
        assert words in told, words
    assert any("umnist train digit-finder" in str(one.value) for one in page.code)


def test_the_page_loads_no_torch() -> None:
    """In a process of its own, since other tests load it."""
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        f"page = AppTest.from_file({str(PAGE)!r}, default_timeout=120).run(); "
        "assert not page.exception; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("ips-patch-size", ("Seed 1 entered with its accuracy on training images", "64.6")),
        ("signs-patch-size", ("population", "14.2")),
        ("noise-study-classes", ("implications of noise", "fig6-compact")),
        ("meth-baselines", ("11,117",)),
        ("needle", ("ips-needle",)),
        ("ultramnist-settings", ("0.001",)),
        ("ips-attention", ("no figure that can be read",)),
    ],
)
def test_a_link_opens_its_table(table: str, words: tuple[str, ...]) -> None:
    """Whose panel says what stands behind a cell."""
    page = open_page(table=table)
    if table == "signs-patch-size":
        page.session_state[CELL] = (table, "25", "val")
        ran(page)
    if table == "meth-baselines":
        page.session_state[CELL] = (table, "period", "mse")
        ran(page)
    told = html(page) + "\n".join(str(one.value) for one in page.code)
    for one in words:
        assert one in told, one


def test_a_link_to_no_table_is_told() -> None:
    """And the first is shown."""
    page = open_page(table="<b>nothing")
    (warning,) = page.warning
    assert "'<b>nothing'" in str(warning.value)
    assert page.selectbox(key="experiments_table").value == "ultramnist-accuracy"


def test_a_sweep_is_shown_while_it_runs_and_when_it_is_over(tmp_path: Path) -> None:
    """How far it is, what is left, then its points, misses and command."""
    folder = tmp_path / "s"
    write_evaluation(folder, PAIRS, done=2)
    page = open_sweep(open_page(), folder)
    assert "2 of 4 cells done, about 4 s left" in html(page)
    write_evaluation(folder, PAIRS)
    told = html(ran(page))
    assert "4 of 4 cells done" in told
    assert "85.0 %" in told
    assert told.count('class="missed"') == 3
    assert "model=digit-finder" in told
    assert "index=8" in told


def test_two_sweeps_stand_beside_each_other(tmp_path: Path) -> None:
    """Once both folders were named."""
    write_evaluation(tmp_path / "a", PAIRS[:1], title="First")
    write_evaluation(tmp_path / "b", [(PAIRS[0][0], (1, 2))], title="Second")
    page = open_sweep(open_page(), tmp_path / "a")
    page = open_sweep(page, tmp_path / "b")
    page.selectbox(key="sweep_second_b").select("First")
    told = html(ran(page))
    assert "Difference (points)" in told
    assert "+70.0" in told


def test_a_folder_that_is_no_sweep_is_told(tmp_path: Path) -> None:
    """What was expected, found, and to be done; a damaged plan, too."""
    page = open_sweep(open_page(), tmp_path / "nowhere")
    assert "found none; check the path" in str(page.warning[0].value)
    (tmp_path / "empty").mkdir()
    page = open_sweep(open_page(), tmp_path / "empty")
    assert "found no plan in it" in str(page.warning[0].value)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "plan.json").write_text("{")
    page = open_sweep(open_page(), tmp_path / "bad")
    assert "expected the plan of a sweep" in str(page.error[0].value)


def test_people_need_a_study() -> None:
    """Without one it is said what to bring."""
    page = open_page()
    page.session_state["experiments_part"] = "People and models"
    (told,) = ran(page).info
    assert "umnist study export" in str(told.value)


FIGURES = {
    "raters": [
        {"name": "p1", "kind": "person", "answered": 10, "correct": 4, "accuracy": 0.4}
        | {"low": 0.2, "high": 0.6},
        {"name": "net", "kind": "model", "answered": 10, "correct": 9, "accuracy": 0.9}
        | {"low": 0.6, "high": 0.98},
    ],
    "accuracy": [
        {"by": "all", "value": None, "from": None, "below": None, "group": "people"}
        | {"answers": 10, "correct": 4, "accuracy": 0.4, "low": 0.2, "high": 0.6},
        {"by": "smallest_side_px", "value": None, "from": 28.0, "below": None, "group": "net"}
        | {"answers": 5, "correct": 5, "accuracy": 1.0, "low": 0.6, "high": 1.0},
    ],
    "consistency": {"pairs": [{"a": "p1", "b": "net", "kappa": 0.25}], "groups": []},
    "reasons": [
        {"name": "people", "kind": "people", "reason": "not_looked_at", "answers": 3, "wrong": 6}
        | {"share": 0.5, "low": 0.2, "high": 0.8}
    ],
}


def test_charts_of_people_and_models_hold_their_figures() -> None:
    """Each with its interval; pairs both ways."""
    chart = accuracy_chart(FIGURES)
    assert chart is not None
    assert [(one.name, one.points[0].y) for one in chart.series] == [("People", 40), ("Models", 90)]
    by = breakdown_chart(FIGURES, "smallest_side_px")
    assert by is not None
    assert by.series[0].points[0].x == "28 and more"
    heat = consistency_heat(FIGURES)
    assert heat is not None
    assert heat.values == ((None, 0.25), (0.25, None))
    reasons = reason_chart(FIGURES)
    assert reasons is not None
    assert reasons.series[0].points[0].y == 50


def test_where_people_and_models_looked_is_on_the_page_as_in_the_report() -> None:
    """Gaze, the same viewing budget and times, each with its interval where there is one."""
    seen = [
        ModelAnswer(image, hash_of(image), 8, seen_by=person, margin=0.5)
        for person in ("ann", "ben")
        for image in IMAGES[:4]
    ]
    whole = model_of("<b>m</b>", dict.fromkeys(IMAGES[:4], 8), margin=0.4, similarity=0.25)
    people = small_study({"ann": [8, 7, 8, 8], "ben": [8, 8, 7, 7]})
    people.answers["active_ms"] = [20_000.0 + 1000 * at for at in range(8)]
    report = compare_people(people, [ModelAnswers("<b>m</b>", (*whole.answers, *seen))], draws=50)
    page = looks_html(report.to_dict())
    assert '<th scope="row">people</th>' in page
    for head in ("Similarity", "Model, as they saw it, %", "Rank correlation"):
        assert head in page
    assert "62.5" in page
    assert "0.25" in page
    assert "Too few images for a correlation." in page
    assert "<b>m" not in page
    assert looks_html({"gaze": [], "viewing_budget": [], "times": []}) == ""


def test_a_point_of_a_figure_knows_its_cell() -> None:
    """What a click tells is the row and the column; bars stand beside each other."""
    points = (ChartPoint("a", 5, 1, 9, "told", {"row": "r", "column": "c"}), ChartPoint("b", 7))
    chart = SeriesChart("t", "x", "y", (ChartSeries("s", "ours", points),) * 2, names=("a", "b"))
    figure = chart_figure(chart, LIGHT, is_dark=False)
    first, second = figure.data
    assert list(first.customdata[0]) == ["r", "c", "told"]
    assert first.x[0] < second.x[0]
    assert (first.error_y.array[0], first.error_y.arrayminus[0]) == (4, 4)
    heat = heat_figure(HeatMap("t", "x", "y", "%", ("1",), ("a",), ((None,),)), LIGHT)
    assert heat.data[0].text[0][0] == ""


def test_a_scene_that_cannot_be_made_has_no_link() -> None:
    """As of a preset that another version has; texts of files are no HTML."""
    scene = {"preset": "released", "overrides": {}, "seed": 1, "split": "test", "index": 2}
    image = AnsweredImage(scene, "no-model", "<b>", "4")
    assert image_address(image, []) == "/?preset=released&seed=1&split=test&index=2"
    gone = AnsweredImage({**scene, "preset": "nothing"}, "", "1", "1")
    assert image_address(gone, []) is None
    assert "<b><b>" not in images_html([image, gone])
