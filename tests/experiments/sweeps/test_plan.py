"""From a file to cells: axes, seeds, names, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from umnist_core.errors import InvalidValueError, MissingFileError, NotFoundError
from umnist_core.experiments.sweeps.plan import (
    Resolved,
    SweepFile,
    load_sweep,
    name_of,
    parse_sweep,
    plan_sweep,
    sweep_names,
)
from umnist_core.experiments.sweeps.probe import PROBE, ProbeKind
from umnist_core.parsing import parse_toml

HEAD = 'title = "T"\nkind = "probe"\n'


def sweep(text: str) -> SweepFile:
    """Return what a file says."""
    return parse_sweep(parse_toml(text), text, "a.toml")


class Anything:
    """A kind that takes whatever it is given."""

    def resolve(self, settings: dict[str, Any], seed: int) -> Resolved:
        """Return the settings as they are."""
        return Resolved({**settings, "seed": seed}, {}, ("seeds.py",))


def configs(text: str) -> list[Mapping[str, Any]]:
    """Return what the cells of a file follow from."""
    return [cell.config for cell in plan_sweep(sweep(text), {PROBE: Anything()}).cells]


def test_axes_are_crossed_and_every_point_has_five_seeds() -> None:
    """Without ``seeds`` there are five, and the last axis changes fastest."""
    found = plan_sweep(sweep(HEAD + "[axes]\na = [1, 2]\nb.c = ['x', 'y']\n"), {PROBE: Anything()})
    assert [(cell.config["a"], cell.config["b"]["c"]) for cell in found.cells[::5]] == [
        (1, "x"),
        (1, "y"),
        (2, "x"),
        (2, "y"),
    ]
    assert [cell.seed for cell in found.cells[:5]] == [0, 1, 2, 3, 4]
    assert found.cells[-1].labels == {"a": "2", "c": "y"}
    assert len({cell.name for cell in found.cells}) == 20


def test_listed_points_set_several_things_and_keep_the_rest() -> None:
    """A table of an axis changes what it names, deep in sections that others share."""
    text = HEAD + (
        "seeds = [7]\n[base]\nm.kept = 1\nm.side = 0\n[axes]\n"
        'size = [{ label = "small", m.side = 2 }, { m.side = 3, n = true }]\n'
    )
    assert configs(text) == [
        {"m": {"kept": 1, "side": 2}, "seed": 7},
        {"m": {"kept": 1, "side": 3}, "n": True, "seed": 7},
    ]
    labels = [labels for labels, _ in sweep(text).points()]
    assert labels == [{"size": "small"}, {"side": "3", "n": "true"}]


def test_keys_with_blanks_are_names() -> None:
    """Only names of settings are taken apart at their dots."""
    assert configs(HEAD + 'seeds = 1\n[base]\nt."scale 0.5" = 1\na.b = 2\n') == [
        {"t": {"scale 0.5": 1}, "a": {"b": 2}, "seed": 0}
    ]


def test_name_follows_from_settings_data_and_code() -> None:
    """Whatever a result follows from changes the name of its cell; the order of keys does not."""
    told = ("evaluate", {"a": 1, "b": 2.5}, {"digits": "x"}, "c0de")
    name = name_of(*told)
    assert name_of("evaluate", {"b": 2.5, "a": 1}, {"digits": "x"}, "c0de") == name
    others = [
        name_of("train", *told[1:]),
        name_of(told[0], {"a": 1, "b": 2.0}, *told[2:]),
        name_of(*told[:2], {"digits": "y"}, told[3]),
        name_of(*told[:3], "c0df"),
    ]
    assert len({name, *others}) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = 'probe'\n", "expected title to be a text"),
        ('title = "Two\\nlines"\nkind = "probe"\n', "expected title in one line"),
        (HEAD + "seed = 3\n", "has 'seed'; remove it"),
        (HEAD + "seeds = 0\n", "how many there are, 1 or more"),
        (HEAD + "seeds = [1, 1]\n", "a list of different ones"),
        (HEAD + "seeds = true\n", "a list of different ones"),
        (HEAD + "size = 'huge'\n", "size is one of paper, compact"),
        (HEAD + "base = 3\n", "expected a section [base]"),
        (HEAD + "[axes]\nvalue = 3\n", "expected a list of values of the axis value"),
        (HEAD + "[axes]\nvalue = []\n", "expected a list of values of the axis value"),
        (HEAD + "[axes]\nvalue = [1, 2, 1]\n", "every value of the axis value once"),
        (HEAD + "seeds = 20000\n[axes]\nvalue = [1, 2]\n", "1 to 20,000 cells; got 40,000"),
        (HEAD + "seeds = 4_000_000_000_000\n", "1 or more and at most 20,000"),
        (HEAD + "[axes]\nvalue = [1, nan]\n", "found axes.value = nan"),
        (HEAD + "[axes]\nx = [{ label = 2020-01-01 }]\n", "found axes.x.label = 2020-01-01"),
        (HEAD + "[base]\nvalue = -inf\n", "found base.value = -inf"),
        (HEAD + "[axes.value]\n", "expected a list of values of the axis value"),
        (HEAD + "[axes]\n'a.b' = [1]\na.b = [2]\n", "found a.b twice"),
        (HEAD + "[axes]\na.b = [1]\nc.b = [2]\n", "found 'b' of a.b and c.b"),
        (
            HEAD + "[axes]\nx = [{ label = 'l', a.b = 1 }]\na = [2]\n",
            "found a.b changed by x and a",
        ),
        (HEAD + "[axes]\nx.loss = [1]\n", "a name that a table does not have itself"),
        ("title = 'T'\nkind = 'guess'\n", "The kinds of cells are probe; got 'guess'"),
        (HEAD + "[base]\nsecond = 1\n", "at its one point: A probe has value, seconds, fails"),
        (HEAD + "[axes]\nvalue = [1, -1]\n", "at value = -1: value is a number of 0 or more"),
    ],
)
def test_wrong_files_get_one_sentence(text: str, words: str) -> None:
    """It says what was expected, what was found and where."""
    with pytest.raises(InvalidValueError) as raised:
        plan_sweep(sweep(text), {PROBE: ProbeKind()})
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    """Some editors write one."""
    path = tmp_path / "a.toml"
    path.write_text(HEAD, encoding="utf-8-sig")
    assert load_sweep(path).text == HEAD


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    """No file, no TOML and an unknown name are different sentences."""
    broken = tmp_path / "broken.toml"
    broken.write_text("title = \n")
    with pytest.raises(InvalidValueError, match="is no TOML"):
        load_sweep(broken)
    with pytest.raises(MissingFileError, match="found no file"):
        load_sweep(tmp_path / "none.toml")
    with pytest.raises(NotFoundError, match="fig6-compact"):
        load_sweep(Path("fig7"))


def test_every_shipped_file_has_its_size_and_five_seeds_or_says_why_not() -> None:
    """For each table there are both sizes, and what needs a GPU says so."""
    names = sweep_names()
    found = {name: load_sweep(Path(name)) for name in names}
    assert {name.rpartition("-")[2] for name in names} == {"paper", "compact"}
    for name, file in found.items():
        assert file.size == name.rpartition("-")[2]
        first_lines = file.text.partition("title =")[0]
        is_said = file.size == "compact" and "seeds, since" in first_lines
        assert len(file.seeds) >= 5 or is_said, name
        assert file.needs or file.size == "compact" or file.kind == "evaluate", name
    tables = {name.removesuffix("-paper") for name in names if name.endswith("-paper")}
    assert all(f"{table}-compact" in names for table in tables)
    assert len({file.title for file in found.values()}) == len(found)
