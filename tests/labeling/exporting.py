"""A study with some of everything in it, for tests of what comes out of studies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.labeling.making import come_in, open_small, post
from umnist_core.labeling import StudyService
from umnist_core.labeling.log import Event
from umnist_core.labeling.sql.reading import SqlReader
from umnist_core.labeling.state import StudyState


def filled(lab: Path, **changes: Any) -> tuple[StudyService, str]:
    """Return a study in which six people have answered, one changed, one is erased."""
    settings: dict[str, Any] = {
        "stimuli": 9,
        "images_per_annotator": 4,
        "repeats": 1,
        "allow_change": True,
    }
    service, study = open_small(lab, **{**settings, "ask_digits": True, **changes})
    rng = np.random.default_rng(5)
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    me = ""
    for number in range(6):
        me = come_in(service, study)
        while (trial := service.annotator_view(study, me).trial) is not None:
            one = truth[service.state(study).assignments[trial.key].stimulus]
            right = one["label"]
            digits = [digit["label"] for digit in one["digits"] or ()]
            answer = right if rng.random() < 0.6 else int(rng.integers(28))
            service.answer(study, me, post(trial.key, answer, digits=digits, confidence=50))
        if number == 2:
            last = service.state(study).annotators[me].answered[-1].id
            service.answer(study, me, post(last, 20))
    service.erase(study, me)
    return service, study


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count how often a whole log is read from a database, and folded, within the block."""
    counts: Counter[str] = Counter()
    read, fold = SqlReader.read, StudyState.__init__

    def count_read(self: SqlReader, study: str, after_seq: int = 0) -> list[Event]:
        counts["read"] += after_seq == 0
        return read(self, study, after_seq)

    def count_fold(self: StudyState, events: Iterable[Event]) -> None:
        counts["folded"] += 1
        fold(self, events)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlReader, "read", count_read)
        patch.setattr(StudyState, "__init__", count_fold)
        yield counts
