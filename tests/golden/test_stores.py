"""Stores that an older umnist has made are upgraded when they are opened, and then used."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.contracts.log_events import TRUTH, add, answered, assigned, erase, joined
from tests.golden.remake_store import stores
from umnist_core.errors import ClaimError
from umnist_core.labeling.log import sha256
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.verify import verify_log


def test_there_is_a_golden_store() -> None:
    """The first schema's is there for good."""
    assert "labeling_schema_1.sqlite" in [path.name for path in stores()]


@pytest.mark.parametrize("golden", stores(), ids=lambda path: path.stem)
def test_golden_store_is_upgraded_and_used(golden: Path, tmp_path: Path) -> None:
    """Everything is there and verifies, claims are guarded, and a study goes on."""
    path = tmp_path / golden.name
    shutil.copy(golden, path)
    heads = json.loads(golden.with_suffix(".json").read_text())
    with closing(open_log(f"sqlite:///{path}")) as log:
        assert log.studies() == list(heads) == ["open-study", "closed-study"]
        for study in heads:
            assert log.read(study)[-1].hash == heads[study]
            assert verify_log(log, study).faults == ()
            assert log.read_truth(study) == TRUTH
        assert log.erasure_count("open-study") == 1
        assert log.find_invite(sha256("a token")) == ("open-study", "i1")
        assert [text for _, text in log.iter_attachments("open-study")] == ['{"é": 1}']
        with pytest.raises(ClaimError, match="ann"):
            add(log, "open-study", joined("ann", "unguided"))
        add(log, "open-study", joined("eve"), assigned("e1", "eve"), answered("k", "e1", "eve"))
        assert erase(log, "open-study", "eve") == 3
    with closing(open_log(f"sqlite:///{path}")) as log:
        assert verify_log(log, "open-study").faults == ()
