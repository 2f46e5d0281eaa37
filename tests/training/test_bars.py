"""How far a run is, on a terminal and in a log."""

from __future__ import annotations

import sys

import pytest

from umnist_core.training.bars import LOG_EVERY_S, Bars, progress_bar


def _count(bar_of: int, *, every_s: float, done: int = 0, shown: bool = True) -> None:
    with progress_bar(bar_of, "epoch 1/2", done=done, every_s=every_s, shown=shown) as bar:
        for _ in range(bar_of - done):
            bar.update()


def test_log_has_whole_lines_and_goes_on_where_a_run_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each line says how far, how long and how much longer; nothing is drawn over."""
    _count(4, every_s=0.0, done=1)
    told = capsys.readouterr().err
    assert "\r" not in told
    lines = told.splitlines()
    assert lines[0].startswith("epoch 1/2: 1 of 4, 00:00 gone, ")
    assert [line.split(",")[0] for line in lines[-3:]] == [
        f"epoch 1/2: {n} of 4" for n in (2, 3, 4)
    ]


def test_short_or_silent_run_leaves_no_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing before the first minute, and nothing where nothing is to be said."""
    _count(200, every_s=LOG_EVERY_S)
    _count(4, every_s=0.0, shown=False)
    assert capsys.readouterr().err == ""


def test_terminal_has_a_bar_that_is_gone_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is drawn over itself, and last wiped."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _count(4, every_s=LOG_EVERY_S)
    told = capsys.readouterr().err
    assert "0/4" in told
    assert told.endswith("\r")
    assert told.split("\r")[-2].strip() == ""


def test_each_thing_has_a_bar_and_ends_the_one_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins where the thing does, and says the loss of the last step."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bars = Bars(shown=True)
    for what, done in (("spots", 0), ("spots", 1), ("glyphs", 2)):
        bars.show(what, done, 3, 0.5 * done)
    bars.close()
    told = capsys.readouterr().err
    assert told.index("spots:   0%") < told.index("glyphs:  67%")
    assert "0/3" in told
    assert told.split("\r")[-2].strip() == ""
    Bars(shown=False).show("spots", 1, 3, 0.5)
    assert capsys.readouterr().err == ""
