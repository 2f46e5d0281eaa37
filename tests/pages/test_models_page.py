"""The Models page as Streamlit runs it: a table of all, and a card for each checkpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.inference.choice import first_of
from pages._ui.models.rows import HERE, NOT_LEARNED, Checkpoint, table_rows
from tests.inference.images import save_small
from umnist_core.experiments.published.methods import (
    PUBLISHED,
    PublishedMethod,
    published_methods,
)
from umnist_core.experiments.published.tables import PROVENANCES
from umnist_core.models.card_answers import find_answers, find_history
from umnist_core.models.card_figures import find_reliability
from umnist_core.models.cards import (
    Card,
    card_path,
    find_shipped_checkpoints,
    keep_measured,
    load_card,
)
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.scoring import reliability
from umnist_core.training.config import config_names
from umnist_core.training.runs import find_runs

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pages" / "models.py"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of one's own checkpoints."""
    monkeypatch.setenv("UMNIST_CHECKPOINTS", str(tmp_path))
    return tmp_path


def open_page() -> AppTest:
    """Run the page, and see that it did not fail."""
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not page.exception
    return page


def html(page: AppTest) -> str:
    """Return all that the page says in HTML of its own."""
    return "\n".join(str(one.proto.body) for one in page.get("html"))


def commands(page: AppTest) -> list[str]:
    """Return the commands that can be copied."""
    return [str(one.value) for one in page.code]


def shipped() -> list[Checkpoint]:
    """Return what comes with umnist."""
    found = find_shipped_checkpoints().items()
    return [Checkpoint(name, path, load_card(path)) for name, path in found]


def rows() -> dict[str, dict[str, Any]]:
    """Return the rows of the table, by name."""
    table = table_rows(shipped(), published_methods(), find_runs())
    return {row["name"]: row for row in table}


def change(path: Path, **fields: Any) -> Card:
    """Put fields onto a card as somebody's hand may."""
    place = card_path(path)
    place.write_text(json.dumps({**json.loads(place.read_text()), **fields}))
    return load_card(path)


# -- the table -------------------------------------------------------------------------


def test_table_has_every_checkpoint_every_published_method_and_every_model() -> None:
    """Nothing of the registry is left out, whether it was trained, published or neither."""
    table = rows()
    for one in shipped():
        row = table[one.name]
        assert row["tier"] in (HERE, NOT_LEARNED)
        assert row["low"] < row["share"] < row["high"]
        assert row["parameters"] > 10_000
        assert row["size"].endswith("MB")
    for method in published_methods():
        assert table[method.method]["system"] == method.system
    named = {one.card.model for one in shipped()} | {one.model for one in published_methods()}
    titles = {CATALOGUE[name].title for name in set(CATALOGUE) - named}
    assert titles <= set(table)


def test_published_row_says_where_its_figure_stands_and_how_to_train_it() -> None:
    """The figure as published, its place, its paper as a link, and the command."""
    row = rows()["EfficientNet-B0, 512 px, 11 GB"]
    assert row["said"] == "43.9 %"  # no card: published
    assert row["source"] == "Published in table 3, Acc.@11 GB, Gupta et al. 2024."
    assert row["address"] == "https://doi.org/10.1038/s41597-024-03587-4"
    assert row["year"] == 2024
    assert row["commands"] == ["umnist train efficientnet-b0-512-11gb"]
    people = rows()["People, unguided"]
    assert (round(people["low"], 1), round(people["high"], 1)) == (46.2, 52.4)


@pytest.mark.parametrize("method", published_methods(), ids=lambda one: one.method)
def test_published_figure_has_its_provenance_and_commands_that_exist(
    method: PublishedMethod,
) -> None:
    """No figure without its place; every command names a recipe that ships."""
    assert bool(method.figures) <= (method.provenance in PROVENANCES and bool(method.where))
    assert all(0 < value < 100 for value in method.figures.values())
    assert not method.model or method.model in CATALOGUE
    if method.tier == PUBLISHED and method.model:
        assert method.commands
    for command in method.commands:
        assert command.split()[2] in config_names()


def test_runs_are_those_that_training_knows() -> None:
    """Each configuration belongs to one model of the catalogue."""
    runs = find_runs()
    assert sorted(name for names in runs.values() for name in names) == config_names()
    assert set(runs) <= set(CATALOGUE)


# -- cards -----------------------------------------------------------------------------


def test_every_shipped_checkpoint_has_its_card_notes_and_command(own: Path) -> None:
    """Nothing that a card says against its model is left out."""
    page = open_page()
    said = html(page)
    for name, path in find_shipped_checkpoints().items():
        card = load_card(path)
        assert f"<h2>{name}</h2>" in said
        for note in card.notes:
            assert note.partition("arXiv")[0].replace("'", "&#x27;") in said
        assert card.command in commands(page)
        assert f"/checkpoints/{name}/weights" in said


def test_own_checkpoint_gets_a_card_and_a_damaged_one_a_sentence(own: Path) -> None:
    """The one does not hide the other."""
    save_small(own, "mobilenet-v3-resizer", variant="small")
    (own / "broken.safetensors").write_bytes(b"")
    page = open_page()
    assert "<h2>mobilenet-v3-resizer</h2><p>your own checkpoint" in html(page)
    assert 'href="https://arxiv.org/abs/2103.09950"' in html(page)
    (error,) = page.error
    assert "broken" in str(error.value)
    assert "card" in str(error.value)


