"""What the document says of MetH beside what a table has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from umnist_core.datasets.meth.published import (
    PUBLISHED,
    SHARED_PERCENT,
    TableNotes,
    published_years,
)
from umnist_core.datasets.meth.table import CLASS, YEAR, MethRow, MethTable
from umnist_core.datasets.years import all_bins, year_bin


def _table(name: str, counts: Mapping[str, int], classes: int = 0) -> MethTable:
    rows = [
        MethRow(0, f"{split}{number}.jpg", split)
        for split, count in counts.items()
        for number in range(count)
    ]
    return MethTable(name, CLASS if classes else YEAR, tuple(rows), tuple("abc"[:classes]))


TOTALS = {
    "MetH-Medium": (27_600, 27_600),
    "MetH-Cultures": (15_000, 15_000),
    "MetH-Period": (37_762, 37_770),
    "MetH-SR": (20_000, 22_000),
}


@pytest.mark.parametrize("name", TOTALS)
def test_counts_of_text_and_table_add_up_as_stated(name: str) -> None:
    """By the text 37,762 and 20,000; table 2 has 37,770, and 18,000 of MetH-SR for training."""
    one = PUBLISHED[name]
    assert (sum(one.text.values()), sum(one.table.values())) == TOTALS[name]
    assert PUBLISHED["MetH-SR"].table["train"] == 18_000


@pytest.mark.parametrize(("side", "other"), [("text", "table 2"), ("table", "text")])
def test_file_is_followed_where_text_and_table_disagree(side: str, other: str) -> None:
    """And it is said which of them it agrees with, or that it agrees with neither."""
    counts: Mapping[str, int] = getattr(PUBLISHED["MetH-Period"], side)
    first, second, *rest = TableNotes(_table("MetH-Period", counts), "p.csv", "data").sentences()
    assert rest == []
    assert first.startswith("p.csv has 8,000 train, ")
    assert first.endswith("the file is followed.")
    assert "(37,762 images), and its table 2" in second
    assert "(37,770 images); the file agrees with its " in second
    assert not second.endswith(f"{other}.")
    _, neither = TableNotes(_table("MetH-Period", {"train": 3}), "p.csv", "data").sentences()
    assert neither.endswith("(37,770 images).")


def test_number_of_classes_is_compared() -> None:
    """23 are said of MetH-Medium."""
    table = _table("MetH-Medium", PUBLISHED["MetH-Medium"].text, classes=3)
    _, counts, classes = TableNotes(table, "m.csv", "data").sentences()
    assert counts.endswith("(27,600 images), as the file.")
    assert classes == "The document says 23 classes, and m.csv has 3."


def test_figures_agree_with_the_reference() -> None:
    """Where the clone has the machine-readable figures beside it."""
    path = Path(__file__).resolve().parents[4] / "shared" / "reference" / "published-results.json"
    if not path.is_file():
        pytest.skip("the figures do not lie beside the clone")
    for row in json.loads(path.read_text())["meth"]["rows"]:
        one = PUBLISHED[row["dataset"]]
        assert one.mean_mpx == row["mean_mp"]
        assert one.classes == row.get("classes", 0)
        for split in ("train", "val", "test"):
            for side, counts in (("text", one.text), ("table", one.table)):
                said = row.get(f"{split}_{side}", row.get(split))
                assert said is None or said == counts[split]


def test_shared_images_are_as_many_in_both_directions() -> None:
    """Table 1 gives each pair twice: the same images of 27,600, 15,000 and 20,000 but for rounding.

    Those of MetH-Period are of some 26,870 images, which is neither its text's total nor its
    table's: a contradiction of the document's own, pinned here so that nobody scales it away.
    """
    for (first, second), percent in SHARED_PERCENT.items():
        there = percent * sum(PUBLISHED[first].text.values())
        implied = there / SHARED_PERCENT[second, first]
        if second == "MetH-Period":
            assert implied == pytest.approx(26_870, abs=30)
        elif first != "MetH-Period":
            assert implied == pytest.approx(sum(PUBLISHED[second].text.values()), rel=0.002)


def test_bins_of_fifty_years_are_the_documents() -> None:
    """Eight from 1500 to 1900, of which train has 1,000 images each and val 300."""
    assert len(all_bins()) == 8
    assert (all_bins()[0], all_bins()[-1]) == ("1500-1549", "1850-1900")
    assert published_years() == {
        "train": dict.fromkeys(all_bins(), 1000),
        "val": dict.fromkeys(all_bins(), 300),
    }


@pytest.mark.parametrize(
    ("year", "named"),
    [
        (1500, "1500-1549"),
        (1549.5, "1500-1549"),
        (1550, "1550-1599"),
        (1899, "1850-1900"),
        (1900, "1850-1900"),
        (1901, "1900-1949"),
        (-20, "-50--1"),
    ],
)
def test_year_is_in_the_bin_that_begins_before_it(year: float, named: str) -> None:
    """The last year of the document is in its last bin."""
    assert year_bin(year) == named
