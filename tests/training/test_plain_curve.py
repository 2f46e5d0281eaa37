"""The figure of how the plain CNN learned is of its card."""

from __future__ import annotations

from tests.training.plain_curve import FIGURE, figure, load_history


def test_figure_is_of_the_card() -> None:
    """`python -m tests.training.plain_curve` would write nothing else."""
    assert FIGURE.read_text() == figure()


def test_history_goes_on_from_lesson_to_lesson_and_ends_above_chance() -> None:
    """Images in ascending order; the last accuracy is twice one in 28 at least."""
    history = load_history()
    seen = [one["images"] for one in history]
    assert seen == sorted(set(seen))
    assert history[-1]["accuracy"] >= 2 / 28
