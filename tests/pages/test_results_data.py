"""What Results makes of answers: gaze over an image, who answered what."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pages._ui.results.image import answer_counts
from pages._ui.shared.results import heat_data, load_results
from tests.labeling.exporting import counted
from tests.labeling.making import answer_all, come_in, open_small
from umnist_core.labeling.sql import open_log

SIZE = (400, 800)


def test_heat_data_hold_the_values_to_a_part_in_sixty_thousand() -> None:
    """What the viewer decodes from red and green is what was put in."""
    rng = np.random.default_rng(4)
    grid = rng.gamma(0.5, 300, (20, 30))
    data = heat_data(grid, SIZE, 3)
    png = base64.b64decode(data["src"].partition(",")[2])
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    whole = pixels[..., 2].astype(float) * 256 + pixels[..., 1]
    assert np.allclose(whole / 65535 * data["max"], grid, atol=data["max"] / 60_000)
    assert 0 < data["top"] <= max(data["max"], 2 * grid.mean())
    assert "mean of 3 answers" in data["title"]


def test_heat_of_a_single_cell_has_a_last_colour() -> None:
    """Where nearly all cells are 0, colours still end above 0."""
    grid = np.zeros((40, 40))
    grid[3, 4] = 5
    assert heat_data(grid, SIZE, 1)["top"] == 5


@pytest.mark.parametrize("spread", [0, 0.05])
def test_uniform_heat_has_the_middle_colour(spread: float) -> None:
    """Nothing stands out where everything was on screen for about as long."""
    grid = 800.0 * (1 + spread * np.sin(np.arange(600)).reshape(20, 30))
    data = heat_data(grid, SIZE, 2)
    shares = grid / data["top"]
    assert shares.max() < 0.55
    assert shares.mean() == pytest.approx(0.5)


def test_answers_are_counted_with_the_most_frequent_first() -> None:
    """Of equally frequent ones the smaller sum comes first."""
    assert answer_counts([9, 3, 9, 12, 3, 27]) == [(3, 2), (9, 2), (12, 1), (27, 1)]
    assert answer_counts([]) == []


def test_log_is_read_and_folded_once_for_a_view(tmp_path: Path) -> None:
    """All that the page shows is of one reading, which serves until something happens."""
    with closing(open_log(f"sqlite:///{tmp_path / 'labeling.sqlite'}")) as log:
        service, study = open_small(tmp_path, log)
        person = come_in(service, study, "unguided")
        for due in ({"read": 1, "folded": 1}, {}):
            one = service.overview(study)
            with counted() as counts:
                results = load_results(service, one)
            assert +counts == due
        assert list(results.sizes) == sorted(results.truth)
        answer_all(service, study, person)
        assert load_results(service, service.overview(study)).report.pools[0].labels == 3
