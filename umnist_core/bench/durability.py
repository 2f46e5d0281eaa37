"""Whether an answer that was said to be saved is kept, whatever happens to the server.

Simulated people answer over HTTP as fast as they can, and the server is killed with SIGKILL
at random moments, started again at once, and killed again. Whatever was not acknowledged is
sent again under its key, as the page does. In the end the ledger of what was acknowledged is
held against the store, and every place and reservation is looked at.

SIGKILL ends a process and not the machine: what the system has taken from it is written
later all the same. That an answer also outlives a loss of power rests on the settings under
which the databases wait for the disk before they say that a change is kept
(`umnist_core.labeling.sql.engine`), and on disks that tell the truth.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from umnist_core.bench.label_server import LabelServer, label_server
from umnist_core.bench.postgres import postgres_server
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log
from umnist_core.simulation.audit import Audit, audit
from umnist_core.simulation.client import Tally
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.run import Guessing, Pace, Run, invite_people, run_people

STORES = ("sqlite", "postgresql")

KILLS_A_STUDY = 100
"""After so many a new study is begun, so that reading it at each start stays short."""

_IMAGES = {"canvas": "512", "factor": "0.5..4"}
"""Images that are made in milliseconds; what is in them does not matter here."""

_IMAGES_A_STUDY = 100
_LATEST_S = 0.15
"""A kill comes at a random time within this after the first answer that the server has taken."""

_EARLY = 0.15
"""Share of the kills that do not wait for that: they fall into the server's start."""

_QUIET_S = 30.0
"""A server that takes no answer for so long is killed all the same."""


@dataclass(frozen=True)
class DurabilityFigures:
    """What became of the answers.

    Attributes
    ----------
    store
        ``sqlite`` or ``postgresql``.
    kills, kills_while_writing
        Servers that were killed, and those that were within a change of the store just then.
    acknowledged
        Answers that a server has said are saved.
    resent
        Requests that got no answer and were sent again.
    lost, doubled, unclaimed
        Acknowledged answers that are not in the store; answers that are there twice; answers
        that are there and were never acknowledged.
    reservations
        Reserved places that were looked at in the end.
    faults
        What else was wrong with logs, places and reservations, a sentence each.
    seconds
        How long it took.
    """

    store: str
    kills: int
    kills_while_writing: int
    acknowledged: int
    resent: int
    lost: int
    doubled: int
    unclaimed: int
    reservations: int
    faults: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class KilledRun:
    """One study whose server was killed: how often, how often while writing, and the outcome."""

    kills: int
    kills_while_writing: int
    resent: int
    outcome: Audit


def bench_durability(
    *,
    kills: int = 1000,
    store: str = "sqlite",
    annotators: int = 8,
    seed: int = 0,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DurabilityFigures:
    """Kill servers while people answer, and see what is left.

    Parameters
    ----------
    kills
        How many.
    store
        One of `STORES`.
    annotators
        People who answer at the same time.
    seed
        Of the people and of the moments.
    folder
        Where to write; the system's folder for temporary files when None.
    progress
        Told of kills done and kills in all, after each study.

    Raises
    ------
    MissingFileError
        If PostgreSQL is wanted and not installed.
    NetworkError
        If a server does not come back.
    StoreError
        If the store cannot be opened.
    """
    started = time.perf_counter()
    runs: list[KilledRun] = []
    with temporary_store(store, folder) as (lab, url), label_server(lab, url) as server:
        log = open_log(url)
        service = StudyService(log, lab)
        while (done := sum(run.kills for run in runs)) < kills:
            wanted = min(KILLS_A_STUDY, kills - done)
            rng = np.random.default_rng((seed, len(runs)))
            runs.append(kill_while_answering(service, server, wanted, annotators, rng=rng))
            if progress is not None:
                progress(done + runs[-1].kills, kills)
        log.close()
    outcomes = [run.outcome for run in runs]
    return DurabilityFigures(
        store=store,
        kills=sum(run.kills for run in runs),
        kills_while_writing=sum(run.kills_while_writing for run in runs),
        acknowledged=sum(one.acknowledged for one in outcomes),
        resent=sum(run.resent for run in runs),
        lost=sum(one.lost for one in outcomes),
        doubled=sum(one.doubled for one in outcomes),
        unclaimed=sum(one.unclaimed for one in outcomes),
        reservations=sum(one.open_places for one in outcomes),
        faults=tuple(fault for one in outcomes for fault in one.faults),
        seconds=round(time.perf_counter() - started, 1),
    )


def kill_while_answering(
    service: StudyService,
    server: LabelServer,
    kills: int,
    annotators: int,
    *,
    rng: np.random.Generator,
    disturb: Callable[[int], None] | None = None,
) -> KilledRun:
    """Make a study, let people answer, and kill the server meanwhile.

    Parameters
    ----------
    service
        The same store as the server's.
    server
        What is killed.
    kills
        How often, at most: it ends as well when everybody has answered everything.
    annotators
        How many people.
    rng
        Decides the moments.
    disturb
        Called before each kill with its number, for other misfortunes.
    """
    study = create_study(service, durability_spec(), jobs=1)
    people, tokens = invite_people(service, study, annotators, Crowd(), int(rng.integers(2**32)))
    run = Run(server.origin, Guessing(), Pace(fetches_tiles=False))
    done = writing = 0
    with ThreadPoolExecutor(1) as thread:
        going = thread.submit(run_people, run, people, tokens)
        try:
            while done < kills and not going.done():
                _wait_for_moment(run, going, rng)
                if disturb is not None:
                    disturb(done)
                writing += server.kill()
                done += 1
        finally:
            run.is_over = True
        tally = going.result()
    return KilledRun(
        kills=done,
        kills_while_writing=writing,
        resent=tally.troubles["connection"],
        outcome=audit(service.log, study, tally.acknowledged),
    )


def durability_spec() -> StudySpec:
    """Return the settings of a study with more images than people can answer between kills."""
    return StudySpec(
        name="Durability",
        overrides=_IMAGES,
        stimuli=_IMAGES_A_STUDY,
        images_per_annotator=_IMAGES_A_STUDY,
        labels_per_image=10,
        practice=1,
    )


@contextlib.contextmanager
def temporary_store(store: str, folder: Path | None = None) -> Iterator[tuple[Path, str]]:
    """Give an empty folder for a lab and the address of an empty store; both go at the end.

    Raises
    ------
    MissingFileError
        If PostgreSQL is wanted and not installed.
    NetworkError, StoreError
        If it cannot be started.
    """
    with contextlib.ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix="umnist-bench-", dir=folder)
        lab = Path(stack.enter_context(name))
        if store == "sqlite":
            yield lab, f"sqlite:///{lab / 'umnist.sqlite'}"
        else:
            server = stack.enter_context(postgres_server())
            yield lab, stack.enter_context(server.database())


def _wait_for_moment(run: Run, going: Future[Tally], rng: np.random.Generator) -> None:
    """Wait for a random moment, most often soon after the server has begun to take answers."""
    moment_s = float(rng.uniform(0, _LATEST_S))
    if rng.random() >= _EARLY:
        before = len(run.tally.acknowledged)
        deadline = time.monotonic() + _QUIET_S
        while len(run.tally.acknowledged) == before and not going.done():
            if time.monotonic() > deadline:
                break
            time.sleep(0.002)
    time.sleep(moment_s)
