"""What somebody saw of an image, as a model is given it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.tables import sample, trace
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import ArraySource
from umnist_core.pyramid.seen import UNSEEN_GREY, seen_source
from umnist_core.scoring.looking import Views

IMAGE = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (1200, 1600))


def seen(*samples: object, density: float = 1.0) -> np.ndarray:
    """Return what was seen in a pane of 800 x 600 CSS px."""
    views = Views.from_parts(trace(*samples, end_ms=5000.0))  # type: ignore[arg-type]
    return seen_source(ArraySource(IMAGE), views, density).read_whole()


def test_what_was_in_view_at_full_size_is_exact_and_all_else_is_grey() -> None:
    """At one px of the screen for each px of the image, or closer."""
    found = seen(sample(0, 800, 600, 2.0))
    box = (slice(450, 750), slice(600, 1000))
    assert (found[box] == IMAGE[box]).all()
    found[box] = UNSEEN_GREY
    assert (found == UNSEEN_GREY).all()


def test_what_was_seen_small_is_no_finer_than_on_the_screen() -> None:
    """The whole image at half size is its means over 2 x 2 px, each four times."""
    found = seen(sample(0, 800, 600, 0.5))
    means = IMAGE.reshape(600, 2, 800, 2).mean(axis=(1, 3))
    assert np.abs(found[::2, ::2] - means).max() <= 1
    assert (found[::2, ::2] == found[1::2, 1::2]).all()


def test_a_dense_screen_shows_more() -> None:
    """Two px of the screen for each CSS px: half size is full resolution."""
    assert (seen(sample(0, 800, 600, 0.5), density=2.0) == IMAGE).all()


def test_the_finest_view_of_a_place_counts_whatever_came_later() -> None:
    """First close, then from afar: the close part stays."""
    found = seen(sample(0, 800, 600, 2.0), sample(1000, 800, 600, 0.5))
    box = (slice(450, 750), slice(600, 1000))
    assert (found[box] == IMAGE[box]).all()
    assert not (found == UNSEEN_GREY).all()
    assert len(np.unique(found[:400])) > 2


def test_hidden_and_fleeting_views_show_nothing() -> None:
    """A tab behind another, and a view while the image moves."""
    found = seen(sample(0, 400, 300, 2.0, visible=False), sample(4950, 400, 300, 2.0))
    assert (found == UNSEEN_GREY).all()


def test_views_may_reach_out_of_the_image() -> None:
    """Beyond its edge there is nothing to see."""
    found = seen(sample(0, 0, 0, 1.0))
    assert (found[:300, :400] == IMAGE[:300, :400]).all()
    assert (found[300:] == UNSEEN_GREY).all()
    with pytest.raises(InvalidValueError, match="screen px"):
        seen(sample(0, 0, 0, 1.0), density=0.0)
