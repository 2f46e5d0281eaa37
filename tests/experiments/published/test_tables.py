"""Published tables: every cell has a provenance, contradictions their numbers, gaps stay gaps."""

from __future__ import annotations

import re
from statistics import mean, pstdev, stdev

import pytest

from umnist_core.errors import NotFoundError
from umnist_core.experiments.published.methods import published_methods
from umnist_core.experiments.published.tables import (
    LOG,
    POPULATION,
    PROVENANCES,
    RECOMPUTED,
    SAMPLE,
    PublishedCell,
    get_cell,
    get_table,
    published_tables,
)
from umnist_core.scoring.published import PUBLISHED, PUBLISHED_LABELS

TABLES = published_tables()


def cells() -> list[tuple[str, PublishedCell]]:
    """Return every figure with its place."""
    return [
        (f"{table.key}/{row.key}/{column}", one)
        for table in TABLES
        for row in table.rows
        for column, found in row.cells.items()
        for one in found
    ]


def test_every_figure_says_where_it_may_be_read() -> None:
    """Of a known provenance, at a place."""
    without = [
        place for place, one in cells() if one.provenance not in PROVENANCES or not one.where
    ]
    assert without == []
    assert len(cells()) > 400


def test_every_spread_says_whether_sample_or_population_or_that_it_is_not_known() -> None:
    """And over how many runs."""
    spreads = [(place, one) for place, one in cells() if one.sd is not None]
    assert {one.kind for _, one in spreads} == {SAMPLE, POPULATION, ""}
    assert [place for place, one in spreads if not one.runs] == []


def test_keys_are_each_once() -> None:
    """Tables, rows of a table, and columns."""
    assert len({one.key for one in TABLES}) == len(TABLES)
    for table in TABLES:
        assert len({row.key for row in table.rows}) == len(table.rows)
        assert len({one.key for one in table.columns}) == len(table.columns)
        assert {column for row in table.rows for column in row.cells} <= {
            one.key for one in table.columns
        }


def test_all_contradictions_stand_at_cells_with_numbers() -> None:
    """C1 to C12 and those that were found since; each at a cell that has a figure."""
    found = {one.id for table in TABLES for one in table.contradictions}
    assert found >= {f"C{number}" for number in range(1, 13)}
    for table in TABLES:
        rows, columns = {row.key for row in table.rows}, {one.key for one in table.columns}
        for one in table.contradictions:
            assert one.rows <= rows, (table.key, one.id)
            assert one.columns <= columns, (table.key, one.id)
            assert re.search(r"\d", one.says), (table.key, one.id)
            assert one.says.endswith("."), (table.key, one.id)


@pytest.mark.parametrize("column", ["maj", "max", "top", "multi"])
def test_what_is_recomputed_follows_from_the_runs_in_the_logs(column: str) -> None:
    """The row of 25-px patches: the published mean is that of other figures (C2)."""
    row = get_table("ips-patch-size").get_row("25")
    published, again = row.cells[column]
    runs = [float(one) for one in re.findall(r"[\d.]+", again.where.split(":")[1])]
    assert again.provenance == RECOMPUTED
    assert again.value == pytest.approx(mean(runs))
    assert again.sd == pytest.approx(stdev(runs))
    said = get_table("ips-patch-size").at("25", column)[0].says
    assert f"{again.value:.1f} \N{PLUS-MINUS SIGN} {again.sd:.1f}" in said
    assert abs(published.value - again.value) > 0.9


def test_training_accuracy_of_seed_1_explains_the_published_mean() -> None:
    """84.2 instead of 50.2 % gives 76.0 ± 9.7, and as a sample's deviation alone (C2, C4)."""
    published = get_cell("ips-patch-size/25/maj")
    mixed = [84.2, 78.4, 65.3]
    assert published.value == pytest.approx(mean(mixed), abs=0.05)
    assert published.sd == pytest.approx(stdev(mixed), abs=0.05)
    assert published.sd != pytest.approx(pstdev(mixed), abs=0.5)


def test_thickness_agrees_with_its_logs_but_for_its_last_row() -> None:
    """Rows 1.4 to 2.4 are the means of the logs; 2.6 is not (C3)."""
    table = get_table("ips-thickness")
    for row in table.rows:
        published, again = row.cells["maj"]
        agrees = abs(published.value - again.value) < 0.1
        assert agrees == (row.key != "2.6"), row.key


def test_points_of_figure_4_are_those_of_the_logs_but_for_multi() -> None:
    """Which are accuracies on training images (C1)."""
    table = get_table("ips-o2i")
    for row in table.rows:
        for column, found in row.cells.items():
            published = row.find(column)
            log = next(one for one in found if one.provenance == LOG)
            if published is not None:
                is_near = abs(published.value - log.value) < 1
                assert is_near == (column != "multi"), (row.key, column)


def test_ratios_are_those_of_their_sides() -> None:
    """Recomputed from the row's own name."""
    for row in get_table("ips-ratios").rows:
        digit, canvas = map(int, row.key.split("-"))
        again = next(one for one in row.cells["o2i"] if one.provenance == RECOMPUTED)
        assert again.value == pytest.approx(100 * (digit / canvas) ** 2, abs=1e-4)


def test_what_nobody_published_is_empty() -> None:
    """FovMax and its kin, Needle MNIST, MetH-SR, most of figure 6."""
    large = get_table("large-scale")
    assert not any(row.cells for row in large.rows if not row.key.startswith("riesznet"))
    assert not any("accuracy" in row.cells for row in get_table("needle").rows)
    assert "accuracy" not in get_table("meth-baselines").get_row("sr").cells
    bars = [row.key for row in get_table("noise-study").rows if row.cells]
    assert bars == ["none", "pairs-1"]


def test_peoples_figures_are_those_that_studies_are_compared_with() -> None:
    """One source: scoring has them, since an exported study takes it along."""
    for pool, share in PUBLISHED.items():
        cell = get_cell(f"ultramnist-accuracy/people-{pool}/accuracy")
        assert cell.value == pytest.approx(100 * share)
        assert (cell.right, cell.of) == (round(share * PUBLISHED_LABELS), PUBLISHED_LABELS)


def test_the_page_models_has_no_figure_of_its_own() -> None:
    """Each of its figures is a cell of a table, with that cell's place."""
    values = {round(one.value, 3) for _, one in cells()}
    for method in published_methods():
        assert {round(value, 3) for value in method.figures.values()} <= values
        assert bool(method.figures) <= bool(method.where)


def test_a_cell_that_is_not_there_is_named() -> None:
    """With what there is instead."""
    with pytest.raises(NotFoundError, match="found 'nothing'; there are"):
        get_table("nothing")
    with pytest.raises(NotFoundError, match="found none"):
        get_cell("needle/64/accuracy")
