"""A real browser answers while the server is killed: what it was told is saved is there once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Response
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import wait_until
from tests.browser.label_page import Annotator, LabelLab, Trouble, label_spec
from umnist_core.bench.label_server import LabelServer, label_server
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log
from umnist_core.simulation.audit import audit
from umnist_core.simulation.client import Acknowledged

TRIALS = 10
LATEST_S = 1.5


class Killer:
    """Kills a server at a random moment after each time that it may.

    Once for each image: a machine so busy that an image takes longer to come than a server is let
    live would never show one.
    """

    def __init__(self, server: LabelServer) -> None:
        self._server = server
        self._allowed = threading.Semaphore(0)
        self._is_over = False
        self._thread = threading.Thread(target=self._kill)
        self.kills = 0

    def allow(self) -> None:
        """Let it kill once more."""
        self._allowed.release()

    def __enter__(self) -> Killer:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._is_over = True
        self.allow()
        self._thread.join()

    def _kill(self) -> None:
        rng = np.random.default_rng(11)
        while self._allowed.acquire() and not self._is_over:
            time.sleep(float(rng.uniform(0, LATEST_S)))
            self._server.kill()
            self.kills += 1


@pytest.fixture
def killed_lab(browser: Browser, tmp_path: Path) -> Iterator[tuple[LabelLab, LabelServer]]:
    """Yield a study on SQLite and the server process that people reach it by."""
    url = f"sqlite:///{tmp_path / 'umnist.sqlite'}"
    log = open_log(url)
    service = StudyService(log, tmp_path)
    spec = label_spec(stimuli=TRIALS, images_per_annotator=TRIALS, practice=0)
    study = create_study(service, spec, jobs=1)
    with label_server(tmp_path, url) as server, ExitStack() as people:
        yield LabelLab(browser, service, study, server.origin, Trouble(), people), server
    log.close()


def test_browser_loses_no_answer_when_the_server_is_killed(
    killed_lab: tuple[LabelLab, LabelServer],
) -> None:
    """It goes from image to image, and in the end each answer is in the store exactly once."""
    lab, server = killed_lab
    person = lab.person()
    told = listen_for_saved(person)
    person.come_to_trials()
    with Killer(server) as killer:
        for number in range(1, TRIALS + 1):
            killer.allow()
            person.wait_for_image(number)
            person.answer(number)
        wait_until(lambda: killer.kills >= TRIALS, "The server was not killed often enough.")
    person.wait_for_screen("done")
    # An answer that met the dying server waits, and the next one may be taken before it.
    assert sorted(lab.given()) == list(range(1, TRIALS + 1))
    # The page can be done while the body of its last response is still on its way here.
    wait_until(lambda: len(told) >= TRIALS, "The page was not told of all answers.", person.page)
    outcome = audit(lab.service.log, lab.study, told)
    assert outcome.is_sound, outcome
    assert outcome.stored == TRIALS
    assert outcome.open_places == 0


def listen_for_saved(person: Annotator) -> set[Acknowledged]:
    """Return a set into which every answer comes that the browser is told is saved."""
    told: set[Acknowledged] = set()

    def listen(response: Response) -> None:
        if not response.url.endswith("/api/answers") or response.status != 200:
            return
        sent = response.request.post_data_json
        try:
            counted = response.json()["counted"]
        except PlaywrightError:
            return  # cut off, so the page was told nothing either, and sends it again
        assert sent is not None
        told.add(Acknowledged(sent["key"], sent["assignment"], sent["answer"], counted, 0))

    person.page.on("response", listen)
    return told
