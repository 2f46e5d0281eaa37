"""The Models page as Streamlit runs it: a card for each checkpoint, a command for every model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.inference.images import save_small
from umnist_core.models.card_figures import find_reliability
from umnist_core.models.cards import find_shipped_checkpoints, keep_measured, load_card
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


def test_every_shipped_checkpoint_has_its_card_notes_and_command(own: Path) -> None:
    """Nothing that a card says against its model is left out."""
    page = open_page()
    said = html(page)
    for name, path in find_shipped_checkpoints().items():
        card = load_card(path)
        assert f"<h2>{name}</h2>" in said
        for note in card.notes:
            assert note.replace("'", "&#x27;") in said
        assert card.command in commands(page)


def test_every_model_without_a_checkpoint_has_its_paper_and_command(own: Path) -> None:
    """So all of the registry is on the page, one way or the other."""
    page = open_page()
    said = html(page)
    trained = {load_card(path).model for path in find_shipped_checkpoints().values()}
    for name in set(CATALOGUE) - trained:
        assert CATALOGUE[name].title in said
        assert CATALOGUE[name].paper in said
        for run in find_runs().get(name, ())[:1]:
            assert f"umnist train {run}" in commands(page)


def test_own_checkpoint_gets_a_card_and_a_damaged_one_a_sentence(own: Path) -> None:
    """The one does not hide the other."""
    save_small(own, "mobilenet-v3-resizer", variant="small")
    (own / "broken.safetensors").write_bytes(b"")
    page = open_page()
    assert "<h2>mobilenet-v3-resizer</h2><p>your own checkpoint" in html(page)
    assert "umnist train mobilenet-v3-resizer-1280" not in commands(page)
    (error,) = page.error
    assert "broken" in str(error.value)
    assert "card" in str(error.value)


def test_card_shows_its_calibration_and_what_was_measured_with_the_commands(own: Path) -> None:
    """A diagram with its error in words, a row for each kind of images, and how to measure it."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    right = [True] * 18 + [False] * 2
    found = {"is_calibrated": False, **reliability([0.8] * 20, right).to_dict()}
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
    assert "Expected calibration error 10.0 %" in captions
    assert len(page.get("plotly_chart")) == 1 + sum(
        find_reliability(load_card(one)) is not None for one in find_shipped_checkpoints().values()
    )


def test_text_of_a_card_is_not_taken_for_html(own: Path) -> None:
    """What somebody else wrote into a card is shown as it stands."""
    path = save_small(own, "mobilenet-v3-resizer", variant="small")
    card = path.with_suffix(".json")
    text = card.read_text().replace('"hardware": ""', '"hardware": "<img src=x onerror=1>"')
    card.write_text(text)
    assert "<img" not in html(open_page())
    assert "&lt;img src=x onerror=1&gt;" in html(open_page())


def test_runs_are_those_that_training_knows() -> None:
    """Each configuration belongs to one model of the catalogue."""
    runs = find_runs()
    assert sorted(name for names in runs.values() for name in names) == config_names()
    assert set(runs) <= set(CATALOGUE)


def test_page_works_without_torch(own: Path) -> None:
    """It shows the cards, and says what is missing and how to get it."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
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
    assert int(count) >= len(CATALOGUE)
