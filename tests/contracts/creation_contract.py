"""What every store of studies promises of a study's first events and their attachments."""

from __future__ import annotations

import pytest

from tests.contracts.log_events import TIME, TRUTH
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.log import Claims, Draft, EventLog, chain


class CreationContract:
    """A part of `tests.contracts.log_contract.LogContract`."""

    def test_new_study_brings_the_attachments_that_its_events_name(self, log: EventLog) -> None:
        """They are kept with it, and none is without."""
        draft = Draft("study_created", {"spec": {}}, attachment='{"key":"é"}')
        events = chain("s", [draft], None, TIME)
        log.create(events, Claims(), TRUTH, {1: '{"key":"é"}'})
        assert log.read_attachment("s", 1) == '{"key":"é"}'
        assert list(log.iter_attachments("s")) == [(1, '{"key":"é"}')]
        with pytest.raises(InvalidValueError, match="attachments of the events"):
            log.create(chain("t", [draft], None, TIME), Claims(), TRUTH)
        assert log.studies() == ["s"]
