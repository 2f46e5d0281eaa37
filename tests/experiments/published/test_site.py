"""The static site: whole, without us, without a network, written anew or not at all."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.experiments.published.making import write_evaluation
from umnist_core.cli import root as umnist
from umnist_core.errors import ConflictError, MissingFileError, WriteError
from umnist_core.experiments.published import site
from umnist_core.experiments.published.beside import load_folder
from umnist_core.experiments.published.site import MARK, write_site
from umnist_core.experiments.published.sweep_charts import charts_of_sweep
from umnist_core.experiments.published.tables import published_tables
from umnist_core.experiments.sweeps.results import SHIPPED


class _Page(HTMLParser):
    """What a page loads and links to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses."""
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the site once, with a sweep."""
    root = tmp_path_factory.mktemp("site")
    write_evaluation(
        root / "my-sweep",
        [({"shape_pairs": "1", "checkerboard": "4"}, (8, 9))],
        published="noise-study",
        title="Mine & <yours>",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UMNIST_DATA", str(root / "data"))
        found = CliRunner().invoke(
            umnist, ["report", "--site", str(root / "out"), "--sweep", str(root / "my-sweep")]
        )
    assert found.exit_code == 0, found.output
    return root / "out"


def test_every_table_has_a_page_and_every_link_leads_somewhere(written: Path) -> None:
    """All addresses lie in the folder; none is of a network."""
    pages = list(written.rglob("*.html"))
    assert {one.stem for one in pages} >= {one.key for one in published_tables()}
    for page in pages:
        for address in _Page(page).found:
            if not address.startswith("data:"):
                assert (page.parent / address).resolve().is_file(), (page.name, address)


def test_pages_say_provenance_contradictions_and_what_stands_behind_ours(written: Path) -> None:
    """In words, without us."""
    text = (written / "tables" / "ips-thickness.html").read_text()
    for told in ("standard deviation of the sample", "contradicted: C7, C3, C4", "C7. The thick"):
        assert told in text, told
    noise = (written / "tables" / "noise-study.html").read_text()
    for told in ("a machine of tests", "85.0 (64.0 to 94.8) %", "umnist sweep fig6-compact"):
        assert told in noise, told
    sweep = (written / "sweeps" / "my-sweep.html").read_text()
    assert "Mine &amp; &lt;yours&gt;" in sweep
    assert "<yours>" not in sweep


def test_one_file_has_every_figure(written: Path) -> None:
    """Of all tables together."""
    with (written / "data" / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} >= {"ips-thickness", "noise-study", "meth-baselines"}
    assert "re-run here" in {row["tier"] for row in rows}


def test_a_page_of_a_sweep_begins_with_its_figures(tmp_path: Path) -> None:
    """Of the end, over each axis of numbers, of accuracies as of attention; each a picture, too."""
    sweeps = [
        load_folder(SHIPPED / name) for name in ("attention-o2i-compact", "digit-size-compact")
    ]
    attention, sides = (one for one in sweeps if one is not None)
    assert [chart.x_title for chart in charts_of_sweep(sides)] == ["side"] * 4
    told = charts_of_sweep(attention)[0].series[0].points[0].said
    assert told.endswith("5 seeds, 50 images")
    pages = list(site._write_figures(ready(tmp_path), "sides", charts_of_sweep(sides)))
    assert len(pages) == len(list((tmp_path / "figures").glob("*.svg"))) == 4


def ready(root: Path) -> Path:
    """Return a folder that pictures can be written into."""
    (root / "figures").mkdir()
    return root


def test_two_sweeps_of_one_folder_name_have_a_page_each(tmp_path: Path) -> None:
    """As one that comes with umnist and one's own run of the same file."""
    for name in ("a", "b"):
        write_evaluation(tmp_path / name / "same", [({"shape_pairs": "1"}, (8,))], title=name)
    sweeps = [load_folder(tmp_path / name / "same") for name in ("a", "b")]
    found = dict(site._named([one for one in sweeps if one is not None]))
    assert {name: one.title for name, one in found.items()} == {"same": "a", "same-2": "b"}


def test_a_site_is_written_anew_and_nothing_else_is_replaced(tmp_path: Path) -> None:
    """A folder with something else in it is left alone."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="something else there"):
        write_site(other, [])
    assert (other / "mine.txt").read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["other"]


def make_old_site(folder: Path) -> Path:
    """Return a site as an earlier run left it."""
    old = folder / "site"
    old.mkdir()
    (old / MARK).write_text("{}")
    (old / "index.html").write_text("old")
    return old


def test_a_site_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, and nothing half-written beside it."""
    old = make_old_site(tmp_path)

    def fail(*_: object) -> None:
        raise WriteError("site/.site.new/x could not be written") from OSError(28, "No space left")

    monkeypatch.setattr(site, "write_whole", fail)
    with pytest.raises(WriteError, match=r"site could not be written \(No space left\)"):
        write_site(old, [])
    assert (old / "index.html").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["site"]


def test_a_site_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which had stepped aside already, and comes back."""
    old = make_old_site(tmp_path)
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name == ".site.new":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(site, "_write", lambda *_: 1)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(WriteError, match="Input/output error"):
        write_site(old, [])
    assert (old / "index.html").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_is_no_sweep_is_told(tmp_path: Path) -> None:
    """Before anything is written."""
    assert load_folder(tmp_path) is None
    words = ["report", "--site", str(tmp_path / "out"), "--sweep", str(tmp_path)]
    found = CliRunner().invoke(umnist, words)
    assert isinstance(found.exception, MissingFileError)
    assert not (tmp_path / "out").exists()