def test_card_shows_its_calibration_and_what_was_measured_with_the_commands(own: Path) -> None:
    """A diagram with its error in words, a row for each kind of images, and how to measure it."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    right = [True] * 180 + [False] * 20
    found: dict[str, Any] = reliability([0.8] * 200, right).to_dict()
    found["is_calibrated"] = False
    tasks = {"sum": {"accuracy": {"images": 20, "correct": 18}}}
    kinds = {"rescaled": {"warned": 15}}
    warnings = {"images": 20, "any": {"warned": 19}, "kinds": kinds}
    keep_measured(path, "plain", "umnist a", {"tasks": tasks, "calibration": found})
    keep_measured(
        path, "rescaled-3900", "umnist b", {"images": 20, "tasks": tasks, "warnings": warnings}
    )
    keep_measured(path, "<i>", "umnist c", {"tasks": tasks})
    page = open_page()
    said = html(page)
    assert "<td>90.0 %<small>69.9 to 97.2</small></td>" in said
    assert "<td>95.0 %<small>76.4 to 99.1; rescaled 15</small></td>" in said
    assert '<th scope="row">Scaled to 3,900 px<small>20 images</small></th>' in said
    assert "&lt;i&gt;" in said
    assert "<i>" not in said
    assert "umnist a\numnist b\numnist c" in commands(page)
    captions = " ".join(str(one.value) for one in page.caption)
    assert f"Expected calibration error {100 * found['ece']:.1f} %" in captions
    answers = [find_answers(one.card) for one in shipped()]
    drawn = [find_reliability(one.card) for one in shipped()]
    learned = [find_history(one.card) or None for one in shipped()]
    beside = 4  # the charts of data systems, above the cards
    assert len(page.get("plotly_chart")) == beside + 1 + sum(
        one is not None for one in [*answers, *drawn, *learned]
    )


def test_card_draws_how_it_learned_what_it_said_and_links_to_its_misses(own: Path) -> None:
    """Each miss opens that very image with this model; a card without these has no such part."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    before = len(open_page().get("plotly_chart"))
    history = [{"images": 10, "accuracy": 0.1, "phase": "a"}, {"images": 20, "accuracy": 0.2}]
    missed = [{"index": 4, "true": 7, "said": 9}]
    figures = {
        "data": {"preset": "released", "seed": 5, "split": "test", "count": 9, "overrides": {}},
        "answers": {"task": "sum", "said": {"7": {"7": 3, "9": 1}}, "missed": missed},
        "history": history,
    }
    card = change(path, figures=figures)
    assert len(find_history(card)) == 2
    answers = find_answers(card)
    assert answers is not None
    assert (answers.images, answers.wrong) == (4, 1)
    page = open_page()
    assert len(page.get("plotly_chart")) == before + 2
    address = "/inference?preset=released&amp;seed=5&amp;split=test&amp;index=4&amp;model=mobilenet"
    assert address in html(page)


def test_what_no_card_may_say_of_answers_is_left_out(own: Path) -> None:
    """Classes that are none, places that are none, and scenes of no preset."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    odd = {"7": {"9": 1, "x": 3}, "-1": {"2": 1}, "999": {"1": 1}, "3": 4}
    missed = [{"index": -4, "true": 7, "said": 9}, "a", {"index": 1}]
    data = {"preset": "nowhere", "seed": 1, "split": "test", "count": 4}
    told: dict[str, Any] = {"task": "sum", "said": odd, "missed": missed}
    card = change(path, figures={"data": data, "answers": told, "history": [{"images": "a"}]})
    answers = find_answers(card)
    assert answers is not None
    assert answers.said == {7: {9: 1}}
    assert not answers.missed
    assert not find_history(card)
    told["missed"] = [{"index": 1, "true": 7, "said": 9}]
    change(path, figures={"data": data, "answers": told})
    assert "/inference?preset=nowhere" not in html(open_page())


def test_checkpoint_at_chance_is_listed_as_not_learned_and_never_chosen_unasked(own: Path) -> None:
    """Of two that know such images the one that learned is chosen, whatever their order."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    figures = {"images": 300, "accuracy": {"sum": 0.03}}
    card = change(path, figures=figures, data={"preset": "released"})
    said = html(open_page())
    assert said.index("<h2>Not learned</h2>") < said.index("<h2>mobilenet-v3-resizer</h2>")
    able = Card("resnet50", data={"preset": "released"})
    assert first_of({"bad": card, "good": able}, "released") == "good"
    assert first_of({"bad": card}, "released") == "bad"


def test_text_of_a_card_is_not_taken_for_html(own: Path) -> None:
    """What somebody else wrote into a card is shown as it stands."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    change(path, hardware="<img src=x onerror=1>", notes=["see arXiv 2103.09950 <b>"])
    said = html(open_page())
    assert "<img" not in said
    assert "<b>" not in said
    assert "&lt;img src=x onerror=1&gt;" in said
    assert '<a href="https://arxiv.org/abs/2103.09950"' in said


def test_page_works_without_torch(own: Path) -> None:
    """It shows the cards, and says what is missing and how to get it."""
    code = (
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *of: None if name == 'torch' else find(name, *of)\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"page = AppTest.from_file({str(PAGE)!r}, default_timeout=60).run()\n"
        "assert not page.exception, page.exception\n"
        "print(page.info[0].value)\n"
        "print(len(page.code))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sentence, count = done.stdout.splitlines()
    assert sentence.startswith(
        "Models need torch, which this installation lacks; in the clone, run"
    )
    assert int(count) >= len(find_shipped_checkpoints())
